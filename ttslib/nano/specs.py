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
    learning_rate: float = 0.005
    seed: int = 0


@dataclass(frozen=True)
class PRMSpec:
    """A PRM that starts from the network of `base`, a policy or a checker, with `fresh_layers` on top (`train_prm`).

    `rollouts`: the policies whose samples carry the labels. `styles`: the step styles of the slips made on purpose.
    `beyond`: share of the wrong solutions that are shown beyond their first wrong step, all further steps wrong too.
    """

    name: str
    family: str  # "llama" | "qwen" | "mistral": architecture and tokenizer
    format: str  # "tag" (tag token, +/- logits) | "two_class" (two-class head at a marker)
    base: str
    rollouts: tuple[str, ...]
    styles: tuple[str, ...]
    solutions: int
    labels: str = "monte_carlo"  # | "consensus" with the exact step check, in the place of a judge model
    fresh_layers: int = 0
    beyond: float = 0.4
    learning_rate: float = 0.003
    seed: int = 0


POLICIES = {spec.name: spec for spec in (
    PolicySpec("nano-llama-0.1m", "llama", "llama", width=64, layers=2, tokens=4_000_000),
    PolicySpec("nano-llama-0.4m", "llama", "llama", width=96, layers=3, tokens=6_000_000),
    PolicySpec("nano-llama-1m", "llama", "llama", width=160, layers=4, tokens=9_000_000),
    PolicySpec("nano-llama-3m", "llama", "llama", width=256, layers=4, tokens=9_000_000),
    PolicySpec("nano-qwen-0.1m", "qwen", "qwen", width=64, layers=2, tokens=4_000_000),
    PolicySpec("nano-qwen-0.4m", "qwen", "qwen", width=96, layers=3, tokens=6_000_000),
    PolicySpec("nano-qwen-1m", "qwen", "qwen", width=160, layers=4, tokens=9_000_000),
    PolicySpec("nano-qwen-2m", "qwen", "qwen", width=192, layers=4, tokens=9_000_000),
    PolicySpec("nano-qwen-3m", "qwen", "qwen", width=256, layers=4, tokens=9_000_000),
    PolicySpec("nano-r1-qwen-0.4m", "qwen", "thinking", width=96, layers=3, tokens=9_000_000),
    PolicySpec("nano-r1-qwen-1m", "qwen", "thinking", width=160, layers=4, tokens=14_000_000),
    PolicySpec("nano-mistral-0.4m", "mistral", "mistral", width=96, layers=3, tokens=6_000_000),
    PolicySpec("nano-deepseek-1m", "llama", "deepseek", width=128, layers=4, tokens=8_000_000),
)}
STYLES = ("llama", "qwen", "mistral", "deepseek")
# Networks that have learned to check steps on slips made on purpose. PRMs start from them as the paper's PRMs start
# from models that have learned mathematics; they are not shipped.
CHECKERS = {spec.name: spec for spec in (
    PRMSpec("nano-checker-2m", "llama", "tag", "nano-llama-1m", (), STYLES, solutions=60_000, fresh_layers=2),
)}
PRMS = {spec.name: spec for spec in (
    PRMSpec("nano-prm-shepherd", "mistral", "tag", "nano-checker-2m", ("nano-mistral-0.4m",), ("mistral",),
            solutions=10_000, learning_rate=0.001),
    PRMSpec("nano-prm-qwen-m", "qwen", "two_class", "nano-checker-2m", ("nano-qwen-1m",), ("qwen",),
            solutions=10_000, labels="consensus", learning_rate=0.001),
)}
