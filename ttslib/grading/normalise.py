r"""One spelling for what is written in many: Unicode, spacing, fonts, separators, fractions, roots,
relations.
"""

from __future__ import annotations

import re
import unicodedata

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_SYMBOLS = {
    "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": r"\div ", "∞": r"\infty ", "∪": r"\cup ",  # noqa: E501
    "∩": r"\cap ", "∈": r"\in ", "≤": r"\leq ", "⩽": r"\leq ", "≥": r"\geq ", "⩾": r"\geq ", "≠": r"\neq ", "±": r"\pm ",  # noqa: E501
    "∓": r"\mp ", "°": r"^\circ ", "º": r"^\circ ", "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "′": "'", "’": "'",  # noqa: E501
    "“": "", "”": "", "≈": r"\approx ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℕ": r"\mathbb{N}",  # noqa: E501
    "∅": r"\emptyset ", "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "λ": r"\lambda ",  # noqa: E501
    "φ": r"\phi ", "ω": r"\omega ", "∖": r"\setminus ", "∠": r"\angle ", "→": r"\to ", "⟨": r"\langle ", "⟩": r"\rangle ",  # noqa: E501
}  # fmt: skip
_FONT = r"(?:text|textbf|textit|textrm|textnormal|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathtt|mbox|hbox|bf|rm|operatorname|emph|boldsymbol|mathcal)"  # noqa: E501
_FONTS = re.compile(r"\\" + _FONT + r"\*?\s*\{([^{}]*)\}")
_FUNCTION = r"(?:sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|ln|log|exp|max|min|gcd|lcm|det)"
_RENAMED = (
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\[dt]binom(?![a-zA-Z])"), r"\\binom"),
    (re.compile(r"\\(?:leqslant|leqq|le)(?![a-zA-Z])"), r"\\leq "),
    (re.compile(r"\\(?:geqslant|geqq|ge)(?![a-zA-Z])"), r"\\geq "),
    (re.compile(r"\\ne(?![a-zA-Z])|\\not\s*="), r"\\neq "),
    (re.compile(r"\\lt(?![a-zA-Z])"), "<"),
    (re.compile(r"\\gt(?![a-zA-Z])"), ">"),
    (re.compile(r"<="), r"\\leq "),
    (re.compile(r">="), r"\\geq "),
    (re.compile(r"!="), r"\\neq "),
    (re.compile(r"\\varnothing(?![a-zA-Z])"), r"\\emptyset "),
    (re.compile(r"\\(?:backslash|smallsetminus)(?![a-zA-Z])"), r"\\setminus "),
    (re.compile(r"\\(?:simeq|thickapprox|cong)(?![a-zA-Z])"), r"\\approx "),
    (re.compile(r"\\mathbb\s+([A-Z])"), r"\\mathbb{\1}"),
    (re.compile(r"\\(?:R|reals|Reals)(?![a-zA-Z])"), r"\\mathbb{R}"),
    (re.compile(r"\\[lr]?vert(?![a-zA-Z])|\\mid(?![a-zA-Z])"), "|"),
    (re.compile(r"\\lbrace(?![a-zA-Z])"), r"\\{"),
    (re.compile(r"\\rbrace(?![a-zA-Z])"), r"\\}"),
    (re.compile(r"\\lbrack(?![a-zA-Z])"), "["),
    (re.compile(r"\\rbrack(?![a-zA-Z])"), "]"),
    (
        re.compile(
            r"\^\s*\{\s*\\(?:circ|degree)\s*\}|\^\s*\\(?:circ|degree)(?![a-zA-Z])|\\degree(?![a-zA-Z])"
        ),
        r"^\\circ ",
    ),
    (re.compile(r"\\(?:overline|bar)\s*(\d)(?!\d)"), r"\\overline{\1}"),
)
_SPACES = re.compile(
    r"(?<!\\)\\[,;:> ~]|\\(?:quad|qquad|thinspace|enspace|hspace\{[^{}]*\}|phantom\{[^{}]*\})(?![a-zA-Z])|~|\s"  # noqa: E501
)
_DROPPED = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits|mathstrut|strut)(?![a-zA-Z])\.?"
)


