"""Exact labels of sampled steps: which step of a nano policy's solution is the first wrong one."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ttslib.nano.benchmark import nanoaime, nanomath
from ttslib.nano.generator import normalise_question
from ttslib.nano.specs import POLICIES
from ttslib.nano.styles import STYLES, check_steps
from ttslib.nano.subjects import Worked


def first_wrong(question: str, policy: str, steps: Sequence[str]) -> int | None:
    """Index of the first wrong step of a policy's solution to a problem of NanoMATH or NanoAIME; -1 if there is none.

    `policy` is a nano model's name or folder. None where nothing is known: of another question or policy, of one that
    thinks, whose steps nobody checks, and where the texts are missing.
    """
    worked, spec = _worked().get(normalise_question(question)), POLICIES.get(Path(policy).name)
    texts = [step.strip() for step in steps]
    if worked is None or spec is None or spec.style not in STYLES or not any(texts):
        return None
    return check_steps(texts, worked, spec.style)


@cache
def _worked() -> dict[str, Worked]:
    return {normalise_question(worked.question): worked for worked in (*nanomath(), *nanoaime())}
