"""What the paper ran: each figure and table as grids of policies, PRMs, methods, budgets and benchmarks, in roles.

Width 4 and the sampling settings are the defaults of a search, or a model's own. The paper names no seed. `note` says
what it does not state and what is chosen here; an experiment without grids needs no search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttslib.names import unknown
from ttslib.paper.roles import BENCHMARKS, LLAMA, MATH, PRMS, QWEN, R1, REFERENCES
from ttslib.paper.strategy import rule_methods
from ttslib.runs import Run

if TYPE_CHECKING:
    from ttslib.profiles import Profile

BUDGETS = (4, 16, 64, 256)
LARGEST = BUDGETS[-1:]
SAMPLING, SEARCHES = ("pass@k", "majority"), ("best_of_n", "beam_search", "dvts")
CURVES = (*SAMPLING, *SEARCHES)


@dataclass(frozen=True)
class Grid:
    """Every combination of its parts.

    Attributes:
        policies, prms, benchmarks: roles. A reference model is left out where the profile casts nobody for it.
        methods: "cot", "pass@k", "majority", "best_of_n", the name of a search, or "tts": what the author's rule takes.
        budgets: the paper's N.
        seeds: one run each.
    """

    policies: tuple[str, ...]
    methods: tuple[str, ...]
    benchmarks: tuple[str, ...]
    prms: tuple[str, ...] = ()
    budgets: tuple[int, ...] = BUDGETS
    seeds: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Experiment:
    """A figure or table of the paper: its name, what it shows, the question it answers (`claims.QUESTIONS`; "" for
    none) and the grids it is drawn from. One that is `whole` has the profile's `grid_budgets`, if it has any."""

    name: str
    shows: str
    question: str
    grids: tuple[Grid, ...] = ()
    note: str = ""
    whole: bool = False

    def drawn(self, profile: Profile) -> bool:
        """Whether the notebooks draw it at a profile: a whole grid only if the profile has budgets for it."""
        return bool(profile.grid_budgets) or not self.whole

    def runs(self, profile: Profile) -> list[Run]:
        """Its runs at a profile's size with the profile's cast, each once.

        Chain of thought and the pool that Pass@k, majority and Best-of-N share, of the profile's N, are on the pool's
        problems; Best-of-N scores it with each PRM, and a search runs once a budget, on the search's. Budgets are
        fitted as `fitted` says. Raises ValueError, in one sentence, for a role that nobody plays.
        """
        if self.whole and profile.grid_budgets:
            profile = replace(profile, budgets=profile.grid_budgets)
        return list(dict.fromkeys(run for grid in self.grids for run in _expand(grid, profile)))


def fitted(budget: int, profile: Profile) -> int:
    """The profile's N for the paper's: the n-th budget for the n-th, its largest where it has fewer.

    512, twice the largest of the paper's, is twice the largest of the profile's.
    """
    if budget > BUDGETS[-1]:
        return profile.budgets[-1] * budget // BUDGETS[-1]
    place = next(place for place, each in enumerate(BUDGETS) if budget <= each)
    return profile.budgets[min(place, len(profile.budgets) - 1)]


