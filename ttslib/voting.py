"""How trajectories become one answer: majority, or {min, last, avg} x {max, vote} of their step scores."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from statistics import fmean

import numpy as np

from .grading import canonical, memory, verdict, verdicts
from .names import unknown

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
        raise unknown("voting rule", rule, RULES)


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
    voters = [
        (answer is not None or same == "string") and (by.reduce is None or len(steps) > 0)
        for answer, steps in zip(answers, scores, strict=True)
    ]
    if by.choose == "vote" and groups is None:
        groups = group(answers, same=same)
    [place] = elect(rule, by.weights(scores), voters, groups, [range(len(answers))])
    return None if place < 0 else answers[place]


def elect(
    rule: str, weights: Sequence[float], voters: Sequence[bool], groups: Sequence[int] | None,
    picks: Sequence[Sequence[int]],
) -> list[int]:  # fmt: skip
    """For each of many choices of trajectories, all of one size, the place of the one whose answer a rule takes.

    That is the first of the heaviest ("max") or of the group that is heaviest together ("vote", which needs `groups`),
    -1 if there is none. weights, voters, groups: of each trajectory its weight, whether it has a vote, and the name
    of its group.
    """
    places = np.asarray(picks, dtype=np.intp)
    if not places.size:
        return [-1] * len(places)
    voting = np.asarray(voters, dtype=bool)[places]
    totals = np.asarray(weights, dtype=float)[places]
    if RULES[rule].choose == "vote":
        names, labels = np.unique(groups, return_inverse=True)
        ballots = labels[places] + len(names) * np.arange(len(places))[:, None]
        totals = np.bincount(ballots[voting], totals[voting], minlength=len(names) * len(places))[ballots]
    best = np.where(voting, totals, -np.inf).argmax(axis=1)  # the first of equals
    found = []
    for row, at in enumerate(best):
        if not voting[row, at]:  # nobody has a vote, or all voters weigh minus infinity
            at = voting[row].argmax()
        found.append(int(places[row, at]) if voting[row, at] else -1)
    return found


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


@cache
def grouping_rules() -> str:
    """A hash of what decides groups beside the verdicts."""
    said = f"{inspect.getsource(_grouping)} {PATIENCE} {_UNDECIDED}"
    return f"groups {hashlib.sha256(said.encode()).hexdigest()}"


_known: dict[Answers, Groups] = {}  # where nothing was left undecided; the others rest on the verdicts remembered


def _grouped_all(ballots: Sequence[Answers]) -> list[Groups]:
    """The groupings of all ballots in lockstep: what they ask next is decided in one go."""
    found = {answers: _known[answers] for answers in ballots if answers in _known}
    recalled = memory.recall(grouping_rules(), {answers for answers in ballots if answers not in found})
    found |= {answers: (groups, 0) for answers, groups in recalled.items()}
    running = {answers: _grouping(answers) for answers in ballots if answers not in found}
    new = list(running)
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
    told = {answers: groups for answers, groups in found.items() if not groups[1]}
    _known.update(told)
    memory.keep(grouping_rules(), {answers: told[answers][0] for answers in new if answers in told})
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
