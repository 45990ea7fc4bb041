"""How long what PRMs learn from is, and how long the steps are that they score, right and wrong ones apart."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pandas

from ttslib.frames import run_columns
from ttslib.nano.generator import generate
from ttslib.nano.labels import first_wrong
from ttslib.nano.rollouts import MAX_TOKENS, SAMPLES, SEED, TEMPERATURES
from ttslib.nano.specs import PRMS
from ttslib.problems import Problem
from ttslib.results import Results
from ttslib.runs import ModelSpec, Run

STEPS = (
    "policy_role", "prm_role", "prm", "benchmark", "problem", "sample", "depth", "characters", "score", "right",
    "label",
)  # fmt: skip
"""Columns of a frame of scored steps.

depth: from 0. characters: of the step, for a record of whole solutions does not tell the tokens of each. right: 1 or 0.
label: "exact" where the step itself was checked; "answer" where all that is known is whether the answer of its solution
is right.
"""


def sources(prm: str) -> tuple[str, ...]:
    """The policies whose samples a nano PRM (a name or folder) learned from; () of another PRM."""
    spec = PRMS.get(Path(prm).name)
    return spec.rollouts if spec else ()


def rollout_runs(prms: Iterable[str], problems: int) -> list[Run]:
    """Runs that sample what these nano PRMs learned from: the solutions of `nano.rollouts`, without their labels.

    A run for each policy that some PRM learned from and each temperature, on the first `problems` of the training
    problems. Problems and settings are those of the rollouts; the random numbers are those of a search, so these are
    samples from the same distribution, not the same samples.
    """
    first = enumerate(islice(generate(SEED, "train"), problems))
    asked = tuple(Problem(f"train/{at}", each.question, each.answer, each.subject, each.level) for at, each in first)
    policies = dict.fromkeys(policy for prm in prms for policy in sources(prm))
    settings = [{"temperature": temperature, "max_tokens": MAX_TOKENS} for temperature in TEMPERATURES]
    return [
        Run("best_of_n", ModelSpec(policy), None, asked, n=SAMPLES, settings=each)
        for policy in policies
        for each in settings
    ]


def scored_steps(runs: Iterable[Results]) -> pandas.DataFrame:
    """The steps that PRMs scored in these runs, a row for each: the columns of `STEPS`.

    Of a solution with exact labels the steps up to its first wrong one, and those that solutions of a problem begin
    with alike once; what follows a wrong step is neither right nor wrong. Of others all steps, right where the answer
    is. Solutions without scores, and those that nothing is known of, have none.
    """
    rows = []
    for run in runs:
        for place, record in enumerate(run):
            graded, seen = run.graded(place), set()
            about = {key: each for key, each in run_columns(run, record).items() if key in STEPS}
            for sample, path in enumerate(record.trajectories):
                first = first_wrong(record.problem["question"], record.cell["policy"]["name"], path["steps"])
                answered = graded.verdicts[graded.answers[sample]]
                if first is None and answered is None:
                    continue
                for depth, (score, step) in enumerate(zip(path["scores"], path["steps"], strict=False)):
                    known = {"sample": sample, "depth": depth, "characters": len(step.strip()), "score": score}
                    if first is None:
                        rows.append(about | known | {"right": float(answered), "label": "answer"})
                        continue
                    before = tuple(path["steps"][: depth + 1])
                    if before not in seen:
                        seen.add(before)
                        rows.append(about | known | {"right": float(depth != first), "label": "exact"})
                    if depth == first:
                        break
    return pandas.DataFrame(rows, columns=STEPS)
