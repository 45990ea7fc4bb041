"""What experiments have to compute: cells that no earlier one has, in the jobs that a run makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ttslib.cells import Cell
from ttslib.cost import LENGTHS, cost_of, lengths_of
from ttslib.dry_run import counted
from ttslib.flops import search_flops, size_of
from ttslib.paper import Experiment
from ttslib.profiles import Profile
from ttslib.runs import ModelSpec, Run
from ttslib.search import Cost, Lengths
from ttslib.work import jobs


@dataclass(frozen=True)
class Part:
    """Cells that differ in their problem only: the `first`, how many there are, and how long solutions are."""

    first: Cell
    count: int
    lengths: Lengths

    @property
    def cost(self) -> Cost:
        """Of one cell."""
        return cost_of(self.first, self.lengths)


@dataclass(frozen=True)
class Tally:
    """What cells take, wherever they run: FLOPs of policy and PRM apart, and tokens in records, which those of scored
    samples repeat."""

    cells: int = 0
    policy_tokens: float = 0.0
    prm_tokens: float = 0.0
    policy_flops: float = 0.0
    prm_flops: float = 0.0
    stored_tokens: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in vars(self)))


@dataclass(frozen=True)
class Load:
    """What is in memory at once, a policy, a PRM or both, and the cells that are computed meanwhile."""

    policy: ModelSpec | None
    prm: ModelSpec | None
    parts: tuple[Part, ...]

    @property
    def tally(self) -> Tally:
        """Raises ValueError for a model whose size is not known."""
        policy, prm = (size_of(model.name) if model else None for model in (self.policy, self.prm))
        return sum((_tally(part, policy, prm) for part in self.parts), Tally())


@dataclass(frozen=True)
class Planned:
    """An experiment: all its runs, and the loads that compute what no earlier experiment has."""

    experiment: Experiment
    runs: Sequence[Run]
    loads: Sequence[Load]

    @property
    def tally(self) -> Tally:
        """Of the loads."""
        return sum((load.tally for load in self.loads), Tally())


def plan(
    experiments: Iterable[Experiment], profile: Profile, wanted: Callable[[Run], bool] = lambda run: True
) -> list[Planned]:
    """Each experiment's runs that are `wanted`, and what is new of them; nothing is read, loaded or asked of the Hub.

    Raises ValueError for a data set of which nobody knows how long solutions are.
    """
    found, done = [], Counter()  # done: of a cell that stands for those of all problems, on how many
    for experiment in experiments:
        runs = [run for run in experiment.runs(profile) if wanted(run)]
        firsts = {run: counted(replace(run, limit=1), asked=False)[0] for run in runs}
        new: dict[str, Part] = {}
        for run, (cell,) in firsts.items():
            for one in (cell.pool, cell):
                if one and (more := run.size - done[one.key]) > 0:
                    count = more + (new[one.key].count if one.key in new else 0)
                    new[one.key] = Part(one, count, known_lengths(run))
                    done[one.key] = run.size
        made = jobs(firsts, [part.first for part in new.values()])
        loads = [Load(job.policy, job.prm, tuple(new[cell.key] for cell in job.cells)) for job in made]
        found.append(Planned(experiment, runs, loads))
    return found


def known_lengths(run: Run) -> Lengths:
    """`lengths_of`; ValueError if nobody knows."""
    if (lengths := lengths_of(run)) is None:
        known = ", ".join(LENGTHS)
        raise ValueError(f"How long solutions on {run.problems} are is not known: plan with one of {known}.")
    return lengths


def _tally(part: Part, policy: object, prm: object) -> Tally:
    """A token stands behind the prompt and half a solution on average."""
    cost, lengths = part.cost, part.lengths
    written, read = cost.policy * part.count, cost.prm * part.count
    flops = search_flops(
        policy, written, prm, read, context=lengths.prompt + lengths.solution / 2,
        prompts=part.count if written else 0, prompt=lengths.prompt,
    )  # fmt: skip
    stored = cost_of(part.first.pool, lengths).policy * part.count if part.first.pool else written
    return Tally(part.count, written, read, flops.policy, flops.prm, stored)
