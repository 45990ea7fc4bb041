r"""Left-hand sides: what only names an answer, as the x of "x = 5", and what is an expression in names."""

from __future__ import annotations

import re

from .normalise import compact

SYMBOL = r"(?:[a-zA-Z]|\\(?:alpha|beta|gamma|theta|phi|omega|lambda|mu|sigma|rho|[dD]elta))(?:_\{\w+\})?'*"
_DECORATION = re.compile(
    r"\\(?:over(?:line|rightarrow)|vec|(?:wide)?hat|bar|(?:measured)?angle|triangle)(?![a-zA-Z]) ?"
)
_NAME = re.compile(
    rf"m?\|{{0,2}}\[?\{{?(?:[A-Z]{{1,3}}|[a-z])(?:_\{{\w+\}})?'*\}}?\]?\|{{0,2}}|{SYMBOL}|\\text\{{[^{{}}]*\}}[A-Z]*"
    r"|[a-zA-Z](?:_\{\w+\})?(?:\^\{-1\})?'*\((?:[\w,+\-.|()]|\\frac\{\d+\}\{\d+\}|\\pi)*\)|P\([^()]*\)"
    r"|\\frac(?:\{[A-Za-z]{1,3}(?:_\{\w+\})?\}){2}|[A-Z]{1,3}/[A-Z]{1,3}"
    r"|[A-Za-z]+(?:_\{\w+\})?(?::[A-Za-z]+(?:_\{\w+\})?)+"
)


def is_name(text: str) -> bool:
    """Whether a left-hand side only names the answer: x, f(x), AB, |AB|, A:B, (p, q), angle ABC."""
    tight = compact(_DECORATION.sub("", text))
    if tight[:1] == "(" and tight[-1:] == ")":
        return all(re.fullmatch(SYMBOL, part) for part in tight[1:-1].split(","))
    if tight.startswith(r"\begin{pmatrix}"):
        return all(re.fullmatch(SYMBOL, part) for part in re.split(r"\\\\|&", tight[15:-13]))
    return bool(_NAME.fullmatch(tight)) and tight not in ("e", "i")


def is_quantity(text: str) -> bool:
    """Whether a left-hand side is an expression in names, such as a + b or x^2 + y^2: no numbers but powers."""
    bare = re.sub(r"[\^_]\{[^{}]*\}|\\(?:frac|sqrt|cdot|times|overline|angle|text)(?![a-z])", " ", text)
    return bool(re.search(r"[a-zA-Z]", bare)) and not re.search(r"\d|\\(?!alpha|beta|gamma|theta|phi|triangle)", bare)