def _pool(budgets: tuple[int, ...], profile: Profile) -> int:
    """N of the sampling pool for those budgets: the profile's, or fewer where the paper has fewer."""
    largest = max(budgets)
    return min(profile.pool * max(1, largest // BUDGETS[-1]), largest)


def _expand(grid: Grid, profile: Profile) -> Iterator[Run]:
    for policy in grid.policies:
        if policy in REFERENCES and policy not in profile.cast.policies:
            continue
        for benchmark in grid.benchmarks:
            methods = [method for method in grid.methods if method != "tts"]
            if "tts" in grid.methods:
                methods += rule_methods(benchmark, policy)
            for seed in grid.seeds:
                for method in methods:
                    yield from _runs(method, policy, benchmark, seed, grid, profile)


def _runs(method: str, policy: str, benchmark: str, seed: int, grid: Grid, profile: Profile) -> Iterator[Run]:
    cast = profile.cast

    def run(method: str, n: int, limit: int, prm: str = "") -> Run:
        return Run(
            method, cast.policy(policy), cast.prm(prm) if prm else None, cast.benchmark(benchmark), limit, n, seed=seed,
            policy_role=policy, prm_role=prm, benchmark=benchmark,
        )  # fmt: skip

    sampled, searched = (profile.limit(benchmark, pool=pool) for pool in (True, False))
    if method == "cot":
        yield run("cot", 1, sampled)
    elif method in SAMPLING:
        yield run("best_of_n", _pool(grid.budgets, profile), sampled)
    elif method == "best_of_n":
        yield from (run(method, _pool(grid.budgets, profile), searched, prm) for prm in grid.prms)
    else:
        budgets = dict.fromkeys(fitted(budget, profile) for budget in grid.budgets)
        yield from (run(method, n, searched, prm) for prm in grid.prms or ("",) for n in budgets)


BOTH = tuple(BENCHMARKS)
ON_MATH, ON_AIME = BOTH[:1], BOTH[1:]
ALL_PRMS = tuple(PRMS)
RLHFLOW, SKYWORK_7B, QWEN_PRMS, BEST = ALL_PRMS[1:3], ALL_PRMS[4:5], ALL_PRMS[5:], ALL_PRMS[6:]
L1B, L3B, L8B = LLAMA
Q05, Q15, Q3, Q7, *_, Q72 = QWEN
R1_SAMPLES = (32,)
PRM_CHOSEN = "The PRM is not stated: Qwen2.5-Math-PRM-72B is chosen, which Table 6 names for Qwen2.5-7B."
R1_CHOSEN = (
    "R1-Distill is Best-of-N with majority vote (issues 1 and 3 of the paper's code); its N is not stated: 32 is "
    "chosen, from the tokens of Table 4."
)
QUOTED = "The reference models are quoted by the paper and run only where the profile casts them."
PAIR = Grid((L8B, Q7), CURVES, ON_MATH, ALL_PRMS)

EXPERIMENTS: dict[str, Experiment] = {each.name: each for each in (
    Experiment(
        "fig1", "small policies with test-time scaling against large ones", "Q4",
        (
            Grid((L3B,), ("tts",), BOTH, BEST, LARGEST),
            Grid(R1, ("majority",), BOTH, budgets=R1_SAMPLES),
            Grid(REFERENCES, ("cot",), BOTH),
        ),
        f"N of Llama-3.2-3B is not stated: 256 is chosen; the method is the author's rule. {PRM_CHOSEN} {R1_CHOSEN} "
        f"{QUOTED}",
    ),
    Experiment("fig2", "Best-of-N, beam search and DVTS as a diagram", "", note="Needs no data."),
    Experiment(
        "fig3", "distribution of Pass@1 over the problems", "Q2", (Grid((Q72,), ("pass@k",), ON_MATH),),
        "Samples a problem are not stated: the pool's are taken. Equal bins are presumed.",
    ),
    Experiment("fig4", "policies x PRMs x methods on MATH-500", "Q1", (PAIR,),
               "Scoring and voting behind the curves are not stated: all seven rules are computed."),
    Experiment("fig5", "policies x PRMs x methods on AIME24", "Q1", (Grid((L8B, Q7), CURVES, ON_AIME, ALL_PRMS),),
               "Scoring and voting behind the curves are not stated: all seven rules are computed."),
    Experiment("fig6", "test-time scaling against the PRM's F1 on ProcessBench", "Q1", (PAIR,),
               "The runs of Figure 4: policy, method and N of the points are not stated, all are fitted."),
    Experiment("fig7", "size of the policy", "Q1", (Grid(QWEN, CURVES, ON_MATH, BEST),),
               "The PRM is stated by SC-long only: Qwen2.5-Math-PRM-72B."),
    Experiment("fig8", "levels of difficulty, Llama policies", "Q2", (Grid(LLAMA, CURVES, ON_MATH, BEST),), PRM_CHOSEN),
    Experiment("fig9", "levels of difficulty, Qwen2.5 policies", "Q2", (Grid(QWEN, CURVES, ON_MATH, BEST),),
               f"That it is about Qwen2.5 is said by summaries, not by its caption. {PRM_CHOSEN}"),
    Experiment("fig10", "full grid on MATH-500", "Q1", (Grid((*LLAMA, *QWEN), CURVES, ON_MATH, ALL_PRMS),),
               whole=True),
    Experiment("fig11", "full grid on AIME24", "Q1", (Grid((*LLAMA, *QWEN), CURVES, ON_AIME, ALL_PRMS),),
               whole=True),
    Experiment(
        "fig12", "length that a PRM favours, on one problem", "Q3", (Grid((L8B,), ("beam_search",), ON_MATH, RLHFLOW),),
        "Policy and N are not stated: runs of Figure 4 are taken, among whose problems it is (`published.fig12`).",
    ),
    Experiment("fig13_18", "cases in which PRMs fail", "Q3",
               note="Scores of given steps, no search; policy and PRM of each case are not stated."),
    Experiment("table1", "length of the PRMs' training data", "Q3", note="Counts tokens of two data sets, no search."),
    Experiment(
        "table2", "voting rules", "Q3",
        (Grid((Q7,), ("beam_search", "dvts"), ON_MATH, SKYWORK_7B + QWEN_PRMS[:1], LARGEST),),
        "Method and N are not stated, and the policy by SC-long only: beam search and DVTS with 256 are chosen.",
    ),
    Experiment(
        "table3", "small policies with test-time scaling against large ones", "Q4",
        (
            Grid((L1B, L3B, Q05, Q15), ("tts",), BOTH, BEST, LARGEST),
            Grid((L1B,), ("tts",), BOTH, BEST, (512,)),
            Grid(R1, ("majority",), BOTH, budgets=R1_SAMPLES),
            Grid(REFERENCES, ("cot",), BOTH),
        ),
        f"N is stated for one row, 512: for the others 256 is chosen; the method is the author's rule. {PRM_CHOSEN} "
        f"{R1_CHOSEN} {QUOTED}",
    ),
    Experiment(
        "table4", "FLOPs of training and inference", "Q4",
        (
            Grid((L3B,), ("tts",), ON_MATH, BEST, LARGEST),
            Grid(R1[1:], ("majority",), ON_MATH, budgets=R1_SAMPLES),
            Grid(("Llama-3.1-405B", "DeepSeek-R1"), ("cot",), ON_MATH),
        ),
        f"The printed numbers need arithmetic only; the runs, those of Table 3, give the tokens of one's own. {QUOTED}",
    ),
    Experiment(
        "table5", "gain over chain of thought, efficiency over majority vote", "Q5",
        (Grid((*LLAMA, *QWEN), ("cot", "majority", "tts"), ON_MATH, BEST),),
        f"The method is the author's rule. {PRM_CHOSEN}",
    ),
    Experiment(
        "table6", "against policies trained for long chains of thought", "Q6",
        (
            Grid((Q7,), ("tts",), BOTH, QWEN_PRMS, LARGEST),
            Grid((Q7, *MATH, R1[1]), ("cot",), BOTH),
        ),
        "N is not stated: 256 is chosen; the method is the author's rule. The other trained policies are quoted.",
    ),
)}  # fmt: skip


def experiment(name: str) -> Experiment:
    """The figure or table of that name; ValueError, naming them, if there is none."""
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]
