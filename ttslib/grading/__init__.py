r"""Grading: find the final answer in a text, and say whether it equals the gold answer.

``extract_answer(text)`` gives the last balanced ``\boxed{}`` or what a closing phrase announces. ``verdict(gold,
answer)`` compares: spelling, structure and exact numbers here, everything symbolic by math-verify in a process that can
be killed; it is True, False, or None if its computing time ran out, ``verdicts`` decides many pairs at once, and
``equivalent`` is whether the verdict is True. ``canonical(answer)`` gives the key under which common equal forms vote
together. None of them raises on any input, and none evaluates model output as code. ``remember(path)`` names a file in
which verdicts outlive the process.
"""

from .equivalence import canonical, equivalent, verdict, verdicts
from .extract import extract_answer
from .memory import remember

__all__ = ["canonical", "equivalent", "extract_answer", "remember", "verdict", "verdicts"]