def normalise(answer: str) -> str:
    """A bare answer in the one spelling that the rest of the grader reads: LaTeX, single spaces, no
    ``\\left`` or fonts.
    """
    text = _unicode(answer)
    text = re.sub(r"\\\$|[€£¥]|\\(?:euro|pounds)(?![a-zA-Z])", "", text)
    text = re.sub(r"(?<=\d),\\!\s*(?=\d{3})", "", text)
    text = re.sub(r"\\[()]|\\\[|(?<!\\)\\\](?!\s*[,)])|\$|`", " ", text)
    text = text.replace(r"\!", "")
    text = re.sub(r"(?<=\d)\s*\{,\}\s*(?=\d{3}(?!\d))", "", text).replace("{,}", ",")
    text = re.sub(r"(?<=\d)(?:\\[,;: ]|~)(?=\d{3}(?!\d))", "", text)
    text = _DROPPED.sub("", text)
    if r"\begin" in text:
        text = _environments(text)
    text = _SPACES.sub(" ", text)
    for pattern, to in _RENAMED:
        text = pattern.sub(to, text)
    text = _fonts(text)
    text = re.sub(r"^\*\*(.*)\*\*$", r"\1", text.strip())
    text = _thousands(text)
    text = _plain_functions(text)
    text = _fractions_and_roots(text)
    text = re.sub(r"\*\*", "^", text)
    text = re.sub(r"(?<![\\a-zA-Z])pi(?![a-zA-Z])", r"\\pi ", text)
    text = re.sub(r"(?<![\\a-zA-Z])(?:infinity|oo)(?![a-zA-Z])", r"\\infty ", text)
    text = re.sub(r"([_^])\s*(-?\d+|[a-zA-Z])", r"\1{\2}", text)
    text = re.sub(r"([_^])\s*\{\s*([\w\s]*?)\s*\}", r"\1{\2}", text)
    text = re.sub(r"(\d\^\{[^{}]*\}) ?(?=\d)", r"\1\\cdot ", text)
    text = re.sub(r"\+\s*\\infty", r"\\infty", text)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\\(sin|cos|tan)\^\{-1\}", r"\\arc\1 ", text)
    text = re.sub(r"(?<=[a-zA-Z]{3})!+$", "", text)
    return re.sub(r"(?<=\S)[\s.,;:]+$", "", text)


def _thousands(text: str) -> str:
    """Join 12,345,678; inside ( ) [ ] and sets only where ", " shows that a bare comma does not separate."""
    spaced = ", " in text or ";" in text

    def join(match: re.Match) -> str:
        before = text[: match.start()]
        open_ = before.count("(") - before.count(")") + before.count("[") - before.count("]")
        open_ += before.count("\\{") - before.count("\\}")
        return match.group() if open_ > 0 and not spaced else match.group().replace(",", "")

    return re.sub(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,]*\d)", join, text)


def compact(text: str) -> str:
    """The same text without the spaces that mean nothing (one is kept behind a command that a letter
    follows).
    """
    text = re.sub(r"(\\[a-zA-Z]+) (?=[a-zA-Z])", "\\1\0", text)
    return text.replace(" ", "").replace("\0", " ")


def _unicode(text: str) -> str:
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", lambda m: "^{" + m.group().translate(_SUPERSCRIPTS) + "}", text)
    text = re.sub(r"\d*[¼½¾⅐-⅞]", _vulgar, text)
    text = "".join(_SYMBOLS.get(char, char) for char in text)
    text = re.sub(r"√\s*(\d+(?:\.\d+)?|[a-zA-Z]|\\pi)", r"\\sqrt{\1}", text)
    text = re.sub(r"√\s*\(([^()]*)\)", r"\\sqrt{\1}", text).replace("√", r"\sqrt")
    text = unicodedata.normalize("NFKC", text)
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if category == "Nd" and not char.isascii():
            char = str(unicodedata.decimal(char))
        elif category in ("Cf", "So", "Cs", "Co"):
            continue
        elif category == "Cc":
            char = " "
        kept.append(char)
    return "".join(kept)


def _vulgar(match: re.Match) -> str:
    whole, sign = match.group()[:-1], match.group()[-1]
    above, _, below = unicodedata.normalize("NFKC", sign).partition("\u2044")
    return f"{whole}\\frac{{{above}}}{{{below}}}"


