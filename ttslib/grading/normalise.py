r"""One spelling for what LaTeX and plain text write in many: wrappers, fonts, separators, fractions, roots, powers."""

import re
from decimal import Decimal

from .brackets import arguments, closing
from .characters import plain
from .spans import EDGE, separate, settle

_FUNCTION = r"(?:(?:arc)?(?:sin|cos|tan|cot)|sec|csc|sinh|cosh|tanh|ln|log|lg|exp|max|min|gcd|lcm|det|lim)"
_MANY = 150  # of one command; a text with more is no answer, and stays as it is
_SIZES = (
    r"left|right|[bB]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits|mathstrut|strut|tiny|small|large"
    r"|Large|LARGE|huge|Huge|bf|rm|it|boldmath|bfseries|normalsize|middle"
)
# Commands with arguments: how many, and which one stays.
_WRAPPERS = {
    **dict.fromkeys(("boxed", "fbox", "framebox", "underline", "underbrace", "bm", "ensuremath"), (1, 0)),
    **dict.fromkeys(("textcolor", "colorbox"), (2, 1)),
    **dict.fromkeys(("color", "phantom", "hphantom", "vphantom", "hspace", "vspace", "tag", "label"), (1, None)),
}
_FONT = re.compile(
    r"text(?:bf|it|rm|normal|sf|tt|up)?|math(?:rm|bf|it|sf|tt|normal|cal|op)|[mh]box|operatorname|emph|boldsymbol"
)
_COMMAND = re.compile(r"\\([a-zA-Z]+)\*?")
_SAME = {
    r"[dtc]frac": r"\frac", r"[dt]binom": r"\binom", r"leqslant|leqq|le": r"\leq ", r"geqslant|geqq|ge": r"\geq ",
    r"ne": r"\neq ", r"lt": "<", r"gt": ">", r"varnothing": r"\emptyset ", r"backslash|smallsetminus": r"\setminus ",
    r"simeq|thickapprox|cong": r"\approx ", r"bigcup": r"\cup ", r"bigcap": r"\cap ", r"wedge|land": " and ",
    r"vee|lor": " or ", r"R|reals|Reals": r"\mathbb{R}", r"[lr]?vert|mid": "|", r"lbrace": r"\{", r"rbrace": r"\}",
    r"lbrack": "[", r"rbrack": "]", r"colon": ":", r"langle": "(", r"rangle": ")", r"ast": r"\cdot ",
    r"varphi": r"\phi ", r"varepsilon": r"\epsilon ", r"vartheta": r"\theta ", r"imath": "i",
    r"[cd]?dots[bcmoi]?": r"\ldots ", r"lg": r"\log ", r"tg": r"\tan ", r"ctg": r"\cot ", r"arctg": r"\arctan ",
    r"top|intercal": "T",
}  # fmt: skip
_RENAMED = [(re.compile(rf"\\(?:{old})(?![a-zA-Z])"), new) for old, new in _SAME.items()]
_SPACES = re.compile(r"(?<!\\)\\[,;:> ~]|\\(?:quad|qquad|thinspace|enspace|medspace|thickspace)(?![a-zA-Z])|~|\s")
_CURRENCIES = {
    "dollars": r"\\text\{\s*\\\$\s*\}|\\\$|\b(?:US ?D?\$|USD)(?=\s*[\d.])",
    "euros": r"€|\\euro(?![a-zA-Z])|\bEUR(?=\s*[\d.])",
    "gbp": r"£|\\pounds(?![a-zA-Z])|\bGBP(?=\s*[\d.])",
    "": r"[¥₹₩₽]|\b(?:INR|Rs\.?)(?=\s*[\d.])",
}
_MONEY = "\ue000\ue001\ue002\ue003"  # stand for the signs while the amounts get their spelling
_ZEROS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_COUNTED = re.compile(rf"(\d+(?:\.\d+)?) ?(\\text\{{ ?)?({'|'.join(_ZEROS)})\b ?(\}})?")
_UNITS = re.compile(r"\\[dt]?frac\{\\(?:text|mathrm)\{ ?(\w+) ?\}\}\{\\(?:text|mathrm)\{ ?(\w+) ?\}((?:\^\{?\d\}?)?)\}")
_SLASHED = re.compile(r"(?<![\w.}/^])(\d+)\s*/\s*(\d+)(?=\s*(?:\\pi|\\sqrt|[a-zA-Z(]))(?!\s*[a-zA-Z]{2})")
_MARKS = r"[-+\s.,/()%:]+"
_LETTERS = re.compile(r"\(?[A-Za-z]\)?(?:\s*(?:,|,?\s*and|,?\s*or)\s+\(?[A-Za-z]\)?|\s*,\s*\(?[A-Za-z]\)?)*")


