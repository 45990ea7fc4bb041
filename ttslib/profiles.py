"""How much of an experiment to run: the same notebooks, at several sizes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """One size.

    Attributes:
        name: what `--profile` and `get_profile` take.
        dataset: what `load_problems` takes.
        problems: problems per search cell.
        budgets: N of the search methods.
        pool: samples per problem in the sampling pool, from which every Best-of-N budget up to it is drawn.
        pool_problems: problems of the sampling pool.
    """

    name: str
    dataset: str
    problems: int
    budgets: tuple[int, ...]
    pool: int
    pool_problems: int

    @property
    def pool_budgets(self) -> tuple[int, ...]:
        """1, 2, 4, ... up to `pool`: the budgets a curve over the pool shows."""
        return tuple(2**i for i in range(self.pool.bit_length()) if 2**i <= self.pool)


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", "nanomath", problems=12, budgets=(4, 16), pool=16, pool_problems=12),
        Profile("nano", "nanomath", problems=100, budgets=(4, 16), pool=64, pool_problems=100),
        Profile("full", "nanomath", problems=200, budgets=(4, 16, 64), pool=256, pool_problems=500),
    )
}


def get_profile(name: str) -> Profile:
    """The profile of that name. Raises ValueError, naming those that exist, for any other."""
    if name not in PROFILES:
        raise ValueError(f"Unknown profile {name!r}: give one of {', '.join(PROFILES)}.")
    return PROFILES[name]
