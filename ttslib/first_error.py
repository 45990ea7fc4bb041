"""How well a PRM finds the first wrong step of a solution, judged as ProcessBench judges it (arXiv 2412.06559).

A PRM names the first step that it scores below a threshold, or none. Two accuracies count: over the solutions with a
wrong step, where exactly the first one must be named, and over the right ones, where none may be. Their harmonic mean
is called F1. The threshold is chosen on other solutions than those that F1 is reported on: ProcessBench takes the best
one on GSM8K for its other subsets (`best_threshold`, `judge`), `judge_held_out` the best one on a part of its own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from ttslib import stats
from ttslib.log_fit import resampled
from ttslib.stats import Estimate

if TYPE_CHECKING:
    from ttslib.results import Results

HELD_OUT = 0.25  # share of the solutions that the threshold is chosen on

Scores = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Judgement:
    """`f1` and the two accuracies it is made of, over solutions with a wrong step and over right ones.

    `hits`: of the solutions of each kind, in their order, whether exactly the first wrong step, or none, is named.
    """

    f1: Estimate
    wrong: Estimate
    right: Estimate
    threshold: float
    hits: tuple[tuple[bool, ...], tuple[bool, ...]] = ((), ())


class StepScores(list[tuple[float, ...]]):
    """The scores of each solution, () of one that the PRM could not read; `left_out` says why, by the solution's id."""

    def __init__(self, scores: Sequence[tuple[float, ...]], left_out: Mapping[str, str]):
        super().__init__(scores)
        self.left_out = dict(left_out)

    def read(self, labels: Sequence[int]) -> tuple[list[int], list[tuple[float, ...]]]:
        """Labels and scores of the solutions that have scores: what can be judged."""
        pairs = [pair for pair in zip(labels, self, strict=True) if pair[1]]
        return [label for label, _ in pairs], [scores for _, scores in pairs]


def step_scores(read: Results) -> StepScores:
    """One score per step of each solution, from results of the method "read" on `LabelledSolution.as_problem`.

    A solution that the PRM could not read (too long, or with its marker in a step) has none and is named in `left_out`.
    Raises ValueError, with the reason, if one failed.
    """
    scores, left_out = [], {}
    for record in read:
        if record.failed:
            raise ValueError(f"{record.label} failed with {record.reason}")
        [path] = record.trajectories
        scores.append(tuple(path["scores"]))
        if not path["scores"]:
            left_out[record.problem["id"]] = record.tree["nodes"][-1]["unread"]
    return StepScores(scores, left_out)


def first_below(scores: Sequence[float], threshold: float) -> int:
    """Index of the first step whose score is below the threshold; -1 if there is none."""
    return next((index for index, value in enumerate(scores) if value < threshold), -1)


def judge(labels: Sequence[int], scores: Scores, threshold: float) -> Judgement:
    """F1 at a threshold that was chosen elsewhere, with a 95 % interval over the solutions of each kind.

    `labels`: index of the first wrong step of each solution, -1 if all its steps are right. Raises ValueError without
    a solution of either kind, and for labels that do not fit the scores.
    """
    _check(labels, scores)
    hits = _hits(labels, scores, threshold)
    wrong, right = map(stats.accuracy, hits)
    return Judgement(_f1(wrong, right), wrong, right, threshold, tuple(map(tuple, hits)))


def best_threshold(labels: Sequence[int], scores: Scores) -> float:
    """The threshold with the highest F1, half way between two neighbouring scores; of equally good ones the lowest.

    Raises ValueError as `judge` does.
    """
    _check(labels, scores)
    values = sorted({value for steps in scores for value in steps})
    between = [max((a + b) / 2, math.nextafter(a, b)) for a, b in pairwise(values)]

    def f1(threshold: float) -> float:
        return _harmonic(*(fmean(hits) for hits in _hits(labels, scores, threshold)))

    return max([values[0], *between], key=f1)