def normalise(answer: str) -> str:
    r"""A bare answer in the one spelling that the rest of the grader reads: LaTeX with single spaces, all arguments
    in braces, no dollars, boxes, colours, sizes or fonts; ``\text{...}`` only around words.
    """
    text = _signs(separate(plain(answer)))
    text = _UNITS.sub(r"\\text{\1}/\\text{\2}\3", text)
    text = re.sub(rf"\\(?:{_SIZES})(?![a-zA-Z])\.?", "", text)
    if r"\begin" in text:
        text = _environments(text)
    text = _SPACES.sub(" ", text)
    text = re.sub(r"\\not\s*(?:=|\\equiv(?![a-zA-Z]))|!=", r"\\neq ", text)
    for pattern, new in _RENAMED:
        text = pattern.sub(lambda _, new=new: new, text)
    text = _commands(text, 0)
    text = re.sub(r"^\s*\*\*(.*)\*\*\s*$", r"\1", text)
    for step in (_thousands, _plain_text, _arguments, _amounts, settle, _tidy):
        text = step(text)
    return text


def said(text: str) -> str:
    r"""The text with the words of ``\text{...}`` bare among the rest, and single spaces."""
    return " ".join(re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text).split())


def compact(text: str) -> str:
    """Without the spaces that mean nothing: any but those between digits, in words, between a command and a letter."""
    text = re.sub(r"\\text\{[^{}]*\}", lambda m: m.group().replace(" ", "\0"), text)
    text = re.sub(r"(\\[a-zA-Z]+) (?=[a-zA-Z])|(?<=\d) (?=\d)", lambda m: (m.group(1) or "") + "\0", text)
    return text.replace(" ", "").replace("\0", " ")


def _signs(text: str) -> str:
    """Currencies as one sign each, and numbers without what groups or surrounds their digits."""
    for (_, pattern), sign in zip(_CURRENCIES.items(), _MONEY, strict=True):
        text = re.sub(pattern, sign, text)
    text = re.sub(r"(?<=\d),\\!\s*(?=\d{3})", "{,}", text)
    text = re.sub(r"(?<![\d.])[1-9]\d{0,2}(?:\s*\{,\}\s*\d{3})+(?!\d)", lambda m: re.sub(r"[{},\s]", "", m[0]), text)
    return re.sub(r"\$|`|(?<!\\)\"", " ", text).replace(r"\!", "").replace("{,}", ",").replace("{.}", ".")


def _environments(text: str) -> str:
    text = re.sub(r"\\begin\{(?:array|tabular)\}\s*\{[^{}]*\}", r"\\begin{matrix}", text)
    text = re.sub(r"\\end\{(?:array|tabular)\}", r"\\end{matrix}", text)
    for brackets, kind in ((r"[\[(]~[\])]", "pmatrix"), (r"\|~\|", "vmatrix")):
        pattern = brackets.replace("~", r"\s*\\begin\{matrix\}(.*?)\\end\{matrix\}\s*")
        text = re.sub(pattern, rf"\\begin{{{kind}}}\1\\end{{{kind}}}", text, flags=re.S)
    text = re.sub(r"\\(begin|end)\{[bBp]?(?:small)?matrix\}", r"\\\1{pmatrix}", text)
    return re.sub(r"(?:\\\\\s*)+(?=\\end\{)", "", text)


def _commands(text: str, depth: int) -> str:
    """Without wrappers and fonts, whatever they hold."""
    if depth > 8:
        return text
    out, start = [], 0
    for match in _COMMAND.finditer(text):
        font = _FONT.fullmatch(match[1])
        if match.start() < start or not (font or match[1] in _WRAPPERS):
            continue
        count, kept = _WRAPPERS.get(match[1], (1, 0))
        inner, end = arguments(text, match.end(), count)
        if len(inner) < count:
            continue
        out.append(text[start : match.start()])
        start = end
        if font:
            out.append(_font(_commands(inner[0], depth + 1), "".join(out[-2:])))
        else:
            out.append(f" {_commands(inner[kept], depth + 1)} " if kept is not None else " ")
    out.append(text[start:])
    return "".join(out)


