"""Problems, worked solutions, and a PRM's scores of a right and a wrong one, to be looked at."""

import random

import pandas

from ttslib import loop
from ttslib.nano.benchmark import nanomath
from ttslib.nano.mistakes import mistake
from ttslib.nano.specs import POLICIES
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.nano.subjects import Worked
from ttslib.nano.thinking import thinking_steps
from ttslib.policies import Path, Step
from ttslib.prms.base import PRM
from ttslib.problems import Problem


def examples(level: int = 3) -> pandas.DataFrame:
    """The first problem of each subject and that level in NanoMATH-500, with the number of its steps."""
    found: dict[str, Worked] = {}
    for worked in nanomath():
        if worked.level == level:
            found.setdefault(worked.subject, worked)
    rows = [{"subject": each.subject, "problem": each.question, "answer": each.answer, "facts": len(each.facts)}
            for _, each in sorted(found.items())]  # fmt: skip
    return pandas.DataFrame(rows).set_index("subject")


def solutions(place: int = 0) -> dict[str, list[str]]:
    """Style -> steps of the worked solution of one problem of NanoMATH-500, the long chain of thought last.

    The chain has a slip that is noticed and mended, if the problem has an equation to slip in.
    """
    worked = nanomath()[place]
    tries = ([step for step, _ in thinking_steps(worked, random.Random(seed))] for seed in range(200))
    plain = [step for step, _ in thinking_steps(worked)]
    chain = next((steps for steps in tries if len(steps) == len(plain) + 2), plain)
    return {style: write(worked) for style, write in STYLES.items()} | {"thinking": chain}


def right_and_wrong(prm: PRM, policy: str, place: int = 0, seed: int = 0) -> pandas.DataFrame:
    """A PRM's scores of the worked solution of one problem, and of the same with a slip in the middle, step by step.

    Both are in the step style of `policy`; in the plain one of its family if it thinks.
    """
    worked, spec = nanomath()[place], POLICIES[policy]
    style = spec.style if spec.style in STYLES else spec.family
    slip, facts = len(worked.facts) // 2, list(worked.facts)
    facts[slip] = mistake(facts[slip], worked.question, random.Random(seed))
    changed = Worked(worked.subject, worked.level, worked.question, worked.answer, tuple(facts))
    problem = Problem(f"nanomath/{place:03d}", worked.question, worked.answer)
    right, wrong = STYLES[style](worked), STYLES[style](changed)
    paths = [Path(problem, tuple(Step(step + SEPARATOR) for step in steps)) for steps in (right, wrong)]
    scores = loop.run(prm.score(paths))
    return pandas.DataFrame({"right solution": right, "its score": scores[0], "with a slip": wrong, "score": scores[1]})
