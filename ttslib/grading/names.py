r"""What stands in front of an answer: a name, as the x of "x = 5", a label, or an expression in names."""

import re

from .normalise import compact

GREEK = r"\\(?:alpha|beta|gamma|theta|phi|psi|omega|lambda|mu|sigma|rho|tau|epsilon|[dD]elta|Omega|Gamma|Sigma)"
SYMBOL = rf"(?:[a-zA-Z]|{GREEK})(?:_\{{(?:\w+|\\text\{{\w+\}}|\\(?:max|min) ?)\}})?'*"
_DECORATED = re.compile(rf"\\(?:over(?:line|rightarrow)|vec|(?:wide)?hat|bar)(?![a-zA-Z]) ?\{{?({GREEK}|[a-zA-Z]*)\}}?")
_ANGLE = re.compile(r"\\(?:(?:measured)?angle|triangle)(?![a-zA-Z]) ?")
# A function, a size or an inverse of points, angles, sets and matrices is what was asked for; of an unknown it is not.
_OBJECT = rf"(?:[A-Z]{{1,3}}|{GREEK})(?:_\{{\w+\}})?'*"
_OBJECTS = rf"{_OBJECT}(?:(?:\\(?:cup|cap|setminus|times) ?|[-+,]){_OBJECT})*"
_NAME = re.compile(
    rf"m?\[?\{{?(?:[A-Z]{{1,3}}|[a-z])(?:_\{{\w+\}})?'*\}}?\]?|{SYMBOL}|\\text\{{[^{{}}]*\}}[A-Z]*"
    r"|[a-zA-Z](?:_\{\w+\})?(?:\^\{-1\})?'*\((?:[\w,+\-.|()]|\\frac\{\d+\}\{\d+\}|\\pi)*\)|[Pn]\([^()]*\)"
    r"|\\frac(?:\{[A-Za-z]{1,3}(?:_\{\w+\})?\}){2}|[A-Z]{1,3}/[A-Z]{1,3}"
    r"|[A-Za-z]+(?:_\{\w+\})?(?::[A-Za-z]+(?:_\{\w+\})?)+"
    rf"|\\(?:det|sin|cos|tan|cot|sec|csc|dim|arg)[ (]?{_OBJECTS}\)?|\\text\{{\w+\}}\({_OBJECTS}\)"
    rf"|\\(?:gcd|lcm|max|min)(?:\(\w+(?:,\w+)+\))?|\|{_OBJECTS}\||\\\|\w+\\\||{_OBJECT}\^\{{(?:-1|T)\}}"
)
_LABEL = re.compile(
    r"(?i)\\text\{([^{}]*?)(?:[:=]|\b(?:is|are|equals|equal to|was):?) ?\}(?=.)"
    r"|([A-Za-z][A-Za-z' ]*?)(?: (?:is|are|equals|was)|(?<=[a-z]{3}):) ?(?=[-+\d\\(\[]|[a-z] ?=)"
)
_SAYS_NOTHING = re.compile(
    r"(?:(?:the|an?|of|final|correct|answers?|ans|results?|values?|solutions?|roots?|it|that|there|this|so) ?)*", re.I
)


def label(text: str) -> tuple[str, str]:
    r"""(label, what it is put on) of "the slope is -1" or "\text{Area: } 5"; ("", text) where nothing is a label."""
    match = _LABEL.match(text)
    if not match or re.search(r"\b(?:no|not|none|never|neither|nor|if|lambda)\b", match[0], re.I):
        return "", text
    said = (match[1] or match[2] or "").strip()
    return ("" if _SAYS_NOTHING.fullmatch(said) else f"\\text{{{said}}}"), text[match.end() :].strip()


def is_name(text: str) -> bool:
    """Whether a left-hand side only names the answer: x, f(x), AB, |AB|, A:B, det A, (p, q), angle ABC."""
    tight = compact(_bare(text))
    if several := re.fullmatch(r"\((.*)\)|\\begin\{pmatrix\}(.*)\\end\{pmatrix\}", tight):
        return all(re.fullmatch(SYMBOL, part) for part in re.split(r",|\\\\|&", several[1] or several[2] or ""))
    return bool(_NAME.fullmatch(tight)) and tight not in ("e", "i")


def same_name(one: str, other: str) -> bool:
    """Whether two names may stand for the same thing: they are the same, or the y and the f(x) of one function."""
    one, other = (re.sub(r"(?i:\\text|[{}\s|]|\bthe\b)|^m(?=[A-Z])", "", _bare(name)) for name in (one, other))
    if one == other or (len(one) > 2 and one.lower() == other.lower()):
        return True
    bare, called = sorted((one, other), key=len)
    return re.fullmatch(r"\w\(\w\)", called) is not None and bare in ("y", called[0])


def is_quantity(text: str) -> bool:
    """Whether a left-hand side is an expression in several names, such as a + b or x^2 + y^2, which no equation for one
    of them could be meant by: no numbers but powers.
    """
    commands = r"\\(?:frac|sqrt|cdot|times|overline|angle|triangle|text)(?![a-z])"
    bare = re.sub(rf"\^\{{[^{{}}]*\}}|{commands}|(?<=[a-zA-Z])\([a-z]\)", " ", text)
    return len(set(re.findall(SYMBOL, bare)) - {"e", "i"}) > 1 and not re.search(r"[\d\\]", re.sub(SYMBOL, "", bare))


def symbols(text: str) -> set[str]:
    """The letters in a formula that may be names: all but those of commands, e and i."""
    letters = re.sub(r"\\(?:begin|end)\{\w+\}|\\[a-zA-Z]+", " ", text)
    return {*re.findall(GREEK, text), *re.findall(r"[a-zA-Z]", letters)} - {"e", "i"}


def _bare(name: str) -> str:
    """Without decorations; a decorated letter is an object, as a capital is."""
    return _ANGLE.sub("", _DECORATED.sub(lambda match: match[1] if "\\" in match[1] else match[1].upper(), name))
