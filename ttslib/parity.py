r"""The answer that the paper's code would find in a text, for votes beside its own: see `Results.parity`. Nothing else
should use it: it guesses, `grading.extract_answer` does not.

That code follows the Qwen2.5-Math evaluator: it takes what stands between "final answer is $" and "$. I hope"; else
what the last box holds, to the end of the text if the box is never closed; else what follows the last "answer is"; else
the last number. Then it respells the answer, and votes compare spellings. Left out here are its list of units that
stand outside ``\text`` (which also removes words like "a" and "more"), numbers written as words, j for i, and Chinese.
"""

from __future__ import annotations

import re

_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d*\.?\d+")
# In this order. No pattern takes more than linear time.
_RESPELL = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"\\begin\{array\}\{[^{}]*\}", r"\\begin{pmatrix}"),
        (r"\\end\{array\}", r"\\end{pmatrix}"),
        (r"bmatrix", "pmatrix"),
        (r"\\[td]frac", r"\\frac"),
        (r"\\(ne|le|ge)q", r"\\\1"),
        (r"\\!|\\left|\\right", ""),
        (r"\\([{}])", r"\1"),
        (r"(?<=.)\\text\{[^{}]*\}$", ""),  # a unit at the end
        (r"\^(?:\{\\circ\}|\\circ)|\\?\$|\\[()]|\\?%", ""),
        (r"\\text\{([^{}]*)\}", r"\1"),
        (r"[xyz](?:=|\\in|\\to)", ""),
        (r"(?<=[ {])\.|^\.", "0."),
        (r"\\?\binf(?:inity)?\b", r"\\infty"),
        (r"and|\\mathbf|\\mbox\{[^{}]*\}", ""),
        (r"(?<=\d)\.0*(?!\d)", ""),  # 3.00
        (r"^[^=]{0,2}=([^=]*)$", r"\1"),  # k = 5
        (r"\\sqrt(\w+)", r"\\sqrt{\1}"),
        (r" ", ""),
        (r"\\frac(\w)(\w)", r"\\frac{\1}{\2}"),
        (r"\\frac(\w)\{", r"\\frac{\1}{"),
    )
)


def extract_answer(text: str) -> str | None:
    """The answer as the paper's code spells it, None where it has the empty string. Linear in the text's length."""
    text = text.replace("ки", "")
    if "final answer is $" in text and "$. I hope" in text:
        found = text.split("final answer is $", 1)[1].split("$. I hope", 1)[0]
    elif "boxed" in text:
        found = _box(text.rpartition("boxed")[2])
    elif phrase := next((said for said in ("he answer is", "final answer is") if said in text), None):
        found = text.rpartition(phrase)[2]
    else:
        found = next(reversed(_NUMBER.findall(text.replace(",", ""))), "")
    found = re.sub(r"\n\s*", "", found.strip()).removeprefix(":").removesuffix(".").removesuffix("/")
    return _respelled(found.strip().rstrip(".")) or None


def _box(after: str) -> str:
    """What a box holds, given the text from its brace on; without a brace, all up to the next dollar."""
    if not after.startswith("{"):
        return after.split("$", 1)[0]
    depth = 0
    for brace in re.finditer(r"[{}]", after):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return after[1 : brace.start()]
    return after[1:]


def _respelled(answer: str) -> str:
    for pattern, to in _RESPELL:
        answer = pattern.sub(to, answer)
    parts = answer.split("/")
    if len(parts) == 2 and all("sqrt" in part or _INTEGER.fullmatch(part) for part in parts):
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    return answer
