"""Tokens per second of a policy: alone in one big vLLM call, and inside the searches, the PRM's time included.

    python -m ttslib.bench
    python -m ttslib.bench --policy nano-llama-1m --prm nano-prm-shepherd --problems 20 --n 4

All from one run on one engine: first Best-of-N, then the raw call with the same prompts and as many tokens for every
sample as Best-of-N produced, then the tree searches. Nothing is read from an earlier run, and nothing is written.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

# The least share of the raw tokens/s, and the most PRM tokens per policy token, that we aim at (N = 16, width 4).
AIMS = {"best_of_n": 0.9, "beam_search": 0.6, "dvts": 0.6}
PRM_AIM = 1.3


@dataclass(frozen=True)
class Row:
    """What one method took: `prm_seconds` of the `seconds` were the PRM's."""

    method: str
    tokens: int
    seconds: float
    prm_seconds: float = 0.0
    prm_tokens: int = 0

    @property
    def rate(self) -> float:
        """Policy tokens per second, the PRM's time included."""
        return self.tokens / self.seconds

    @property
    def rate_without_prm(self) -> float:
        """Policy tokens per second of the rest."""
        return self.tokens / (self.seconds - self.prm_seconds)


class Recorded:
    """A policy that notes, for every call, the problem and how many tokens each sample took."""

    def __init__(self, policy):
        self._policy, self.calls = policy, []

    def __getattr__(self, name: str):
        return getattr(self._policy, name)

    async def sample(self, path, **options):
        """See `Policy.sample`."""
        steps = await self._policy.sample(path, **options)
        self.calls.append((path.problem, [len(step.tokens) for step in steps]))
        return steps


def run(problems: Sequence, policy, prm, method: str, *, n: int, width: int, seed: int) -> Row:
    """One method on all problems, with an empty store. Raises RuntimeError if a search failed."""
    from ttslib.runner import solve

    policy.engine.core.reset_prefix_cache()
    before = policy.usage.tokens, prm.usage.tokens, prm.seconds
    with tempfile.TemporaryDirectory() as store:
        start = time.perf_counter()
        results = solve(
            problems, policy, prm, method=method, n=n, width=width, seed=seed, store=store, progress=False
        )
        seconds = time.perf_counter() - start
    if results.failures:
        error = results.failures[0].error
        raise RuntimeError(f"{len(results.failures)} of {len(results)} searches of {method} failed: {error}")
    tokens, prm_tokens, prm_seconds = (
        after - old for after, old in zip((policy.usage.tokens, prm.usage.tokens, prm.seconds), before, strict=True)
    )
    return Row(method, tokens, seconds, prm_seconds, prm_tokens)


def raw(policy, calls: Sequence[tuple], temperature: float = 0.7) -> Row:
    """One big call of the same engine: every sample on its own, made exactly as long as in `calls`, without seeds."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    policy.engine.core.reset_prefix_cache()
    prompts = [(policy.prompt.ids(policy.tokenizer, problem), lengths) for problem, lengths in calls]
    start, tokens = time.perf_counter(), 0
    for prompt, (ids, lengths) in enumerate(prompts):
        for sample, length in enumerate(lengths):
            params = SamplingParams(
                temperature=temperature, max_tokens=length, ignore_eos=True, output_kind=RequestOutputKind.FINAL_ONLY
            )
            policy.engine.core.add_request(f"raw-{prompt}-{sample}", {"prompt_token_ids": list(ids)}, params)
    while policy.engine.core.has_unfinished_requests():
        tokens += sum(len(output.outputs[0].token_ids) for output in policy.engine.core.step() if output.finished)
    return Row("raw vLLM", tokens, time.perf_counter() - start)


def table(rows: Sequence[Row]) -> str:
    """The rows as text; the first is the raw call that the others are measured against. Tokens are the policy's."""
    first = rows[0]
    head = ("method", "tokens", "seconds", "PRM seconds", "tokens/s", "of raw", "without PRM", "PRM tokens/token")
    lines = [head, *(
        (
            row.method, f"{row.tokens:,}", f"{row.seconds:.1f}", f"{row.prm_seconds:.1f}", f"{row.rate:,.0f}",
            f"{row.rate / first.rate:.2f}", f"{row.rate_without_prm / first.rate:.2f}",
            f"{row.prm_tokens / row.tokens:.2f}",
        )
        for row in rows
    )]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) if column else cell.ljust(width)
                  for column, (cell, width) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )


def verdicts(rows: Sequence[Row]) -> list[str]:
    """For each aim, one line that says whether this run met it."""
    first, lines = rows[0], ["", "Aims, for N = 16 on 100 problems:"]
    for row in rows[1:]:
        share = row.rate / first.rate
        met = "met" if share >= AIMS[row.method] else "missed"
        lines.append(f"  {row.method}: at least {AIMS[row.method]} of raw, PRM time included: {met} ({share:.2f})")
    for row in rows:
        if row.method == "beam_search":
            share = row.prm_tokens / row.tokens
            met = "met" if share <= PRM_AIM else "missed"
            lines.append(f"  {row.method}: at most {PRM_AIM} PRM tokens per policy token: {met} ({share:.2f})")
    return lines


def measure(options: argparse.Namespace) -> str:
    """Loads the models, warms up and measures; the report. Raises ValueError for options that nothing can run with."""
    import torch
    from transformers.utils import logging

    import ttslib as tts

    logging.disable_progress_bar()
    problems = tts.load_problems(options.dataset, limit=options.problems)
    policy = Recorded(tts.load_policy(options.policy, prompt=options.prompt, backend="vllm"))
    prm = tts.load_prm(options.prm)
    sizes = {"n": options.n, "width": options.width}
    for method in AIMS:
        run(problems[:8], policy, prm, method, **sizes, seed=1)
    policy.calls.clear()
    rows = [run(problems, policy, prm, "best_of_n", **sizes, seed=0)]
    rows.insert(0, raw(policy, policy.calls))
    rows += [run(problems, policy, prm, method, **sizes, seed=0) for method in ("beam_search", "dvts")]
    title = (
        f"{options.policy} with {options.prm}: {len(problems)} problems, N = {options.n}, width {options.width}, "
        f"{prm.network.device.type}, {torch.get_num_threads()} threads"
    )
    return "\n".join([title, "", table(rows), *verdicts(rows)])


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 0 when everything was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", default="nano-qwen-3m", help="a nano model, or the path of a Hugging Face folder")
    parser.add_argument("--prm", default="nano-prm-qwen-m", help="a nano PRM, or the path of a folder")
    parser.add_argument("--prompt", default="nano", help="how the policy is asked")
    parser.add_argument("--dataset", default="nanomath")
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--width", type=int, default=4)
    try:
        print(measure(parser.parse_args(arguments)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
