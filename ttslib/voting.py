"""How trajectories become one answer: majority, or {min, last, avg} x {max, vote} of their step scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from .grading import canonical, equivalent

Scores = Sequence[float]
_REDUCE: dict[str, Callable[[Scores], float]] = {"min": min, "last": lambda scores: scores[-1], "avg": fmean}


@dataclass(frozen=True)
class Rule:
    """One voting rule: how step scores become one number (None: not used), and whether the best or the sum
    decides.
    """

    reduce: str | None
    choose: str

    def weights(self, scores: Sequence[Scores]) -> list[float]:
        """One weight per trajectory; a trajectory without any score weighs 0."""
        if self.reduce is None:
            return [1.0] * len(scores)
        return [float(_REDUCE[self.reduce](steps)) if len(steps) else 0.0 for steps in scores]

    def __call__(
        self, answers: Sequence[str | None], scores: Sequence[Scores], *, same: str = "math"
    ) -> str | None:
        return _choose(answers, self.weights(scores), self.choose, same)


RULES: dict[str, Rule] = {
    "majority_vote": Rule(None, "vote"),
    **{
        f"prm_{reduce}_{choose}": Rule(reduce, choose)
        for reduce in ("min", "last", "avg")
        for choose in ("max", "vote")
    },
}


def vote(
    answers: Sequence[str | None], scores: Sequence[Scores], rule: str, *, same: str = "math"
) -> str | None:
    """The answer that a rule of the paper chooses.

    answers: one per trajectory, None where nothing could be extracted. scores: the step scores of each
    trajectory
    (not looked at by "majority_vote", which also takes an empty list). rule: a key of RULES; "max" takes
    the answer of
    the trajectory with the highest reduced score, "vote" the answer with the largest sum of them.

    same="math": answers that are mathematically equal vote together, and None wins only if there is
    nothing else.
    same="string": exact strings, and None counts as an answer like any other, as in the paper's code.
    Ties go to the answer seen first, and of a group of equal answers the form seen first is returned.
    ValueError: unknown rule or `same`, or a different number of answers and scores.
    """
    if rule not in RULES:
        raise ValueError(f"Unknown voting rule {rule!r}; use one of {', '.join(RULES)}.")
    if rule == "majority_vote" and not len(scores):
        scores = [()] * len(answers)
    if len(answers) != len(scores):
        raise ValueError(
            f"There are {len(answers)} answers but {len(scores)} score lists; pass one list per answer."
        )
    return RULES[rule](answers, scores, same=same)


def _choose(answers: Sequence[str | None], weights: Sequence[float], choose: str, same: str) -> str | None:
    groups = group(answers, same=same)
    totals: dict[int, float] = {}
    for index, weight in zip(groups, weights, strict=True):
        if same == "math" and answers[index] is None:
            continue
        if choose == "vote":
            totals[index] = totals.get(index, 0.0) + weight
        else:
            totals[index] = max(totals.get(index, weight), weight)
    if not totals:
        return None
    # max keeps the first of equals, and a dict keeps the order of first appearance
    return answers[max(totals, key=partial(dict.__getitem__, totals))]


def group(answers: Sequence[str | None], *, same: str = "math") -> list[int]:
    """For each answer the index of the first answer that it votes with (see `vote` for `same`)."""
    if same not in ("math", "string"):
        raise ValueError(f"same={same!r} is unknown; use 'math' or 'string'.")
    leaders: dict[str | None, int] = {}
    heads: list[int] = []
    groups = []
    for index, answer in enumerate(answers):
        key = answer if same == "string" or answer is None else "=" + canonical(answer)
        if key not in leaders:
            leaders[key] = index
            if same == "math" and answer is not None:
                leaders[key] = next((head for head in heads if equivalent(answers[head], answer)), index)
                if leaders[key] == index:
                    heads.append(index)
        groups.append(leaders[key])
    return groups
