"""The nano zoo's models: architecture, data and budget of each. The one place to add or resize a model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PolicySpec:
    """A policy trained from scratch. Head dimension is 32: vLLM's CPU attention has kernels for 32 and 64."""

    name: str
    family: str  # "llama" | "qwen" | "mistral": architecture and tokenizer
    style: str  # "llama" | "qwen" | "mistral" | "deepseek" | "thinking": how it writes its steps
    width: int
    layers: int
    tokens: int  # training tokens, question included
    stands_for: str = ""  # the model of the paper whose part it plays: `profiles` casts by it
    learning_rate: float = 0.005
    seed: int = 0


@dataclass(frozen=True)
class CheckerSpec:
    """A network that learns to check steps on slips made on purpose (`train_checker`); PRMs start from it.

    It is the policy `base`, trained for `adapt_tokens` more, with `fresh_layers` on top. These see `noisy` solutions
    with tokens replaced at random, then `solutions` with slips.
    """

    name: str
    base: str
    adapt_tokens: int
    noisy: int
    solutions: int
    fresh_layers: int = 3
    adapt_rate: float = 0.003
    noisy_rate: float = 0.015
    slip_rate: float = 0.005  # lower: what the noise taught must not be lost
    seed: int = 0


@dataclass(frozen=True)
class PRMSpec:
    """A PRM that starts from a checker and learns from labelled rollouts (`train_prm`).

    `rollouts`: the policies whose samples carry the labels. `labels`: "monte_carlo", or "consensus" with the exact
    step check, in the place of a judge model. `beyond`: share of the wrong solutions that are shown beyond their first
    wrong step, all further steps wrong too. `cooling`: what the attention logits of each fresh layer are divided by at
    the end (`train_prm.cool`): chosen for little rounding error in bf16 at no cost in AUC, on samples for fresh
    training problems.
    """

    name: str
    format: str  # of `ttslib.prms.formats`: the original's input format and head
    checker: str
    rollouts: tuple[str, ...]
    stands_for: str
    solutions: int = 8_000
    labels: str = "monte_carlo"
    beyond: float = 0.4
    cooling: tuple[int, ...] = (16, 32, 32)
    learning_rate: float = 0.0005
    seed: int = 0


POLICIES = {spec.name: spec for spec in (
    PolicySpec("nano-llama-0.1m", "llama", "llama", 64, 2, 5_200_000, "Llama-3.2-1B-Instruct"),
    PolicySpec("nano-llama-0.4m", "llama", "llama", 96, 3, 5_000_000, "Llama-3.2-3B-Instruct"),
    PolicySpec("nano-llama-1m", "llama", "llama", 160, 4, 6_000_000, "Llama-3.1-8B-Instruct"),
    PolicySpec("nano-llama-3m", "llama", "llama", 224, 4, 7_000_000, "Llama-3.1-405B-Instruct"),
    PolicySpec("nano-qwen-0.1m", "qwen", "qwen", 64, 2, 3_000_000, "Qwen2.5-0.5B-Instruct"),
    PolicySpec("nano-qwen-0.2m", "qwen", "qwen", 64, 4, 3_500_000, "Qwen2.5-1.5B-Instruct"),
    PolicySpec("nano-qwen-0.3m", "qwen", "qwen", 96, 2, 3_550_000, "Qwen2.5-3B-Instruct"),
    PolicySpec("nano-qwen-0.4m", "qwen", "qwen", 96, 3, 3_500_000, "Qwen2.5-7B-Instruct"),
    PolicySpec("nano-qwen-0.5m", "qwen", "qwen", 96, 4, 3_750_000, "Qwen2.5-14B-Instruct"),
    PolicySpec("nano-qwen-0.7m", "qwen", "qwen", 128, 3, 4_150_000, "Qwen2.5-32B-Instruct"),
    PolicySpec("nano-qwen-1m", "qwen", "qwen", 160, 4, 3_700_000, "Qwen2.5-72B-Instruct"),
    PolicySpec("nano-qwen-3m", "qwen", "qwen", 256, 3, 4_200_000, "GPT-4o"),
    PolicySpec("nano-r1-qwen-0.4m", "qwen", "thinking", 96, 3, 6_000_000, "DeepSeek-R1-Distill-Qwen-1.5B"),
    PolicySpec("nano-r1-qwen-1m", "qwen", "thinking", 160, 4, 7_500_000, "DeepSeek-R1-Distill-Qwen-7B"),
    PolicySpec("nano-mistral-0.4m", "mistral", "mistral", 96, 3, 4_000_000, "Mistral-7B, Math-Shepherd's generator"),
    PolicySpec("nano-deepseek-1m", "llama", "deepseek", 128, 4, 6_000_000, "DeepSeekMath-7B, RLHFlow's generator"),
)}
CHECKERS = {spec.name: spec for spec in (
    CheckerSpec("nano-checker-0.4m", "nano-llama-0.4m", adapt_tokens=2_000_000, noisy=30_000, solutions=60_000),
    CheckerSpec("nano-checker-1m", "nano-llama-1m", adapt_tokens=4_000_000, noisy=30_000, solutions=120_000),
)}
WEAK, LONG, OWN = "nano-mistral-0.4m", "nano-deepseek-1m", "nano-qwen-1m"
QWEN = ("nano-qwen-0.4m", OWN)
MIX = ("nano-llama-0.4m", "nano-llama-1m", OWN)
PRMS = {spec.name: spec for spec in (
    PRMSpec("nano-prm-shepherd", "tag", "nano-checker-0.4m", (WEAK,), "Math-Shepherd-PRM-7B"),
    PRMSpec("nano-prm-rlhflow-mistral", "chat_turns", "nano-checker-0.4m", (WEAK,), "RLHFlow-PRM-Mistral-8B"),
    PRMSpec("nano-prm-rlhflow-deepseek", "chat_turns", "nano-checker-1m", (LONG,), "RLHFlow-PRM-Deepseek-8B"),
    PRMSpec("nano-prm-skywork-s", "value_head", "nano-checker-0.4m", MIX, "Skywork-PRM-1.5B"),
    PRMSpec("nano-prm-skywork-l", "value_head", "nano-checker-1m", MIX, "Skywork-PRM-7B"),
    PRMSpec("nano-prm-qwen-m", "two_class", "nano-checker-1m", (OWN,), "Qwen2.5-Math-PRM-7B", labels="consensus"),
    PRMSpec("nano-prm-qwen-l", "two_class", "nano-checker-1m", QWEN, "Qwen2.5-Math-PRM-72B", labels="consensus",
            solutions=32_000),
)}
PRM_FAMILIES = {"tag": "mistral", "chat_turns": "llama", "value_head": "qwen", "two_class": "qwen"}
"""Architecture and tokenizer of the PRMs of each format. A checker learns in all of these formats, drawn in this order.
"""
