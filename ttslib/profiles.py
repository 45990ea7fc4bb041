"""How much of an experiment to run, and on what: the same notebooks, at several sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ttslib.problems import benchmark_name


@dataclass(frozen=True)
class Profile:
    """One size.

    Attributes:
        name: what `--profile` and `get_profile` take.
        dataset: what `load_problems` takes.
        policy, prm: what `load_policy` and `load_prm` take.
        problems: problems per search cell.
        budgets: N of the search methods.
        pool: samples per problem in the sampling pool, from which every Best-of-N budget up to it is drawn.
        pool_problems: problems of the sampling pool.
        gpu: whether `load_models` refuses to start without a GPU.
    """

    name: str
    dataset: str
    policy: str
    prm: str
    problems: int
    budgets: tuple[int, ...]
    pool: int
    pool_problems: int
    gpu: bool = False

    @property
    def benchmark(self) -> str:
        """The data set's name in headings."""
        return benchmark_name(self.dataset)

    @property
    def pool_budgets(self) -> tuple[int, ...]:
        """1, 2, 4, ... up to `pool`: the budgets a curve over the pool shows."""
        return tuple(2**i for i in range(self.pool.bit_length()) if 2**i <= self.pool)


NANO = {"dataset": "nanomath", "policy": "nano-llama-0.4m", "prm": "nano-prm-qwen-m"}
# The policy of the paper's title, with the largest of its PRMs that fits one GPU beside it. N = 512 is in Table 3 only.
PAPER = {
    "dataset": "math500", "policy": "meta-llama/Llama-3.2-1B-Instruct", "prm": "Qwen/Qwen2.5-Math-PRM-7B", "gpu": True,
}  # fmt: skip
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", **NANO, problems=12, budgets=(4, 16), pool=16, pool_problems=12),
        Profile("nano", **NANO, problems=100, budgets=(4, 16), pool=64, pool_problems=100),
        Profile("full", **NANO, problems=200, budgets=(4, 16, 64), pool=256, pool_problems=500),
        Profile("paper", **PAPER, problems=500, budgets=(4, 16, 64, 256), pool=256, pool_problems=500),
    )
}


def get_profile(
    name: str, *, policy: str | None = None, prm: str | None = None, dataset: str | None = None
) -> Profile:
    """The profile of that name, with another policy, PRM or data set where one is given ("" or None: its own).

    Raises ValueError, naming those that exist, for any other name.
    """
    if name not in PROFILES:
        raise ValueError(f"Unknown profile {name!r}: give one of {', '.join(PROFILES)}.")
    others = {"policy": policy, "prm": prm, "dataset": dataset}
    return replace(PROFILES[name], **{part: str(value) for part, value in others.items() if value})
