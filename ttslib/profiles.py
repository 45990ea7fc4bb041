"""How much of an experiment to run, and with whom: the same notebooks at several sizes and with several casts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ttslib.cast import Cast, parse_recast, read_cast
from ttslib.names import unknown
from ttslib.nano import specs
from ttslib.paper import roles
from ttslib.problems import benchmark_name
from ttslib.runs import ModelSpec, Run
from ttslib.search.config import whole

LEAD_POLICY, LEAD_PRM, LEAD_BENCHMARK = "Llama-3.2-3B", "Qwen2.5-Math-PRM-7B", "MATH-500"
"""The roles of notebooks 00 and 01, which have one policy, one PRM and one benchmark."""


@dataclass(frozen=True)
class Profile:
    """A size and a cast.

    Attributes:
        name: what `--profile` and `get_profile` take.
        problems: problems that the paper's experiments search.
        budgets: N of the search methods.
        pool: samples per problem in the sampling pool, from which every Best-of-N budget up to it is drawn.
        pool_problems: problems of the sampling pool.
        aime_problems: of both, on AIME24 or what plays it.
        lead_problems: problems of the lead pair's own runs (see `run`).
        labelled: solutions with step labels that PRMs read, None for all.
        grid_budgets: N of the whole grids (Figures 10 and 11), () where they are too much to be drawn.
        cast: who plays each role of the paper.
        gpu: whether its models need a GPU.
    """

    name: str
    problems: int
    budgets: tuple[int, ...]
    pool: int
    pool_problems: int
    aime_problems: int
    lead_problems: int
    labelled: int | None
    cast: Cast = field(hash=False)
    grid_budgets: tuple[int, ...] = ()
    gpu: bool = False

    @property
    def policy(self) -> str:
        """Name of the lead policy, for `load_policy`."""
        return self.cast.policy(LEAD_POLICY).name

    @property
    def prm(self) -> str:
        """Name of the lead PRM, for `load_prm`."""
        return self.cast.prm(LEAD_PRM).name

    def run(self, method: str, n: int = 1, **others: Any) -> Run:
        """A run of the lead policy and PRM on the first `lead_problems` of the lead benchmark; `others` are fields of
        `Run`, over these."""
        lead = {
            "policy": self.cast.policy(LEAD_POLICY), "prm": self.cast.prm(LEAD_PRM), "problems": self.dataset,
            "limit": self.lead_problems, "policy_role": LEAD_POLICY, "prm_role": LEAD_PRM, "benchmark": LEAD_BENCHMARK,
        }  # fmt: skip
        return Run(method, n=n, **lead | others)

    def lead_runs(self) -> list[Run]:
        """All runs of the lead pair that notebook 01 compares."""
        searches = [self.run(method, n) for method in ("beam_search", "dvts") for n in self.budgets]
        late = [replace(run, settings={"published_slots": True}) for run in searches
                if run.method == "beam_search" and run.n > run.width]  # fmt: skip
        return [self.run("cot"), self.run("best_of_n", self.pool), *searches, *late]

    def limit(self, benchmark: str, *, pool: bool) -> int:
        """How many problems of a benchmark's role are searched or, with `pool`, sampled."""
        if benchmark == "AIME24":
            return self.aime_problems
        return self.pool_problems if pool else self.problems

    def sized(self, problems: int | None = None, budgets: Iterable[int] | None = None) -> Profile:
        """With so many problems of each benchmark, and with these N, the largest of which is the pool's; None leaves
        either as it is. Raises ValueError for what are no whole numbers from 1."""
        sized = self
        if problems is not None:
            names = ("problems", "pool_problems", "aime_problems", "lead_problems")
            sized = replace(sized, **dict.fromkeys(names, whole("problems", problems)))
        if budgets is not None:
            chosen = tuple(sorted({whole("a budget", each) for each in budgets}))
            if not chosen:
                raise ValueError("budgets holds no N: give at least one.")
            whole_grids = chosen if self.grid_budgets else ()
            sized = replace(sized, budgets=chosen, pool=chosen[-1], grid_budgets=whole_grids)
        return sized

    @property
    def dataset(self) -> str:
        """The lead benchmark's data set, for `load_problems`."""
        return self.cast.benchmark(LEAD_BENCHMARK)

    @property
    def benchmark(self) -> str:
        """That data set's name in headings."""
        return benchmark_name(self.dataset)

    @property
    def pool_budgets(self) -> tuple[int, ...]:
        """1, 2, 4, ... up to `pool`: the budgets a curve over the pool shows."""
        return tuple(2**i for i in range(self.pool.bit_length()) if 2**i <= self.pool)


