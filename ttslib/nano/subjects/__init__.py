"""The subjects of NanoMATH, one a file. To add one, write its file and name it here."""

import random
from collections.abc import Callable

from ttslib.nano.subjects.aime import aime
from ttslib.nano.subjects.arithmetic import arithmetic
from ttslib.nano.subjects.base import Worked
from ttslib.nano.subjects.decimals import decimals
from ttslib.nano.subjects.equations import equations
from ttslib.nano.subjects.expressions import expressions
from ttslib.nano.subjects.fractions import fractions
from ttslib.nano.subjects.geometry import geometry
from ttslib.nano.subjects.intervals import intervals
from ttslib.nano.subjects.percents import percents
from ttslib.nano.subjects.probability import probability
from ttslib.nano.subjects.radicals import radicals
from ttslib.nano.subjects.remainders import remainders
from ttslib.nano.subjects.sets import sets
from ttslib.nano.subjects.units import units

__all__ = ["AIME", "LEVELS", "SUBJECTS", "Subject", "Worked"]

Subject = Callable[[random.Random, int], Worked]
LEVELS = (1, 2, 3, 4, 5)
SUBJECTS: tuple[Subject, ...] = (
    arithmetic, equations, fractions, geometry, intervals, radicals, expressions, remainders, decimals, sets, percents,
    units, probability,
)
AIME: Subject = aime
