"""How trajectories become one answer: majority, or {min, last, avg} x {max, vote} of their step scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from .grading import canonical, verdict

Scores = Sequence[float]
PATIENCE = 5.0
"""Seconds of symbolic comparison that the grouping of one problem's answers may take."""
_LONGEST = 1.5  # seconds that one comparison counts for at most: the first also waits for the grading process


@dataclass(frozen=True)
class Rule:
    """One voting rule: how the step scores of a trajectory become one number (None: they are not looked at), and
    whether the largest of them ("max") or the largest sum over equal answers ("vote") decides.
    """

    reduce: Callable[[Scores], float] | None
    choose: str

    def weights(self, scores: Sequence[Scores]) -> list[float]:
        """One weight per trajectory; a trajectory without any score weighs 0."""
        if self.reduce is None:
            return [1.0] * len(scores)
        return [float(self.reduce(steps)) if len(steps) else 0.0 for steps in scores]


RULES: dict[str, Rule] = {
    "majority_vote": Rule(None, "vote"),
    **{
        f"prm_{name}_{choose}": Rule(reduce, choose)
        for name, reduce in (("min", min), ("last", lambda scores: scores[-1]), ("avg", fmean))
        for choose in ("max", "vote")
    },
}
"""The paper's seven rules. One of your own is one line more: RULES["prm_product_vote"] = Rule(math.prod, "vote")."""


def check(rule: str) -> None:
    """Raise ValueError unless `rule` is a key of RULES."""
    if rule not in RULES:
        raise ValueError(f"Unknown voting rule {rule!r}; use one of {', '.join(RULES)}.")


def vote(
    answers: Sequence[str | None], scores: Sequence[Scores], rule: str, *, same: str = "math",
    groups: Sequence[int] | None = None,
) -> str | None:  # fmt: skip
    """The answer that a rule of the paper chooses; None if no trajectory has a vote.

    answers: one per trajectory, None where nothing could be extracted. scores: the step scores of each trajectory (not
    looked at by "majority_vote", which also takes an empty list); without any, a trajectory has no vote under the other
    rules. rule: a key of RULES. "max" takes the answer of the trajectory with the highest reduced score, the first of
    equals. "vote" takes the answer with the largest sum of them, of equals the one seen first, in the form seen first.

    same="math": answers that are mathematically equal vote together, and None has no vote. same="string": exact
    strings, and None counts as an answer like any other, as in the paper's code. groups: what `group` gave for
    the answers, if that is known.

    ValueError: unknown rule or `same`, or a different number of answers and scores.
    """
    check(rule)
    _check_same(same)
    by = RULES[rule]
    if by.reduce is None and not len(scores):
        scores = [()] * len(answers)
    if len(answers) != len(scores):
        raise ValueError(
            f"There are {len(answers)} answers but {len(scores)} score lists; pass one list per answer."
        )
    weights = by.weights(scores)
    voters = [
        place for place, answer in enumerate(answers)
        if (answer is not None or same == "string") and (by.reduce is None or len(scores[place]))
    ]  # fmt: skip
    if not voters:
        return None
    if by.choose == "max":
        return answers[max(voters, key=weights.__getitem__)]  # max keeps the first of equals
    groups = group(answers, same=same) if groups is None else groups
    totals: dict[int, float] = {}
    for place in voters:
        totals[groups[place]] = totals.get(groups[place], 0.0) + weights[place]
    best = max(totals, key=totals.__getitem__)  # a dict keeps the order of first appearance
    return next(answers[place] for place in voters if groups[place] == best)


def group(answers: Sequence[str | None], *, same: str = "math") -> list[int]:
    """For each answer the index of the first answer that it votes with (see `vote` for `same`).

    Symbolic comparisons take about `PATIENCE` seconds at most, and none again for the same answers. Pairs that are not
    told equal in that time vote apart; `undecided` counts those that were not told different either.
    """
    _check_same(same)
    if same == "string":
        leaders: dict[str | None, int] = {}
        return [leaders.setdefault(answer, place) for place, answer in enumerate(answers)]
    return list(_grouped(tuple(answers))[0])


def undecided(answers: Sequence[str | None]) -> int:
    """Pairs of answers that vote apart because time ran out before they were told equal or different."""
    return _grouped(tuple(answers))[1]


def _check_same(same: str) -> None:
    if same not in ("math", "string"):
        raise ValueError(f"same={same!r} is unknown; use 'math' or 'string'.")


@lru_cache(maxsize=10_000)
def _grouped(answers: tuple[str | None, ...]) -> tuple[list[int], int]:
    """(the groups, how many pairs were left undecided)"""
    leaders: dict[str | None, int] = {}
    heads: list[int] = []
    groups, spent, left = [], 0.0, 0
    for index, answer in enumerate(answers):
        key = answer if answer is None else "=" + canonical(answer)
        if key not in leaders:
            leaders[key], unknown = index, 0
            for head in heads if answer is not None else ():
                equal = verdict(answers[head], answer, symbolic=False)
                if equal is None and spent < PATIENCE:
                    started = time.monotonic()
                    equal = verdict(answers[head], answer)
                    spent += min(time.monotonic() - started, _LONGEST)
                if equal:
                    leaders[key] = head
                    break
                unknown += equal is None
            if leaders[key] == index and answer is not None:
                heads.append(index)
                left += unknown
        groups.append(leaders[key])
    return groups, left
