r"""The symbolic comparison of two formulas, on math-verify. Runs in the grading process only: it may take
forever.
"""

from __future__ import annotations

import re

_DEGREE = re.compile(r"(\d+(?:\.\d+)?)\^\\circ")
_RELATION = re.compile(r"\\leq|\\geq|\\neq|<|>|=")


def hopeless(text: str) -> bool:
    """Towers of powers, long factorials and powers, huge sums, code: not worth starting on."""
    if len(text) > 800:
        return True
    if re.search(r"lambda|import|__|\\input|\\def\b|\\write|[;@#\"`]", text):
        return True
    if re.search(r"\d{6,}!|!\)*!|\)!\)!", text) or re.search(r"\d{5,}\)?\}?!", text):
        return True
    depth = deepest = 0
    opened: list[bool] = []
    for position, char in enumerate(text):
        if char == "{":
            power = position > 0 and text[position - 1] == "^"
            opened.append(power)
            depth += power
            deepest = max(deepest, depth)
        elif char == "}" and opened:
            depth -= opened.pop()
    nested = deepest >= 2 and re.search(r"\^\{[^{}]*\^", text)
    if nested and (deepest >= 3 or re.search(r"\d\^\{\(?\d+\^", text)):
        return True
    if (
        re.search(r"\d\^\{?\([^()]*\d\^|(?:\^\{\d+\}){2,}", text)
        or re.search(r"\^\{?\(?-?\d{5,}", text)
        or re.search(r"(?:\^\(?\d+){3,}", text)
    ):
        return True
    if re.search(r"\\(?:sum|prod)", text) and re.search(r"\d{5,}", text):
        return True
    return text.count("(") > 60 or text.count("{") > 120 or bool(re.search(r"\d{400,}", text))


def compare(gold: str, answer: str, sets: bool) -> bool:
    """Whether two LaTeX formulas are equal, to 12 decimals where they are numbers. Any failure is a False."""
    if hopeless(gold) or hopeless(answer):
        return False
    imaginary = bool(re.search(r"(?<![a-zA-Z\\])i(?![a-zA-Z])|sqrt\{-", gold + " " + answer))
    left, right = read(gold, sets, imaginary), read(answer, sets, imaginary)
    if left is None or right is None:
        return False
    import sympy

    if sets:
        left, right = _as_set(left), _as_set(right)
        if left is None or right is None:
            return False
        return left == right or sympy.simplify(left) == sympy.simplify(right)
    numeric = _numbers(left, right)
    if numeric is not None:
        return numeric
    if _RELATION.search(gold) and _RELATION.search(answer):
        return _same_relation(left, right) or _verify(left, right)
    if not _RELATION.search(gold + answer) and isinstance(left, sympy.Expr) and isinstance(right, sympy.Expr):
        if left.free_symbols != right.free_symbols and left.free_symbols and right.free_symbols:
            simple = sympy.simplify(left - right)
            return simple == 0
        quick = _probe(left, right)
        if quick is not None:
            return quick
    return _verify(left, right)


def _verify(left, right) -> bool:
    from math_verify import verify

    return bool(
        verify(left, right, float_rounding=12, numeric_precision=20, strict=True, timeout_seconds=None)
    )


def read(latex: str, sets: bool = False, imaginary: bool = False):
    """A sympy object for a LaTeX formula (or a set, for intervals, unions and inequalities), None if it is
    not readable.
    """
    if sets:
        return _read_set(latex)
    import sympy
    from latex2sympy2_extended.latex2sympy2 import NormalizationConfig, latex2sympy
    from math_verify.grader import should_treat_as_complex

    latex = _DEGREE.sub(r"(\\frac{\1\\pi}{180})", latex)
    config = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none"
    )
    real = not (imaginary or should_treat_as_complex(latex))
    try:
        value = latex2sympy(latex, is_real=real, convert_degrees=False, normalization_config=config)
        if not real and not re.search(r"\\(?:sum|prod)|_\{?i|i_", latex):
            value = value.subs({symbol: sympy.I for symbol in value.free_symbols if symbol.name == "i"})
        return value
    except Exception:  # whatever the parser raises, the text is not a formula
        return None


def _numbers(left, right) -> bool | None:
    """Compare two numbers (exactly if both are rational, else to 12 significant digits); None if one is
    not a number.
    """
    import sympy

    if not (isinstance(left, sympy.Expr) and isinstance(right, sympy.Expr)):
        return None
    if left.free_symbols or right.free_symbols:
        return (
            None
            if left.free_symbols and right.free_symbols
            else (None if left.free_symbols | right.free_symbols else False)
        )
    left, right = left.doit(), right.doit()
    for bad in (sympy.nan, sympy.zoo):
        if left.has(bad) or right.has(bad):
            return False
    if left.is_Rational and right.is_Rational:
        return left == right
    if left.is_infinite or right.is_infinite:
        return left == right
    a, b = sympy.N(left, 25), sympy.N(right, 25)
    if not (a.is_number and b.is_number):
        return None
    try:
        a, b = complex(a), complex(b)
    except (TypeError, OverflowError):
        return None
    size = max(abs(a), abs(b))
    if size == float("inf"):
        return None
    exact = not (left.has(sympy.Float) or right.has(sympy.Float))
    return abs(a - b) <= (1e-13 if exact else 1e-12) * max(size, 1e-300)


