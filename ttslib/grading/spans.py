r"""What stands apart in an answer stays apart: math spans, gaps, line breaks, the rows of an environment.

``separate`` marks where pieces meet before anything is dropped; ``settle`` says at the end, when the pieces have their
spelling, which marks part two values and which only set off a sign, a word or a unit.
"""

import re

EDGE, GAP = "\ue010", "\ue011"  # where a span begins or ends; where two pieces stand side by side
_MATH = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$(?=\S)([^$]*?)(?<=[^\s\\])\$(?!\d)", re.S)
_ESCAPED = re.compile(
    r"\\\\(?=(?:[dtc]?frac|sqrt|text\w*|mbox|pi|cdot|times|left|begin|infty|pm|cup|in|[lg]eq?|log|ln|boxed)(?![a-zA-Z]))"
)
_HEIGHT = re.compile(r"\\\\\s?\[[-\d.]+ ?[a-z]{2}\]")
_BREAK = re.compile(
    r"\\\\|\\(?:quad|qquad|newline|linebreak|par|cr|hfill)(?![a-zA-Z])|\\[hv]space\*?\{[^{}]*\}|\\hskip[^a-z]*[a-z]{2}|[\n&]"
)
_ENVIRONMENT = re.compile(
    r"(?:\\left\s*\\\{\s*)?\\begin\{(?P<name>\w+\*?)\}(?:\[\w\])?(?P<body>.*?)\\end\{(?P=name)\}(?:\s*\\right\s*\.)?",
    re.S,
)
_LINES = re.compile(r"(?:align|aligned|alignedat|gather|gathered|split|eqnarray|multline|equation)\*?")
_TABLES = ("array", "tabular", "matrix", "cases", "dcases")
_RELATION = r"=|<|>|\\(?:leq?|geq?|neq?|lt|gt|approx|equiv|in|to|Rightarrow|implies)(?![a-zA-Z])"
_OPERATOR = rf"{_RELATION}|[+*/^_,;:|&]|\\(?:cdot|times|div|pm|mp|cup|cap|setminus)(?![a-zA-Z])"
_WORD = r"(?<![a-zA-Z])(?:and|or)(?![a-zA-Z])"
_GOES_ON = re.compile(rf"(?:{_OPERATOR}|[-(\[{{]|{_WORD}|^\W*[A-J][.)]|^\(?\\text\{{\(?[A-J]\)?\}}\)?)$")
_CONTINUES = re.compile(
    rf"{_OPERATOR}|-\s|[)\]}}!%']|{_WORD}|\\(?:pmod|text|right)(?![a-zA-Z])|\( ?(?:\\text\{{ ?)?mod\b"
)


def separate(text: str) -> str:
    """The text without math delimiters and line breaks, with a mark wherever pieces meet."""
    text = _HEIGHT.sub(r"\\\\", text)
    if not re.search(r"(?<!\\)\\[a-zA-Z]{2}", text):
        text = _ESCAPED.sub(r"\\", text)  # every backslash was escaped once more
    text = _MATH.sub(lambda match: EDGE + next(filter(None, match.groups())) + EDGE, text)
    text = re.sub(r"(?<!\\)\\(?:[()\[]|\](?!\s*[,)]))", EDGE, text)
    text = re.sub(rf"{EDGE}\s*{EDGE}", GAP, text)
    if re.match(r"\s*\([aAi1]\)\s", text):
        text = re.sub(r"\s(?=\((?:[b-hB-H]|i{1,3}|[2-9])\)\s)", GAP, text)  # the parts (a), (b), (c)
    pieces, end = [], 0
    for found in _ENVIRONMENT.finditer(text):
        pieces += [_BREAK.sub(GAP, text[end : found.start()]), _rows(found)]
        end = found.end()
    return "".join([*pieces, _BREAK.sub(GAP, text[end:])])


def _rows(found: re.Match) -> str:
    """The lines of an environment as pieces that stand apart; a matrix, and a function by cases, as it is."""
    name, body = found["name"], found["body"]
    table = name in _TABLES and bool(re.search(_RELATION, body)) and not (name.endswith("cases") and "&" in body)
    if not table and not _LINES.fullmatch(name):
        return found.group().replace("\n", " ")
    if name in ("array", "tabular", "alignedat"):
        body = re.sub(r"^\s*\{[^{}]*\}", "", body)
    return GAP + re.sub(r"\\\\|\n", GAP, body.replace("&", " ")) + GAP


def settle(text: str) -> str:
    """Normalised text with "; " for the marks that part two values, and a space for the others."""
    pieces = re.split(rf"[\s{EDGE}]*{GAP}[\s{EDGE}{GAP}]*", text)
    done = pieces[0]
    for piece in pieces[1:]:
        inside = sum(map(done.count, "([{")) > sum(map(done.count, ")]}"))
        apart = done.strip() and piece and not (inside or _GOES_ON.search(done) or _CONTINUES.match(piece))
        done += ("; " if apart else " ") + piece
    return done.replace(EDGE, " ")
