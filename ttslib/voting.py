"""How trajectories become one answer: majority, or {min, last, avg} x {max, vote} of their step scores."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import fmean

from .grading import canonical, verdict, verdicts

Scores = Sequence[float]
PATIENCE = 1000
"""Symbolic comparisons that the grouping of one problem's answers may take: not seconds, so that the groups do not
depend on the machine.
"""
_UNDECIDED = 250  # what one counts for that took all of its computing time and remained undecided
_REMEMBERED = 10_000

Answers = tuple[str | None, ...]
Pairs = list[tuple[str, str]]
Groups = tuple[list[int], int]
"""The groups, and how many pairs of answers were left undecided."""


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

    Symbolic comparisons are made up to `PATIENCE`, and none again for the same answers. Pairs that are not told equal
    by then vote apart; `undecided` counts those that were not told different either.
    """
    return group_all([answers], same=same)[0]


def group_all(ballots: Sequence[Sequence[str | None]], *, same: str = "math") -> list[list[int]]:
    """What `group` gives for each of many lists of answers, with the symbolic comparisons of all of them together."""
    _check_same(same)
    if same == "math":
        return [groups for groups, _ in _grouped_all([tuple(answers) for answers in ballots])]
    return [_by_spelling(answers) for answers in ballots]


def undecided(answers: Sequence[str | None]) -> int:
    """Pairs of answers that vote apart because they were told neither equal nor different (see `group`)."""
    return _grouped_all([tuple(answers)])[0][1]


def _check_same(same: str) -> None:
    if same not in ("math", "string"):
        raise ValueError(f"same={same!r} is unknown; use 'math' or 'string'.")


def _by_spelling(answers: Sequence[str | None]) -> list[int]:
    leaders: dict[str | None, int] = {}
    return [leaders.setdefault(answer, place) for place, answer in enumerate(answers)]


_known: dict[Answers, Groups] = {}  # where nothing was left undecided; the others rest on the verdicts remembered


def _grouped_all(ballots: Sequence[Answers]) -> list[Groups]:
    """The groupings of all ballots in lockstep: what they ask next is decided in one go."""
    found = {answers: _known[answers] for answers in ballots if answers in _known}
    running = {answers: _grouping(answers) for answers in ballots if answers not in found}
    heard = dict.fromkeys(running)
    while running:
        asked = {}
        for answers, grouping in list(running.items()):
            try:
                asked[answers] = grouping.send(heard[answers])
            except StopIteration as end:
                found[answers] = end.value
                del running[answers]
        told = iter(verdicts([pair for pairs in asked.values() for pair in pairs]))
        heard = {answers: list(islice(told, len(pairs))) for answers, pairs in asked.items()}
    if len(_known) > _REMEMBERED:
        _known.clear()
    _known.update({answers: groups for answers, groups in found.items() if not groups[1]})
    return [found[answers] for answers in ballots]


def _grouping(answers: Answers) -> Generator[Pairs, list[bool | None], Groups]:
    """Group the answers of one ballot; yields pairs that take symbolic mathematics and is sent the verdicts on them."""
    leaders: dict[str | None, int] = {}
    heads: list[int] = []
    groups, left, patience = [], 0, PATIENCE
    for index, answer in enumerate(answers):
        key = answer if answer is None else "=" + canonical(answer)
        if key not in leaders:
            leaders[key] = index
            equals = [] if answer is None else [verdict(answers[head], answer, symbolic=False) for head in heads]
            open_ = [place for place, equal in enumerate(equals) if equal is None]
            while open_ and True not in equals and patience > 0:
                # no more than patience is left for if none of them is decided
                few = -(-patience // _UNDECIDED)
                asked, open_ = open_[:few], open_[few:]
                heard = yield [(answers[heads[place]], answer) for place in asked]
                for place, equal in zip(asked, heard, strict=True):
                    equals[place] = equal
                    patience -= _UNDECIDED if equal is None else 1
            if True in equals:
                leaders[key] = heads[equals.index(True)]
            elif answer is not None:
                heads.append(index)
                left += equals.count(None)
        groups.append(leaders[key])
    return groups, left
