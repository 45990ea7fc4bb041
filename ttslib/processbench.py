"""ProcessBench (arXiv 2412.06559): solutions and their first wrong step; the paper's Figure 6 ranks PRMs by it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ttslib.names import unknown
from ttslib.plain_text import mend
from ttslib.problems import NANO_DATA, Problem, read_rows, unique
from ttslib.zoo import hub_file

REPO = "Qwen/ProcessBench"
REVISION = "3bdcd5371ed567559a78f559c01c13a6deee7604"
# Solutions, and those without a wrong step: Table 2 of the benchmark's paper.
SUBSETS = {"gsm8k": (400, 193), "math": (1000, 406), "olympiadbench": (1000, 339), "omnimath": (1000, 241)}
NANOPROCESSBENCH = NANO_DATA / "nanoprocessbench.jsonl"


@dataclass(frozen=True)
class LabelledSolution:
    """A problem and the steps of one solution. `label` is the index of the first wrong step, or -1 if all are right.

    `policy` is the nano policy that wrote it, "" for a solution of another benchmark.
    """

    id: str
    problem: str
    steps: tuple[str, ...]
    label: int
    policy: str = ""

    def __post_init__(self):
        for name in ("id", "problem"):
            object.__setattr__(self, name, mend(getattr(self, name)))
        object.__setattr__(self, "steps", tuple(map(mend, self.steps)))

    def as_problem(self) -> Problem:
        """With its steps as what the method "read" has scored; there is no gold answer."""
        return Problem(self.id, self.problem, "", steps=self.steps)


def load_processbench(name_or_path: str | Path, *, limit: int | None = None) -> list[LabelledSolution]:
    """Solutions of the built-in "nanoprocessbench", of a subset of ProcessBench ("gsm8k", "math", "olympiadbench",
    "omnimath"), or of a local .json or .jsonl file like it.

    A subset is read from the Hub at a fixed commit, from the local cache if it is there. `limit` keeps the first ones.
    Raises ValueError for an unknown name, a missing or empty file, a row that is not such a solution, a Hub that cannot
    be reached, or a subset whose counts are not the published ones.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}.")
    if name_or_path == "nanoprocessbench":
        path = NANOPROCESSBENCH
    elif name_or_path in SUBSETS:
        path = hub_file(REPO, f"{name_or_path}.json", revision=REVISION, kind="dataset")
    elif str(name_or_path).endswith((".json", ".jsonl")):
        path = Path(name_or_path)
    else:
        known = ["nanoprocessbench", *SUBSETS]
        raise unknown("subset", str(name_or_path), known, ", or a path to a .json or .jsonl file")
    found = unique([(_solution(row, where), where) for _, where, row in read_rows(path)])
    if not found:
        raise ValueError(f"{path} holds no solution.")
    counts = len(found), sum(each.label == -1 for each in found)
    if name_or_path in SUBSETS and counts != SUBSETS[str(name_or_path)]:
        raise ValueError(f"{REPO} {name_or_path} is not the expected copy: its size or its labels differ.")
    return found[:limit]


def _solution(row: Any, where: str) -> LabelledSolution:
    fields = row if isinstance(row, dict) else {}
    name, problem, steps, label = (fields.get(key) for key in ("id", "problem", "steps", "label"))
    texts = isinstance(problem, str) and isinstance(steps, list) and all(isinstance(step, str) for step in steps)
    if name in (None, "") or not texts or not problem or not steps:
        raise ValueError(f"{where} has no `id`, no `problem` or no list of `steps`.")
    if type(label) is not int or not -1 <= label < len(steps):
        raise ValueError(f"{where} has the label {label!r}: it is the index of one of its {len(steps)} steps, or -1.")
    return LabelledSolution(str(name), problem, tuple(steps), label, str(fields.get("policy") or ""))