def _environments(text: str) -> str:
    text = re.sub(r"\\begin\{array\}\s*\{[^{}]*\}", r"\\begin{array}", text)
    text = re.sub(
        r"[\[(]\s*\\begin\{(?:array|matrix)\}(.*?)\\end\{(?:array|matrix)\}\s*[\])]",
        r"\\begin{pmatrix}\1\\end{pmatrix}",
        text,
        flags=re.S,
    )
    text = re.sub(
        r"\\(begin|end)\{(?:[bBvV]?matrix|smallmatrix)\}",
        lambda m: m.group() if "vmatrix" in m.group().lower() else rf"\{m.group(1)}{{pmatrix}}",
        text,
    )
    text = re.sub(r"^\s*\(\s*(\\begin\{pmatrix\}.*\\end\{pmatrix\})\s*\)\s*$", r"\1", text, flags=re.S)
    return re.sub(r"(?:\\\\\s*)+(?=\\end\{)", "", text)


def _fonts(text: str) -> str:
    """Unwrap ``\\text{...}`` around mathematics or one letter; keep it, as plain \\text, around words."""
    for _ in range(3):
        new = _FONTS.sub(_font, text)
        if new == text:
            break
        text = new
    return text


def _font(match: re.Match) -> str:
    inner = match.group(1).strip()
    if not inner:
        return " "
    if re.fullmatch(r"(?:,\s*)?(?:and|or)\s*,?", inner, re.I):
        return " , "
    if re.fullmatch(_FUNCTION, inner):
        return "\\" + inner + " "
    measured = re.fullmatch(r"([\d.,/]+)\s+([a-zA-Z][a-zA-Z ]+)", inner)
    if measured:
        return f" {measured[1]} \\text{{{measured[2]}}} "
    if re.fullmatch(r"[mgslhLKNJWVACF]", inner) and re.search(r"[\d}]\s*$", match.string[: match.start()]):
        return f" \\text{{{inner}}} " if inner != match.group(1) else match.group(0)  # a unit, not a variable
    if re.fullmatch(r"\(?[a-zA-Z]\)?|[-+\d\s.,/()%:]+", inner):
        return f" {inner} "
    return " \\text{" + inner + "} " if match.group(0) != "\\text{" + inner + "}" else match.group(0)


def _plain_functions(text: str) -> str:
    text = re.sub(r"(?<![\\a-zA-Z])sqrt\s*\(", r"\\sqrt(", text)
    text = re.sub(r"(?<![\\a-zA-Z{])(" + _FUNCTION + r")(?=\s*(?:\(|\d|[a-z]\b|\\|\^|_))", r"\\\1 ", text)
    while True:
        start = text.find(r"\sqrt(")
        if start < 0:
            return text
        depth, end = 0, None
        for position in range(start + 5, len(text)):
            depth += {"(": 1, ")": -1}.get(text[position], 0)
            if depth == 0:
                end = position
                break
        if end is None:
            return text.replace(r"\sqrt(", r"\sqrt (")
        text = f"{text[:start]}\\sqrt{{{text[start + 6 : end]}}}{text[end + 1 :]}"


def _fractions_and_roots(text: str) -> str:
    text = re.sub(r"\\sqrt\s+(?=[{\[\da-zA-Z\\])", r"\\sqrt", text)
    text = re.sub(r"\\sqrt(\d+|[a-zA-Z]|\\pi)(?![a-zA-Z])", _root, text)
    text = re.sub(r"\\frac\s+", r"\\frac", text)
    text = re.sub(r"\\frac([\da-zA-Z])\s*([\da-zA-Z])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac([\da-zA-Z])\s*(?=\{)", r"\\frac{\1}", text)
    text = re.sub(r"(\\frac\s*\{[^{}]*\})\s*([\da-zA-Z])", r"\1{\2}", text)
    return re.sub(r"(\\frac\s*\{[^{}]*\})\s+\{", r"\1{", text)


def _root(match: re.Match) -> str:
    # TeX takes one token: \sqrt12 is sqrt(1) 2; models that write it mean sqrt(12).
    return "\\sqrt{" + match.group(1) + "}"
