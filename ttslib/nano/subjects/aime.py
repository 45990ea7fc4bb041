"""NanoAIME: the answer of another subject's hard problem turned into a whole number below 1,000, as AIME asks for it.

"The answer is m/n in lowest terms; find 10m + n." The last step is the only one with numbers above 99.
"""

import random
import re
from dataclasses import replace

from ttslib.nano.subjects.base import Worked
from ttslib.nano.subjects.fractions import fractions
from ttslib.nano.subjects.geometry import geometry
from ttslib.nano.subjects.intervals import intervals
from ttslib.nano.subjects.probability import probability
from ttslib.nano.subjects.radicals import radicals

FORMS = {
    fractions: ("\\frac{m}{n}", r"\\frac\{(\d+)\}\{(\d+)\}"),
    probability: ("\\frac{m}{n}", r"\\frac\{(\d+)\}\{(\d+)\}"),
    geometry: ("(m, n)", r"\((\d+), (\d+)\)"),
    intervals: ("from m to n", r"[(\[](\d+), (\d+)[)\]]"),
    radicals: ("m\\sqrt{n}", r"(\d+)\\sqrt\{(\d+)\}"),
}


def aime(rng: random.Random, level: int) -> Worked:
    """A problem of `level` whose answer has two parts, and one step more."""
    while True:
        subject = rng.choice(list(FORMS))
        inner = subject(rng, level)
        form, pattern = FORMS[subject]
        found = re.fullmatch(pattern, inner.answer)
        if not found or (value := 10 * int(found[1]) + int(found[2])) > 999:
            continue
        question = f"{inner.question} It is {form}: find 10m + n."
        fact = f"10*{found[1]}+{found[2]}={value}"
        return replace(inner, subject="aime", question=question, answer=str(value), facts=(*inner.facts, fact))
