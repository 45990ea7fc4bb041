"""How well a PRM's scores tell right steps from wrong ones, on samples whose first wrong step is known."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ttslib.nano.benchmark import nanomath
from ttslib.nano.styles import check_steps
from ttslib.results import Results
from ttslib.stats import Estimate

BINS = 10
RESAMPLES, SEED = 10_000, 0
Judged = list[list[tuple[tuple[str, ...], Sequence[float], int]]]


def judged(pool: Results, style: str) -> Judged:
    """Per problem its samples: (stripped steps, their scores, index of the first wrong step or -1)."""
    return [
        [
            (steps, path["scores"], check_steps(list(steps), worked, style))
            for path in record.trajectories for steps in [tuple(step.strip() for step in path["steps"])]
        ]
        for worked, record in zip(nanomath(), pool, strict=False)
    ]  # fmt: skip


def auc_within(known: Judged) -> Estimate:
    """Chance that a first wrong step scores below a right step of the same problem and depth, ties counted half.

    Every pair of such steps counts the same; steps after a first error count nowhere. NaN if there is no pair.
    """
    parts = []
    for samples in known:
        won = pairs = 0.0
        right, wrong = defaultdict(set), defaultdict(set)
        for steps, scores, first in samples:
            for depth, score in enumerate(scores[: first if first >= 0 else None]):
                right[depth].add((steps[: depth + 1], score))
            if first >= 0:
                wrong[first].add((steps[: first + 1], scores[first]))
        for depth in wrong:
            good = np.array([score for _, score in right[depth]])
            for _, score in wrong[depth]:
                won += (good > score).sum() + 0.5 * (good == score).sum()
                pairs += len(good)
        parts.append((won, pairs))
    return ratio(parts)


def calibration(known: Judged) -> list[dict]:
    """Deciles of the scores: mean score, steps, and the share of right steps; after a first wrong one all are wrong.

    Deciles that the same score would fall into are one.
    """
    steps = [
        [(score, first < 0 or depth < first) for _, scores, first in samples for depth, score in enumerate(scores)]
        for samples in known
    ]
    every = np.array([score for problem in steps for score, _ in problem])
    if not len(every):
        return []
    edges = np.unique(np.quantile(every, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = []
    for at in range(len(edges) + 1):
        inside = [[each for each in problem if np.searchsorted(edges, each[0], "right") == at] for problem in steps]
        if count := sum(map(len, inside)):
            mean = sum(score for problem in inside for score, _ in problem) / count
            share = ratio([(sum(right for _, right in problem), len(problem)) for problem in inside])
            bins.append({"score": round(mean, 4), "steps": count} | plain(share))
    return bins


def ratio(parts: Sequence[tuple[float, float]]) -> Estimate:
    """Sum of the first over sum of the second numbers, a pair a problem, with a bootstrap interval over problems.

    For hundreds of problems, of fewer such an interval is too narrow: means of shares have that of `stats`. Problems
    whose second number is 0 are left out; NaN if that leaves none.
    """
    pairs = np.array([pair for pair in parts if pair[1]], float).reshape(-1, 2)
    if not len(pairs):
        return Estimate(math.nan, math.nan, math.nan, 0)
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=RESAMPLES) @ pairs
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return Estimate(float(pairs[:, 0].sum() / pairs[:, 1].sum()), float(low), float(high), len(pairs))


def plain(found: Estimate | dict[str, Estimate]) -> dict:
    """As JSON can hold it: NaN becomes None, and `undecided` is there only if something was."""
    if isinstance(found, dict):
        return {name: plain(each) for name, each in found.items()}
    known = {name: number for name, number in vars(found).items() if number or name != "undecided"}
    return {name: None if math.isnan(number) else round(number, 6) for name, number in known.items()}