def _font(inner: str, before: str) -> str:
    r"""What stands for ``\text{inner}``: mathematics, one letter and lists of letters bare, words as \text."""
    stripped = inner.strip()
    if not stripped:
        return " "
    if re.fullmatch(r"(?:,\s*)?(?:and|or)\s*,?", stripped, re.I):
        return f" {stripped.strip(' ,').lower()} "
    if re.fullmatch(_FUNCTION, stripped) and not (stripped == "min" and re.search(r"[\d}]\s*$", before)):
        return f"\\{stripped} "
    if stripped.lower() == "infinity":
        return r"\infty "
    if measured := re.fullmatch(r"([\d.,/]+)\s+([a-zA-Z][a-zA-Z ]+)", stripped):
        return f" {measured[1]} \\text{{{measured[2]}}} "
    if re.fullmatch(r"[mgslhLKNJWVACF]", stripped) and re.search(r"[\d}/]\s*$", before):
        return f" \\text{{{stripped}}} "  # a unit, not a variable
    formula = re.search(r"[\d=]", stripped) and not re.search(r"[a-zA-Z]{2}", stripped)
    formula = formula or re.search(rf"[\\^{{}}{EDGE}]", stripped)
    if formula or _LETTERS.fullmatch(stripped) or re.fullmatch(_MARKS, stripped):
        return f" {stripped} "
    return f" \\text{{{stripped}}} "


def _thousands(text: str) -> str:
    """Join 12,345,678 and 12 345 678; in ( ) [ ] and sets the first only where ", " shows that "," parts nothing."""
    spaced = ", " in text or ";" in text

    def join(match: re.Match) -> str:
        before = text[: match.start()]
        inside = sum(before.count(open_) - before.count(close) for open_, close in ("()", "[]", ("\\{", "\\}")))
        return match.group() if inside > 0 and not spaced else match.group().replace(",", "")

    text = re.sub(r"(?<![\d,.])[1-9]\d{0,2}(?:,\d{3})+(?![\d,]*\d)", join, text)
    grouped = r"(?<![\w.,])(?<![\d.,] )[1-9]\d{0,2}(?: \d{3})+(?![\d.,]*\d| [\d ]*\d)"
    return re.sub(grouped, lambda match: match.group().replace(" ", ""), text)


def _plain_text(text: str) -> str:
    """LaTeX for what was typed as plain text: sqrt(2), pi, x**2, e^(x+1), x in (1,2) U (3,4)."""
    text = re.sub(r"(?<![\\a-zA-Z])(frac|sqrt|binom)\s*(?=[{(\d])", r"\\\1", text)
    text = re.sub(r"(?<![\\a-zA-Z{])(" + _FUNCTION + r")(?=\s*(?:\(|\d|[a-z]\b|\\|\^|_))", r"\\\1 ", text)
    text = re.sub(r"(?<![a-zA-Z\\])C\((\d+), ?(\d+)\)|(?:\{\})?[_^]\{?(\d+)\}? ?C_\{?(\d+)\}?", _combinations, text)
    text = _braced(_braced(text.replace("**", "^"), r"\sqrt("), "^(")
    text = re.sub(r"(?<![\\a-zA-Z])pi(?![a-zA-Z])", r"\\pi ", text)
    text = re.sub(r"(?<![\\a-zA-Z])(?:infinity|oo|inf)(?![a-zA-Z])", r"\\infty ", text)
    text = re.sub(r"(?<=[\])}])\s*(?:U|union)\s*(?=[\[({\\])", r"\\cup ", text)
    text = re.sub(r"(?<![a-zA-Z])([a-z]) in (?=[\[({\\])", r"\1 \\in ", text)
    return text.replace("<=", r"\leq ").replace(">=", r"\geq ").replace("...", r"\ldots ")


def _combinations(match: re.Match) -> str:
    n, k = filter(None, match.groups())
    return rf"\binom{{{n}}}{{{k}}}" if int(k) <= int(n) else match.group()


def _braced(text: str, opening: str) -> str:
    r"""With braces for the parentheses behind ``\sqrt`` or ``^``."""
    position = text.find(opening)
    while position >= 0:
        start = position + len(opening) - 1
        end = closing(text, start)
        if end > 0:
            text = f"{text[:start]}{{{text[start + 1 : end]}}}{text[end + 1 :]}"
        position = text.find(opening, start + 1)
    return text