def _stand_ins(zoo: Mapping[str, Any]) -> dict[str, ModelSpec]:
    return {roles.role_name(spec.stands_for): ModelSpec(name) for name, spec in zoo.items() if spec.stands_for}


def _nano() -> Cast:
    """The nano models in the roles that their specs say they stand for."""
    policies = _stand_ins(specs.POLICIES)
    known = {role: policies[role] for role in (*roles.POLICIES, *roles.REFERENCES) if role in policies}
    # It has no stand-in of its own. That of Qwen2.5-14B plays it, for both are somewhat better than Qwen2.5-7B.
    known["Qwen2.5-Math-7B"] = known["Qwen2.5-14B"]
    return Cast(known, _stand_ins(specs.PRMS), {"MATH-500": "nanomath", "AIME24": "nanoaime"})


def _paper() -> Cast:
    """The paper's own models, from the Hub. Those that it quotes scores of are not run."""
    policies, prms = (
        {role: ModelSpec(card.hub_id) for role, card in cards.items()} for cards in (roles.POLICIES, roles.PRMS)
    )
    return Cast(policies, prms, dict(roles.BENCHMARKS))


NANO, PAPER = _nano(), _paper()
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", problems=4, budgets=(4, 8), pool=8, pool_problems=4, aime_problems=2, lead_problems=12,
                labelled=60, cast=NANO),
        Profile("nano", problems=30, budgets=(4, 16), pool=32, pool_problems=40, aime_problems=12, lead_problems=100,
                labelled=200, cast=NANO),
        Profile("full", problems=200, budgets=(4, 16, 64), pool=64, pool_problems=500, aime_problems=30,
                lead_problems=200, labelled=None, cast=NANO, grid_budgets=(4, 16)),
        Profile("paper", problems=500, budgets=(4, 16, 64, 256), pool=256, pool_problems=500, aime_problems=30,
                lead_problems=500, labelled=None, cast=PAPER, grid_budgets=(4, 16, 64, 256), gpu=True),
    )
}


def get_profile(
    name: str,
    *,
    policy: str | Path | Mapping[str, Any] | None = None,
    prm: str | Path | Mapping[str, Any] | None = None,
    dataset: str | Path | Mapping[str, Any] | None = None,
    cast: str | Path | None = None,
    problems: int | None = None,
    budgets: Iterable[int] | None = None,
) -> Profile:
    """The profile of that name, with other players in some of its roles, and of another size if `problems` or `budgets`
    are given (see `Profile.sized`).

    `policy`, `prm` and `dataset` are a plain name, which takes the lead role, "ROLE=MODEL, ROLE=MODEL", or a mapping of
    role to player; `cast` is a file as of `read_cast`, over which these three come. "" or None changes nothing. Raises
    ValueError, in one sentence, for an unknown profile or role and a file that is missing or no cast.
    """
    if name not in PROFILES:
        raise unknown("profile", name, PROFILES)
    profile = PROFILES[name]
    chosen = profile.cast
    for kind, players in read_cast(cast).items() if cast else ():
        chosen = chosen.recast(kind, players)
    given = {"policies": (policy, LEAD_POLICY), "prms": (prm, LEAD_PRM), "benchmarks": (dataset, LEAD_BENCHMARK)}
    for kind, (players, lead) in given.items():
        if players:
            chosen = chosen.recast(kind, parse_recast(players, lead))
    return replace(profile, cast=chosen).sized(problems, budgets)
