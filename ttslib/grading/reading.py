r"""Reading LaTeX with the parser of math-verify. In the grading process only: it may take forever."""

import re
from functools import lru_cache

import sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, NormalizationConfig, latex2sympy
from math_verify.grader import should_treat_as_complex

_IMAGINARY = re.compile(r"(?<![a-zA-Z\\])i(?![a-zA-Z])|(?<=\d)i|\\sqrt\{-")
_INDEX = re.compile(r"\\(?:sum|prod)|_\{?i|i_")  # here i counts
_DEGREE = re.compile(r"(\d+(?:\.\d+)?|\\frac\{\d+\}\{\d+\}|\([^()]*\))\^\\circ")
_DECIMAL = re.compile(r"(?<![\d.])(\d*)\.(\d+)")
_READING = NormalizationConfig(basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none")
_CONFIGS = dict(normalization_config=_READING, conversion_config=ConversionConfig(lowercase_symbols=False))


def imaginary(latex: str) -> bool:
    """Whether the formula is about complex numbers, so that its symbols are not to be taken for real ones."""
    return bool(_IMAGINARY.search(latex)) or should_treat_as_complex(latex)


@lru_cache(maxsize=2000)  # parsing is nearly all of a comparison, and a vote compares each answer with many
def read(latex: str, complex_: bool = False):
    """The sympy object of normalised LaTeX, decimals as fractions; None where it is not readable."""
    latex = _DEGREE.sub(r"(\1\\cdot\\frac{\\pi}{180})", latex)
    latex = _DECIMAL.sub(lambda m: rf"(\frac{{{m[1]}{m[2]}}}{{{10 ** len(m[2])}}})", latex)
    try:
        value = latex2sympy(latex, is_real=not complex_, convert_degrees=False, **_CONFIGS)
        if not complex_:
            return _real_roots(value)
        if not _INDEX.search(latex):
            value = value.subs({symbol: sympy.I for symbol in value.free_symbols if symbol.name == "i"})
    except MemoryError:
        raise
    except Exception:  # the parser raises whatever it likes
        return None
    return value


def _real_roots(value):
    """With the real odd roots of negative numbers: the cube root of -8 is -2."""
    if not isinstance(value, sympy.Expr) or value.free_symbols or not value.has(sympy.Pow):
        return value
    return value.doit().replace(
        lambda part: part.is_Pow and part.base == -1 and part.exp.is_Rational and part.exp.q % 2 == 1,
        lambda part: sympy.Integer(-1) ** part.exp.p,
    )
