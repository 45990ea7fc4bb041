"""A record's answers: what was answered, which answers vote together, and which are right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from ttslib import grading, parity, stats, voting
from ttslib.records import Record

UNREAD = "the PRM could read none of the solutions"


class Outcome(NamedTuple):
    """What one problem came to: the answer chosen (None: there is none), how right it is from 0 to 1 (None: the cell
    failed, or this could not be decided), and why there is no value ("" if there is one)."""

    answer: str | None
    right: float | None
    reason: str = ""


class Graded:
    """The answers of one record, under one way of comparing them: `same` as in `voting.vote`.

    `prepare` decides in one batch for many records what takes time: `verdicts` maps each answer to True, False or None
    (undecided), `groups` names for each trajectory the first one that it votes with, `left` counts the pairs of answers
    that vote apart because they were told neither equal nor different.
    """

    def __init__(self, record: Record, same: str = "math"):
        self.record, self.same, self.gold = record, same, record.problem["answer"]
        self.verdicts: dict[str | None, bool | None] | None = None
        self.groups: list[int] | None = None
        self.left = 0

    def take(self) -> None:
        """What the record itself says of them, one from an archive for example."""
        brief = self.record.brief
        if brief and self.verdicts is None:
            self.verdicts = brief.verdicts
        if brief and self.groups is None and self.same == "math" and (known := brief.groups):
            self.groups, self.left = known

    @cached_property
    def answers(self) -> list[str | None]:
        """One for each trajectory."""
        return self.record.brief.answers[self.same] if self.record.brief else extracted(self.record, self.same)

    @cached_property
    def scores(self) -> list[tuple[float, ...]]:
        """The step scores of each trajectory; none if the PRM could not read it, or there was no PRM."""
        return self.record.step_scores()

    @cached_property
    def unread(self) -> list[bool]:
        """Which trajectories have steps but no score."""
        return self.record.unread()

    def voted(self, rule: str, picks: Sequence[Sequence[int]]) -> Outcome:
        """What a rule of `voting.RULES` makes of each of these choices of trajectories: the mean over those that are
        decided, and the answer of the first."""
        voters = self._answered if voting.RULES[rule].reduce is None else self._scored
        places = voting.elect(rule, self._weights(rule), voters, self.groups, picks)
        chosen = [None if place < 0 else self.answers[place] for place in places]
        lost = [place < 0 and self._unread(rule, pick) for place, pick in zip(places, picks, strict=True)]
        decided = self._decided(answer for answer, none in zip(chosen, lost, strict=True) if not none)
        if decided:
            return Outcome(chosen[0], sum(decided) / len(decided))
        return Outcome(chosen[0], None, UNREAD if lost[0] else f"time ran out before {_told(chosen[0])}")

    def pass_at_k(self, k: int) -> Outcome:
        """The unbiased estimate that one of k trajectories is right, from all that are decided.

        Raises ValueError if there are fewer than k trajectories.
        """
        right = self._decided(self.answers)
        if len(right) < k <= len(self.answers):
            return Outcome(None, None, f"time ran out before {k} of its answers were told right or wrong")
        try:
            return Outcome(None, stats.pass_at_k(len(right), sum(right), k))
        except ValueError as error:
            raise ValueError(f"{self.record.label}: {error}") from None

    def mean(self) -> Outcome:
        """The share of right trajectories among those that are decided; 0 if there is no trajectory."""
        right = self._decided(self.answers)
        if self.answers and not right:
            return Outcome(None, None, f"time ran out before {_told(self.answers[0])}")
        return Outcome(None, sum(right) / max(len(right), 1))

    def best(self, rule: str, answer: str) -> int:
        """Which trajectory with that answer has most weight under a rule; the first of equals."""
        weights, leader = self._weights(rule), self.groups[self.answers.index(answer)]
        return max((at for at, each in enumerate(self.groups) if each == leader), key=weights.__getitem__)

    def _weights(self, rule: str) -> list[float]:
        return voting.RULES[rule].weights(self.scores)

    @cached_property
    def _answered(self) -> list[bool]:
        """Which trajectories have a vote."""
        return [answer is not None or self.same == "string" for answer in self.answers]

    @cached_property
    def _scored(self) -> list[bool]:
        """Which have one under a rule by scores."""
        return [said and len(scores) > 0 for said, scores in zip(self._answered, self.scores, strict=True)]

    def _unread(self, rule: str, pick: Sequence[int]) -> bool:
        """Whether these have no score because the PRM could read none of them."""
        scored = any(len(self.scores[at]) for at in pick)
        return voting.RULES[rule].reduce is not None and not scored and any(self.unread[at] for at in pick)

    def _decided(self, answers: Iterable[str | None]) -> list[bool]:
        return [right for answer in answers if (right := self.verdicts[answer]) is not None]


def extracted(record: Record, same: str) -> list[str | None]:
    """The answers in the texts of a record, each distinct text read once."""
    extract = (parity if same == "string" else grading).extract_answer
    texts = ["".join(path["steps"]) for path in record.trajectories]
    known = {text: extract(text) for text in dict.fromkeys(texts)}
    return [known[text] for text in texts]


def light(record: Record) -> Record:
    """The record without texts, with its answers instead."""
    return record if record.brief else record.light({same: extracted(record, same) for same in ("math", "string")})


def prepare(many: Iterable[Graded], *, groups: bool = True) -> None:
    """Grade the answers of all these records in one batch and, with `groups`, find which vote together."""
    many = list(many)
    for each in many:
        each.take()
    new = [each for each in many if each.verdicts is None]
    pairs = list(dict.fromkeys((each.gold, answer) for each in new for answer in (None, *each.answers)))
    known = dict(zip(pairs, grading.verdicts(pairs), strict=True))
    for each in new:
        each.verdicts = {answer: known[each.gold, answer] for answer in (None, *each.answers)}
    for same in ("math", "string"):
        ungrouped = [each for each in many if groups and each.groups is None and each.same == same]
        found = voting.group_all([each.answers for each in ungrouped], same=same)
        for each, leaders in zip(ungrouped, found, strict=True):
            each.groups = leaders
            each.left = voting.undecided(each.answers) if same == "math" else 0


def _told(answer: str | None) -> str:
    return f"{answer} was told equal to the gold answer or different"
