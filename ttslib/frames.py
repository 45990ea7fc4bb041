"""Results as tidy data frames: a row for each run, problem, budget and vote, to be grouped and compared with pandas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import nan

import pandas

from ttslib import flops
from ttslib.records import Record
from ttslib.results import LABELS, Results
from ttslib.search import SearchConfig

DRAWS = 32
"""Random sub-samples of a pool that a smaller budget is the mean over."""

RUN = ("policy", "prm", "method", "N", "M", "kept", "subtrees", "seed", "settings", *LABELS)
"""Columns that say what was run: names of policy and PRM ("" without one), method, budget N, children per kept node,
beams kept, subtrees, seed, further settings that are not the defaults ("published_slots=True"); and the labels of the
run, "" unless given (see `Results`)."""

OTHERS = {name: usual for name, usual in vars(SearchConfig()).items() if name not in ("n", "width", "seed")}
COLUMNS = (
    *RUN, "problem", "level", "subject", "vote", "right", "failed", "undecided", "reason", "answer", "trajectories",
    "policy_tokens", "prompt_tokens", "prm_tokens", "policy_calls", "prm_calls", "seconds", "policy_flops", "prm_flops",
)  # fmt: skip
"""Of a frame, in this order.

problem, level, subject: id of the problem, and its level (0: none) and subject. vote: a rule of `voting.RULES`,
"pass@k" or "mean". right: 1 or 0, of random sub-samples and of quantities a share; NaN if `failed` or `undecided`, and
`reason` says why. answer: the one chosen, None if there is none. trajectories: how many were chosen from.

The rest is what the record cost, whatever the vote made of it; of a smaller budget its share of the pool, but all of
the calls and seconds. policy_tokens: generated, discarded branches included. prompt_tokens: read by the policy, once;
NaN if the record does not say. prm_tokens: read by the PRM. policy_flops, prm_flops: see `flops.record_flops`.
Best-of-N runs with several PRMs share their samples, and each names what they cost.
"""


def frame_of(
    runs: Iterable[Results], votes: Sequence[str] = ("majority_vote",), budgets: Sequence[int] | None = None,
    parity: bool = False,
) -> pandas.DataFrame:  # fmt: skip
    """The rows of many runs in one frame, as of `Results.frame`; what they answered is graded in one batch.

    A vote that a run cannot have (one by PRM scores without a PRM, pass@k of a tree search) has no rows of that run.
    Raises ValueError for an unknown vote, and for a budget beyond a pool.
    """
    votes = list(dict.fromkeys([votes] if isinstance(votes, str) else votes))
    runs = [run.parity() if parity else run for run in runs]
    if runs:
        runs[0].prepare(votes, *runs[1:])
    columns: dict[str, list] = {name: [] for name in COLUMNS}
    for run in runs:
        for part in _parts_of(run, votes, budgets):
            for name, values in part.items():
                columns[name] += values
    answers = pandas.Series(columns["answer"], dtype=object)  # pandas would make NaN of None
    return pandas.DataFrame(columns | {"answer": answers}, columns=COLUMNS)


SAMPLES = (*RUN, "problem", "level", "subject", "sample", "answer", "group", "right", "end", "scores", "tokens")
"""Of a frame of trajectories, in this order.

sample: place of the trajectory in its record. answer: None where nothing could be extracted. group: the first sample
with an equal answer. right: 1 or 0, NaN if undecided. end: "boxed", "eos", "depth" or "length". scores: of its steps by
the PRM, () without one. tokens: of its steps.
"""


def samples_of(runs: Iterable[Results]) -> pandas.DataFrame:
    """A row for each trajectory of each record that did not fail: the columns of `SAMPLES`."""
    runs = list(runs)
    if runs:
        runs[0].prepare(["majority_vote"], *runs[1:])
    rows = [row for run in runs for row in _samples(run)]
    frame = pandas.DataFrame(rows, columns=SAMPLES)
    frame["answer"] = pandas.Series([row["answer"] for row in rows], dtype=object)  # pandas would make NaN of None
    return frame


def _samples(run: Results) -> Iterator[dict]:
    for place, record in enumerate(run):
        if record.failed:
            continue
        graded, spent, ends = run.graded(place), record.step_tokens(), record.ends()
        columns = run_columns(run, record) | {key: record.problem[key] for key in ("level", "subject")}
        for sample, answer in enumerate(graded.answers):
            right = graded.verdicts[answer]
            yield columns | {
                "sample": sample, "answer": answer, "group": graded.groups[sample],
                "right": nan if right is None else float(right), "end": ends[sample], "scores": graded.scores[sample],
                "tokens": spent[sample],
            }  # fmt: skip


def run_columns(run: Results, record: Record) -> dict:
    """The columns `RUN` of one of a run's records, and which problem it is."""
    policy, prm = (record.cell[part]["name"] if record.cell.get(part) else "" for part in ("policy", "prm"))
    n = run.budget(record)
    subtrees = record.subtrees if n == record.N else n
    cell = record.cell
    settings = ", ".join(f"{name}={cell[name]}" for name, usual in OTHERS.items() if cell.get(name, usual) != usual)
    values = (policy, prm, cell["method"], n, record.M, record.kept, subtrees, cell.get("seed", 0), settings)
    labels = (run.labels.get(name, "") for name in LABELS)
    return dict(zip(RUN, (*values, *labels), strict=True)) | {"problem": record.problem["id"]}


def _parts_of(run: Results, votes: Sequence[str], budgets: Sequence[int] | None) -> Iterator[dict[str, list]]:
    """Columns of the rows of one run, budget by budget and vote by vote."""
    votes = [vote for vote in votes if not run.lacks(vote)]
    if not run.records or not votes:
        return
    failed, operations = [record.failed for record in run], [flops.record_flops(record) for record in run]
    for part in _parts(run, budgets or ()):
        same = [_columns(part, record, each) for record, each in zip(run, operations, strict=True)]
        same = {name: [each[name] for each in same] for name in same[0]} | {"failed": failed}
        for vote in votes:
            answers, right, reasons = (list(each) for each in zip(*part.outcomes(vote), strict=True))
            yield same | {
                "vote": [vote] * len(failed), "answer": answers, "reason": reasons,
                "right": [nan if each is None else each for each in right],
                "undecided": [each is None and not lost for each, lost in zip(right, failed, strict=True)],
            }  # fmt: skip


def _parts(run: Results, budgets: Sequence[int]) -> list[Results]:
    """The run, after what it would have been at smaller budgets if it is a pool."""
    if not run.records or not run.pooled:
        return [run]
    own = run.budget(run.records[0])
    return [*(run.subsample(n, draws=DRAWS) for n in sorted({*budgets} - {own})), run]


def _columns(part: Results, record: Record, operations: flops.SearchFlops) -> dict:
    """Those that are the same for every vote."""
    spent, n = part.spent(record), part.budget(record)
    operations = operations.of_samples(n / record.N)
    return run_columns(part, record) | {
        "level": record.problem["level"], "subject": record.problem["subject"],
        "trajectories": min(record.found, n), "policy_tokens": spent.policy,
        "prompt_tokens": flops.prompt_tokens(record), "prm_tokens": spent.prm, "policy_calls": spent.policy_calls,
        "prm_calls": spent.prm_calls, "seconds": sum(seconds for _, seconds in record.spans),
        "policy_flops": operations.policy, "prm_flops": operations.prm,
    }  # fmt: skip