def _arguments(text: str) -> str:
    """Braces around every argument: frac12, sqrt2, x^2, a_1; and frac for 1/2, {1 over 2}, {n choose k}."""
    for infix, command in (("over", "frac"), ("choose", "binom")):
        text = re.sub(rf"\{{([^{{}}]*)\\{infix}(?![a-zA-Z])([^{{}}]*)\}}", rf"\\{command}{{\1}}{{\2}}", text)
    text = re.sub(r"\\sqrt\s*(\d+)", r"\\sqrt{\1}", text)  # TeX reads sqrt12 as sqrt(1) 2, its writers do not
    text = re.sub(r"([_^])\s*(-?\d+)", r"\1{\2}", text)
    for command, count in ((r"\frac", 2), (r"\binom", 2), (r"\sqrt", 1), ("^", 1), ("_", 1)):
        text = _with_braces(text, command, count)
    text = re.sub(r"([_^])\{\s*([\w\s]*?)\s*\}", r"\1{\2}", text)
    # 2/3\pi is two thirds of pi; the parser would divide by everything behind the stroke
    text = _SLASHED.sub(r"\\frac{\1}{\2}", text)
    return re.sub(r"(\d\^\{(?! ?\\circ)[^{}]*\}) ?(?=\d)", r"\1\\cdot ", text)


def _with_braces(text: str, command: str, count: int) -> str:
    if text.count(command) > _MANY:
        return text
    pieces = re.split(re.escape(command) + (r"(?![a-zA-Z])" if command.startswith("\\") else ""), text)
    # From the back, so that the arguments of what an argument holds have their braces already.
    done = pieces[-1]
    for piece in reversed(pieces[:-1]):
        index = re.match(r"(?:\s*\[[^\[\]]*\])?" if command == r"\sqrt" else "", done)
        inner, end = arguments(done, index.end(), count)
        braced = "".join(f"{{{each.strip()}}}" for each in inner)
        done = piece + command + index[0].replace(" ", "") + braced + done[end:]
    return done


def _amounts(text: str) -> str:
    """Counting words as zeros, and the currency behind a plain amount, as its unit."""
    text = _COUNTED.sub(_with_zeros, text)
    for name, sign in zip(_CURRENCIES, _MONEY, strict=True):
        if name:
            unit = rf"\g<1> \\text{{{name}}}"
            text = re.sub(rf"{sign} ?(\d*\.?\d+)(?!\.?\d| ?[a-zA-Z\\(*^/+%])", unit, text)
            text = re.sub(rf"(\d) ?{sign}", unit, text)
        text = text.replace(sign, "")
    return text


def _with_zeros(match: re.Match) -> str:
    number, opened, word, closed = match.groups()
    rest = " \\text{" if opened and not closed else "}" if closed and not opened else ""
    return f"{Decimal(number).scaleb(_ZEROS[word]):f}{rest}"


def _tidy(text: str) -> str:
    text = re.sub(r"\^\{\s*\\(?:circ|degree)\s*\}|\\degree(?![a-zA-Z])", r"^\\circ ", text)
    text = re.sub(r"\^\{((?:\\prime ?)+)\}", lambda match: "'" * match[1].count("p"), text)
    text = re.sub(r"(\d+) ?\^\\circ *(\d+)'(?: *(\d+)'')?$", _degrees, text)
    text = re.sub(r"(?<![\w.}/])(\d+) ?(?:\^\{ ?)?(?:\\text\{)?(?:st|nd|rd|th)(?![a-zA-Z])\}{0,2}", r"\1", text)
    text = re.sub(r"\\(?:overline|bar)\s*\{?(\d)\}?(?![\d}])", r"\\overline{\1}", text)
    text = re.sub(r"\\mathbb\s*([A-Z])", r"\\mathbb{\1}", text)
    text = re.sub(r"(?<=[(,\[])\s*\+\s*(?=\\infty)|^\s*\+(?=\s*\\infty)", "", text)
    text = re.sub(r"\\(sin|cos|tan)\^\{-1\}", r"\\arc\1 ", text)
    text = re.sub(r"\s+", " ", text).strip()
    outward = r"^([\[\]])([^][(),]*[,;][^][(),]*)([\[\]])$"  # ]a, b[ for (a, b)
    text = re.sub(outward, lambda m: ("[" if m[1] == "[" else "(") + m[2] + ("]" if m[3] == "]" else ")"), text)
    text = re.sub(r"(?<=[a-zA-Z]{3})!+$", "", text)  # an exclamation, not a factorial
    text = re.sub(r"(?<=[\d}]) ?([kM]?)\\Omega$", r" \\text{\1Omega}", text)
    text = re.sub(r"(?<=\d)'{1,2}$", "", text)  # feet or inches
    text = re.sub(r"^(?:(?:=|\\approx|\\implies|\\Rightarrow|\\therefore|\\to) ?)+(?=.)", "", text)
    return re.sub(r"(?<=\S)[\s.,;:]+$", "", text)


def _degrees(match: re.Match) -> str:
    degrees, minutes, seconds = (int(part or 0) for part in match.groups())
    return rf"\frac{{{3600 * degrees + 60 * minutes + seconds}}}{{3600}}^\circ"