def judge_held_out(labels: Sequence[int], scores: Scores, *, share: float = HELD_OUT, seed: int = 0) -> Judgement:
    """F1 at the best threshold of a random `share` of each kind of solution, over all the others.

    The parts follow from labels, share and seed, so PRMs are judged on the same solutions. The interval is that of F1
    at this threshold. Raises ValueError as `judge` does, and where there are fewer than two solutions of a kind.
    """
    _check(labels, scores)
    if not 0 < share < 1:
        raise ValueError(f"The share held out to choose the threshold is between 0 and 1; got {share}.")
    held = held_out(labels, share, seed)
    rest = [place for place in range(len(labels)) if place not in held]
    chosen = best_threshold([labels[place] for place in held], [scores[place] for place in held])
    return judge([labels[place] for place in rest], [scores[place] for place in rest], chosen)


def f1_draws(judgements: Sequence[Judgement], draws: int, seed: int = 0) -> np.ndarray:
    """F1 of each of several PRMs on solutions drawn again, the same ones of each kind for all: draws x PRMs, in [0, 1].

    Their thresholds stay. Raises ValueError unless they were judged on equally many solutions of each kind.
    """
    kinds = zip(*(each.hits for each in judgements), strict=True)
    shares = []
    for place, hits in enumerate(kinds):
        if len(set(map(len, hits))) != 1:
            raise ValueError("F1 is drawn again on the same solutions for all: judge every PRM on the same ones.")
        shares.append(resampled(np.array(hits, float).T, draws, 2 * seed + place))
    wrong, right = shares
    both = wrong + right
    return np.divide(2 * wrong * right, both, out=np.zeros_like(both), where=both > 0)


def held_out(labels: Sequence[int], share: float, seed: int) -> list[int]:
    """Places of a `share` of the solutions of each kind: of each at least one, and not all."""
    rng, held = random.Random(seed), []
    for wrong in (True, False):
        places = [place for place, label in enumerate(labels) if (label >= 0) == wrong]
        if len(places) < 2:
            raise ValueError("The threshold is chosen on some of the solutions: give two or more of each kind.")
        held += rng.sample(places, min(max(1, round(share * len(places))), len(places) - 1))
    return sorted(held)


def _hits(labels: Sequence[int], scores: Scores, threshold: float) -> tuple[list[bool], list[bool]]:
    """Of the solutions with a wrong step, and of the right ones: whether exactly that is found."""
    found = [(label, first_below(steps, threshold) == label) for label, steps in zip(labels, scores, strict=True)]
    return [hit for label, hit in found if label >= 0], [hit for label, hit in found if label < 0]


def _check(labels: Sequence[int], scores: Scores) -> None:
    if len(labels) != len(scores):
        raise ValueError(f"A solution has one label and one list of scores; got {len(labels)} and {len(scores)}.")
    for place, (label, steps) in enumerate(zip(labels, scores, strict=True)):
        if not steps or not -1 <= label < len(steps):
            raise ValueError(f"Solution {place} has {len(steps)} scores, which the label {label} does not fit.")
    if -1 not in labels:
        raise ValueError("F1 needs a solution without a wrong step: no label is -1.")
    if max(labels) == -1:
        raise ValueError("F1 needs a solution with a wrong step: every label is -1.")


def _f1(wrong: Estimate, right: Estimate) -> Estimate:
    """The harmonic mean, with the least and greatest one of two shares that both fit what was seen.

    They do if the squares of their standard errors from the two accuracies sum to no more than that of one interval's
    end: 1.96 for one of them and 0 for the other, or 1.39 for both.
    """
    turns = [math.pi / 2 * part / 30 for part in range(31)]
    z = stats.standard_errors(0.95)

    def lowest(a: float, b: float) -> list[tuple[float, float]]:
        ends = ((math.cos(turn), math.sin(turn)) for turn in turns)
        return [(stats.low_end(a, wrong.n, z * x), stats.low_end(b, right.n, z * y)) for x, y in ends]

    low = min(_harmonic(a, b) for a, b in lowest(wrong.value, right.value))
    high = max(_harmonic(1 - a, 1 - b) for a, b in lowest(1 - wrong.value, 1 - right.value))
    return Estimate(_harmonic(wrong.value, right.value), low, high, wrong.n + right.n)


def _harmonic(a: float, b: float) -> float:
    """2ab / (a + b), and 0 where both are 0."""
    return 2 * a * b / (a + b) if a + b else 0.0