def _probe(left, right) -> bool | None:
    """Compare two formulas at fixed points, some negative, to 20 digits: quicker and surer than
    simplification.

    None where that cannot tell: absolute values and the like agree on whole regions, and some points give
    no number.
    """
    import sympy

    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    if not symbols or len(symbols) > 8:
        return None
    agreed = 0
    for start, step in (
        (1.37, 0.317),
        (0.61, 0.831),
        (2.83, 0.173),
        (5.19, 1.27),
        (-1.43, 0.339),
        (-3.77, -0.417),
    ):
        point = {
            symbol: sympy.Rational(str(start)) + i * sympy.Rational(str(step))
            for i, symbol in enumerate(symbols)
        }
        try:
            a, b = sympy.N(left.subs(point), 30), sympy.N(right.subs(point), 30)
            usable = a.is_number and b.is_number and a.is_finite and b.is_finite
        except (TypeError, ValueError, OverflowError, AttributeError, RecursionError):
            return None
        if not usable:
            continue
        if start < 0 and not (a.is_real and b.is_real):
            continue
        if abs(a - b) > sympy.Float("1e-15") * (abs(a) + abs(b)):
            return False
        agreed += 1
    steps = (
        sympy.Abs,
        sympy.Min,
        sympy.Max,
        sympy.sign,
        sympy.Piecewise,
        sympy.floor,
        sympy.ceiling,
        sympy.Mod,
    )
    if agreed < 3 or left.has(*steps) or right.has(*steps):
        return None
    return True


def _same_relation(left, right) -> bool:
    """Two equations are one if their differences of sides are proportional by a number."""
    import sympy

    if not (isinstance(left, sympy.Eq) and isinstance(right, sympy.Eq)):
        return False
    a, b = sympy.expand(left.lhs - left.rhs), sympy.expand(right.lhs - right.rhs)
    if a == 0 or b == 0 or a.free_symbols != b.free_symbols:
        return False
    ratio = sympy.simplify(a / b)
    return bool(ratio.is_number and ratio.is_nonzero and not ratio.has(sympy.nan, sympy.zoo))


def _read_set(latex: str):
    import sympy

    for command, join in (
        ("\\cup", sympy.Union),
        ("\\cap", sympy.Intersection),
        ("\\setminus", sympy.Complement),
    ):
        parts = _cut(latex, command)
        if len(parts) > 1:
            sets = [_read_set(part) for part in parts]
            if any(part is None for part in sets):
                return None
            return (
                join(*sets)
                if join is not sympy.Complement
                else sympy.Complement(sets[0], sympy.Union(*sets[1:]))
            )
    latex = latex.strip()
    domain = re.fullmatch(r"\\mathbb\{([RZNQ])\}", latex)
    if domain:
        return {"R": sympy.S.Reals, "Z": sympy.S.Integers, "N": sympy.S.Naturals, "Q": sympy.S.Rationals}[
            domain[1]
        ]
    if latex == r"\emptyset":
        return sympy.S.EmptySet
    finite = re.fullmatch(r"\\\{(.*)\\\}", latex)
    if finite:
        values = [read(part) for part in _cut(finite[1], ",")]
        return None if any(value is None for value in values) else sympy.FiniteSet(*values)
    bounds = re.fullmatch(r"([(\[])(.*)([)\]])", latex)
    if bounds:
        ends = [read(part) for part in _cut(bounds[2], ",")]
        if len(ends) == 1 and bounds[1] == "(":
            return _read_set(bounds[2])
        if len(ends) != 2 or any(end is None or not getattr(end, "is_extended_real", False) for end in ends):
            return None
        if (bounds[1] == "[" and ends[0].is_infinite) or (bounds[3] == "]" and ends[1].is_infinite):
            return None
        return sympy.Interval(*ends, bounds[1] == "(", bounds[3] == ")")
    if _RELATION.search(latex):
        return _solution_set(latex)
    return None


def _solution_set(latex: str):
    """The interval of "a < x \\leq b", "x > a" or "a \\leq x"; None for anything less plain."""
    import sympy

    parts = re.split(r"(\\leq|\\geq|<|>)", latex)
    sides, signs = parts[::2], parts[1::2]
    names = [i for i, side in enumerate(sides) if re.fullmatch(r"\s*[a-zA-Z](?:\([a-z]\))?\s*", side)]
    if len(sides) not in (2, 3) or len(names) != 1 or (len(sides) == 3 and names != [1]):
        return None
    result = sympy.S.Reals
    for i, sign in enumerate(signs):
        name_left = names[0] == i
        bound = read(sides[i + 1] if name_left else sides[i])
        if bound is None or not getattr(bound, "is_extended_real", False):
            return None
        below = (sign in ("<", "\\leq")) == name_left
        strict = sign in ("<", ">")
        part = (
            sympy.Interval(-sympy.oo, bound, True, strict)
            if below
            else sympy.Interval(bound, sympy.oo, strict, True)
        )
        result = result.intersect(part)
    return result


def _as_set(value):
    import sympy

    return value if isinstance(value, sympy.Set) else None


def _cut(text: str, separator: str) -> list[str]:
    parts, depth, start, position = [], 0, 0, 0
    while position < len(text):
        if text[position] in "([{":
            depth += 1
        elif text[position] in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith(separator, position):
            parts.append(text[start:position])
            start = position = position + len(separator)
            continue
        position += 1
    parts.append(text[start:])
    return parts
