r"""The symbolic comparison of two formulas, on math-verify. In the grading process only: it may take forever."""

import sympy
from math_verify import verify
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from .limits import hopeless
from .numbers_exact import rounding
from .reading import imaginary, read
from .sets import same_set, same_solutions

_PRECISION = 60  # digits of an evaluation
_EXACT = 1e-45  # relative difference that rounding in it may leave
# Places where two formulas are compared; the negative ones tell sqrt(x^2) from x.
_POINTS = (
    ("1.37", "0.317"), ("0.61", "0.831"), ("2.83", "0.173"), ("5.19", "1.27"), ("-1.43", "0.339"), ("-3.77", "-0.417"),
)  # fmt: skip
_ENOUGH = 3
_PIECEWISE = (sympy.Abs, sympy.Min, sympy.Max, sympy.sign, sympy.Piecewise, sympy.floor, sympy.ceiling, sympy.Mod)
_RELATION = (Relational, sympy.And, BooleanAtom)
_SIGNS = {sympy.Eq: "=", sympy.Ne: "!=", sympy.Lt: "<", sympy.Le: "<=", sympy.Gt: "<", sympy.Ge: "<="}


def compare(gold: str, answer: str, sets: bool) -> bool:
    """Whether two formulas in normalised LaTeX are equal, as sets if `sets`. What is not readable equals nothing."""
    # the parser drops primes
    if hopeless(gold) or hopeless(answer) or gold.count("'") != answer.count("'"):
        return False
    if sets:
        return same_set(gold, answer)
    complex_ = imaginary(gold) or imaginary(answer)
    left, right = read(gold, complex_), read(answer, complex_)
    if left is None or right is None:
        return False
    if isinstance(left, _RELATION) or isinstance(right, _RELATION):
        return isinstance(left, _RELATION) and isinstance(right, _RELATION) and _same_relation(left, right)
    if isinstance(left, sympy.Expr) and isinstance(right, sympy.Expr):
        return _same_expression(left, right, max(_EXACT, rounding(gold, answer)))
    return _verify(left, right)


def _verify(left, right) -> bool:
    return bool(verify(left, right, float_rounding=12, numeric_precision=20, strict=True, timeout_seconds=None))


def _same_expression(left: sympy.Expr, right: sympy.Expr, tolerance: float) -> bool:
    if left.free_symbols != right.free_symbols:
        return sympy.simplify(left - right) == 0
    verdict = (_agree_at_points if left.free_symbols else _same_value)(left, right, tolerance)
    return _verify(left, right) if verdict is None else verdict


def _same_value(left: sympy.Expr, right: sympy.Expr, tolerance: float) -> bool | None:
    """Whether two numbers are equal; None if one of them cannot be evaluated."""
    left, right = left.doit(), right.doit()
    if any(value.has(sympy.nan, sympy.zoo) for value in (left, right)):
        return False
    if (left.is_Rational and right.is_Rational and tolerance <= _EXACT) or left.is_infinite or right.is_infinite:
        return left == right
    a, b = sympy.N(left, _PRECISION), sympy.N(right, _PRECISION)
    if not (a.is_number and b.is_number and a.is_finite and b.is_finite):
        return None
    size = max(abs(a), abs(b))
    return bool(size == 0 or abs(a - b) <= sympy.Float(tolerance) * size)


def _agree_at_points(left: sympy.Expr, right: sympy.Expr, tolerance: float) -> bool | None:
    """Compare two formulas at fixed points: quicker and surer than simplification.

    None where that cannot tell: absolute values and the like agree on whole regions, and some points give no number.
    """
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    if len(symbols) > 8:
        return None
    agreed = 0
    for start, step in _POINTS:
        place = {symbol: sympy.Rational(start) + i * sympy.Rational(step) for i, symbol in enumerate(symbols)}
        try:
            a, b = (sympy.N(side.subs(place), _PRECISION) for side in (left, right))
            usable = a.is_number and b.is_number and a.is_finite and b.is_finite
        except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
            return None
        if not usable or (start < "0" and not (a.is_real and b.is_real)):
            continue
        if abs(a - b) > sympy.Float(max(tolerance, 1e-40)) * (abs(a) + abs(b)):
            return False
        agreed += 1
    return True if agreed >= _ENOUGH and not left.has(*_PIECEWISE) and not right.has(*_PIECEWISE) else None


def _same_relation(left, right) -> bool:
    """Two equations or inequalities are one if what each compares with zero is proportional."""
    if isinstance(left, sympy.And) and isinstance(right, sympy.And):
        return _verify(left, right)
    (one, sign), (other, other_sign) = _sided(left), _sided(right)
    if one is None or other is None or sign != other_sign:
        return same_solutions(left, right)
    equation = sign in ("=", "!=")
    if equation:
        one, other = (sympy.together(side).as_numer_denom()[0] for side in (one, other))
    one, other = sympy.expand(one), sympy.expand(other)
    if one == 0 or other == 0 or one.free_symbols != other.free_symbols:
        return False
    ratio = sympy.simplify(one / other)
    if ratio.is_number and ratio.is_finite and ratio.is_nonzero:
        return bool(equation or ratio.is_positive)
    return not equation and same_solutions(left, right)


def _sided(relation) -> tuple[sympy.Expr | None, str]:
    """(what is compared with zero, how) of a relation, "greater" turned to "less"; (None, "") for anything else."""
    sign = _SIGNS.get(type(relation), "")
    if not sign or not all(isinstance(side, sympy.Expr) for side in relation.args):
        return None, ""
    difference = relation.lhs - relation.rhs
    return (-difference if isinstance(relation, (sympy.Gt, sympy.Ge)) else difference), sign
