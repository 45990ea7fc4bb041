"""What the paper runs, section by section: policies x PRMs x methods x budgets x benchmarks.

Where the paper does not say (the PRM of most tables, the budget of R1-Distill), the choice here is named in `note`.
A run that an earlier experiment has already is not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ttslib.plan.assumptions import PROBLEMS

LLAMA = (
    "meta-llama/Llama-3.2-1B-Instruct", "meta-llama/Llama-3.2-3B-Instruct", "meta-llama/Llama-3.1-8B-Instruct",
)  # fmt: skip
QWEN = tuple(f"Qwen/Qwen2.5-{size}-Instruct" for size in ("0.5B", "1.5B", "3B", "7B", "14B", "32B", "72B"))
R1 = tuple(f"deepseek-ai/DeepSeek-R1-Distill-Qwen-{size}" for size in ("1.5B", "7B"))
SHEPHERD = "peiyi9979/math-shepherd-mistral-7b-prm"
RLHFLOW = ("RLHFlow/Llama3.1-8B-PRM-Mistral-Data", "RLHFlow/Llama3.1-8B-PRM-Deepseek-Data")
SKYWORK = ("Skywork/Skywork-o1-Open-PRM-Qwen-2.5-1.5B", "Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B")
QWEN_PRM = ("Qwen/Qwen2.5-Math-PRM-7B", "Qwen/Qwen2.5-Math-PRM-72B")
ALL_PRMS = (SHEPHERD, *RLHFLOW, *SKYWORK, *QWEN_PRM)
BEST_PRM = QWEN_PRM[1:]

SEARCHES = ("best_of_n", "beam_search", "dvts")
BUDGETS = (4, 16, 64, 256)
BOTH, MATH, AIME = ("math500", "aime24"), ("math500",), ("aime24",)
L1B, L3B, L8B = LLAMA
Q05, Q15, Q3, Q7, Q14, Q32, Q72 = QWEN


@dataclass(frozen=True)
class Grid:
    """Every combination of its parts. `best_of_n` and `majority` sample one pool of the largest budget (BoN once)."""

    policies: tuple[str, ...]
    methods: tuple[str, ...]
    benchmarks: tuple[str, ...]
    prms: tuple[str, ...] = ()
    budgets: tuple[int, ...] = BUDGETS


@dataclass(frozen=True)
class Experiment:
    """A figure or table of the paper and the grids it is drawn from."""

    name: str
    shows: str
    grids: tuple[Grid, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Run:
    """One method on a benchmark: a cell per problem. `method` as in `ttslib.plan.tokens.expected`."""

    policy: str
    prm: str | None
    method: str
    n: int
    benchmark: str
    problems: int = field(compare=False)


PAPER = (
    Experiment(
        "sampling", "CoT, Pass@k, majority; difficulty bins (Fig. 3)",
        (Grid((*LLAMA, *QWEN), ("cot", "majority"), BOTH),),
    ),
    Experiment(
        "small_vs_large", "Fig. 1, Table 3",
        (
            Grid((L1B, L3B, Q05, Q15), ("beam_search",), MATH, BEST_PRM, (256,)),
            Grid((L1B, L3B, Q05, Q15), ("dvts",), AIME, BEST_PRM, (256,)),
            Grid((L1B,), ("beam_search",), MATH, BEST_PRM, (512,)),
            Grid((L1B,), ("dvts",), AIME, BEST_PRM, (512,)),
            Grid(R1, ("cot", "majority"), BOTH, budgets=(32,)),
        ),
        note="the authors' rule for the method; PRM and the 32 samples of R1-Distill are not stated, chosen here",
    ),
    Experiment("fig4_fig5", "policy x PRM x method", (Grid((L8B, Q7), SEARCHES, BOTH, ALL_PRMS),)),
    Experiment("fig6", "fit against ProcessBench (reuses fig4_fig5)", (Grid((L8B, Q7), SEARCHES, MATH, ALL_PRMS),)),
    Experiment("fig7", "policy size", (Grid(QWEN, SEARCHES, MATH, BEST_PRM),), note="PRM not stated, chosen here"),
    Experiment(
        "fig8_fig9", "difficulty", (Grid((*LLAMA, *QWEN), SEARCHES, MATH, BEST_PRM),),
        note="PRM not stated, chosen here",
    ),
    Experiment(
        "table2", "voting rules", (Grid((Q7,), ("beam_search", "dvts"), MATH, (SKYWORK[1], QWEN_PRM[0]), (256,)),),
    ),
    Experiment("table4", "FLOPs (arithmetic)"),
    Experiment(
        "table5", "gain and efficiency over CoT and majority",
        (
            Grid((*LLAMA, *QWEN), ("cot", "majority"), MATH),
            Grid((L1B, L3B, Q05, Q15, Q3), ("beam_search",), MATH, BEST_PRM),
            Grid((L8B, Q7, Q14, Q32), ("beam_search", "dvts"), MATH, BEST_PRM),
            Grid((Q72,), ("best_of_n",), MATH, BEST_PRM),
        ),
        note="the authors' rule for the method; PRM not stated for most rows, chosen here",
    ),
    Experiment(
        "table6", "long-CoT methods",
        (Grid((Q7,), ("cot", "beam_search", "dvts"), BOTH, QWEN_PRM), Grid((R1[1],), ("cot",), BOTH),
         Grid(("Qwen/Qwen2.5-Math-7B-Instruct",), ("cot",), BOTH)),
    ),
    Experiment("fig10_fig11", "full grid", (Grid((*LLAMA, *QWEN), SEARCHES, BOTH, ALL_PRMS),)),
)  # fmt: skip


def runs(experiment: Experiment) -> list[Run]:
    """The experiment's runs, each once."""
    return list(dict.fromkeys(run for grid in experiment.grids for run in _expand(grid)))


def _expand(grid: Grid) -> Iterator[Run]:
    most = max(grid.budgets)
    for policy in grid.policies:
        for benchmark in grid.benchmarks:
            problems = PROBLEMS[benchmark]
            if "cot" in grid.methods:
                yield Run(policy, None, "cot", 1, benchmark, problems)
            if {"best_of_n", "majority"} & set(grid.methods):
                yield Run(policy, None, "pool", most, benchmark, problems)
            for prm in grid.prms:
                if "best_of_n" in grid.methods:
                    yield Run(policy, prm, "score", most, benchmark, problems)
                for method in ("beam_search", "dvts"):
                    if method in grid.methods:
                        yield from (Run(policy, prm, method, n, benchmark, problems) for n in grid.budgets)


def new_runs(
    experiments: Iterable[Experiment], wanted: Callable[[Run], bool] = lambda run: True
) -> list[tuple[Experiment, list[Run], list[Run]]]:
    """(experiment, all its runs, those that no experiment before it has), of the runs that are `wanted`."""
    done: set[Run] = set()
    found = []
    for experiment in experiments:
        every = [run for run in runs(experiment) if wanted(run)]
        found.append((experiment, every, [run for run in every if run not in done]))
        done |= set(every)
    return found
