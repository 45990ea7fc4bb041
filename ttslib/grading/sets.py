r"""Sets of real numbers in LaTeX: intervals, unions, finite sets, domains, and the solutions of inequalities."""

import re

import sympy
from sympy.core.relational import Relational

from .brackets import enclosed, split_keeping
from .reading import read

_DOMAINS = {"R": sympy.S.Reals, "Z": sympy.S.Integers, "N": sympy.S.Naturals, "Q": sympy.S.Rationals}
_SIGNS = {r"\leq": sympy.Le, r"\geq": sympy.Ge, "<": sympy.Lt, ">": sympy.Gt, r"\neq": sympy.Ne, "=": sympy.Eq}
_JOINS = {
    "cup": sympy.Union, "cap": sympy.Intersection,
    "setminus": lambda first, *others: sympy.Complement(first, sympy.Union(*others)),
}  # fmt: skip
_UNREADABLE = (ValueError, TypeError, NotImplementedError)  # what sympy raises too, where it has no method
_SIGN = r"\\leq|\\geq|\\neq|<|>|="


def same_set(gold: str, answer: str) -> bool:
    """Whether two sets in normalised LaTeX are equal; False if one cannot be read."""
    try:
        return _equal(_Reader().read(gold), _Reader().read(answer))
    except _UNREADABLE:
        return False


def same_solutions(left, right) -> bool:
    """Whether two inequalities in one and the same unknown have the same real solutions."""
    unknowns = left.free_symbols
    if len(unknowns) != 1 or unknowns != right.free_symbols:
        return False
    try:
        return _equal(*(_solutions(side, next(iter(unknowns))) for side in (left, right)))
    except _UNREADABLE:
        return False


def _equal(left: sympy.Set, right: sympy.Set) -> bool:
    return left == right or left.symmetric_difference(right).is_empty is True


def _solutions(condition, unknown: sympy.Symbol) -> sympy.Set:
    if condition in (sympy.true, sympy.false):
        return sympy.S.Reals if condition else sympy.S.EmptySet
    if isinstance(condition, sympy.And):
        return sympy.Intersection(*(_solutions(part, unknown) for part in condition.args))
    if isinstance(condition, (sympy.Eq, sympy.Ne)):
        roots = sympy.solveset(sympy.Eq(*condition.args), unknown, sympy.S.Reals)
        return roots if isinstance(condition, sympy.Eq) else sympy.S.Reals - roots
    if not isinstance(condition, Relational):
        raise ValueError
    return sympy.solve_univariate_inequality(condition.doit(), unknown, relational=False)


class _Reader:
    """Reads one set; all its conditions must be about the same unknown."""

    unknown = ""  # its name, once one is met

    def read(self, latex: str) -> sympy.Set:
        """The set. ValueError: it is none, or not one of real numbers."""
        for command, join in _JOINS.items():
            parts, found = split_keeping(latex, rf"\\{command}(?![a-zA-Z])")
            if found:
                return join(*map(self.read, parts))
        latex = re.sub(r"^[a-zA-Z] ?\\in(?![a-z]) ?", "", latex.strip())
        if domain := re.fullmatch(r"\\mathbb\{([RZNQ])\}((?:[\^_]\{\+\})?)", latex):
            values = _DOMAINS[domain[1]]
            return values.intersect(sympy.Interval.open(0, sympy.oo)) if domain[2] else values
        if latex == r"\emptyset":
            return sympy.S.EmptySet
        if latex.startswith(r"\{") and latex.endswith(r"\}"):
            parts = split_keeping(latex[2:-2], "[,;]")[0]
            signed = [part.replace(r"\pm", sign) for part in parts for sign in ("+-" if r"\pm" in part else "-")]
            return sympy.FiniteSet(*(self._value(part.removeprefix("+")) for part in signed))
        if enclosed(latex):
            return self._bracketed(latex)
        conditions = split_keeping(latex, ",")[0]
        if len(conditions) > 1:
            # Conditions in a row hold together if they can, else they are alternatives.
            sets = [self.read(condition) for condition in conditions]
            together = sympy.Intersection(*sets)
            return together if together.is_empty is False else sympy.Union(*sets)
        return self._condition(latex)

    def _value(self, latex: str) -> sympy.Expr:
        value = read(latex)
        if not isinstance(value, sympy.Expr):
            raise ValueError
        return sympy.simplify(value.doit())

    def _bracketed(self, latex: str) -> sympy.Set:
        ends = split_keeping(latex[1:-1], "[,;]")[0]
        if len(ends) == 1 and latex[0] == "(":
            return self.read(latex[1:-1])
        if len(ends) != 2 or latex[0] == "{" or latex[-1] == "}":
            raise ValueError
        low, high = map(self._value, ends)
        real = low.is_extended_real and high.is_extended_real
        if not real or (low.is_infinite and latex[0] == "[") or (high.is_infinite and latex[-1] == "]"):
            raise ValueError
        return sympy.Interval(low, high, latex[0] == "(", latex[-1] == ")")

    def _condition(self, latex: str) -> sympy.Set:
        sides, signs = split_keeping(re.sub(r"([a-zA-Z])\([a-z]\)", r"\1", latex), _SIGN)
        if not signs or not all(sides):
            raise ValueError
        values = [self._value(side) for side in sides]
        unknowns = set().union(*(value.free_symbols for value in values))
        if len(unknowns) != 1:
            raise ValueError
        (unknown,) = unknowns
        if self.unknown not in ("", unknown.name):
            raise ValueError
        self.unknown = unknown.name
        relations = [_SIGNS[sign](a, b) for sign, a, b in zip(signs, values, values[1:], strict=False)]
        return sympy.Intersection(*(_solutions(relation, unknown) for relation in relations))
