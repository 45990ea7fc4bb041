"""How often the intervals of `stats` and `first_error` hold the truth, at the worst place of a grid.

Run: python tests/interval_coverage.py

Sums over all outcomes where these are few, else simulations with fixed seeds.
"""

import math
from collections.abc import Callable

import numpy as np

from ttslib.first_error import judge
from ttslib.stats import Estimate, accuracy, paired_difference, pass_at_k

SIZES = (30, 60, 100, 500)
RATES = np.array([0.002, 0.005, *np.arange(0.01, 1, 0.01), 0.995, 0.998])
RUNS = 500


def chances(n: int, rate: float) -> np.ndarray:
    """Binomial probabilities of 0 to n hits."""
    hits = np.arange(n + 1)
    ways = np.array([math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in hits])
    return np.exp(ways + hits * math.log(rate) + (n - hits) * math.log1p(-rate))


def holds(found: list[Estimate], truth: float) -> np.ndarray:
    low, high = np.array([(each.low, each.high) for each in found]).T
    return (low <= truth + 1e-9) & (truth - 1e-9 <= high)


def right_or_wrong(n: int) -> float:
    return two_values(n, [(0.0, 1.0)])


def two_values(n: int, pairs=((0.0, 0.75), (0.2, 1.0), (0.5, 1.0), (0.0, 0.1), (0.3, 0.7), (0.95, 1.0))) -> float:
    """Each problem has one of two values, with any chance."""
    worst = 1.0
    for one, other in pairs:
        found = [accuracy([one] * (n - k) + [other] * k) for k in range(n + 1)]
        for rate in RATES:
            worst = min(worst, chances(n, rate) @ holds(found, one + rate * (other - one)))
    return worst


# How problems differ in difficulty: Beta distributions of the chance to solve one, and the share of each.
HARDNESS = {
    "most hard": [(1, 0.1, 3)], "most easy": [(1, 3, 0.1)], "even": [(1, 1, 1)], "either": [(1, 0.2, 0.2)],
    "two kinds": [(0.7, 8, 1), (0.3, 0.3, 6)],
}  # fmt: skip


def drawn(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    parts = HARDNESS[kind]
    which = rng.choice(len(parts), p=[share for share, _, _ in parts], size=shape)
    return np.choose(which, [rng.beta(a, b, shape) for _, a, b in parts])


def mean_pass(kind: str, k: int) -> float:
    """The true pass@k: 1 minus the mean of (1 - chance)^k."""
    return 1 - sum(share * math.prod((b + i) / (a + b + i) for i in range(k)) for share, a, b in HARDNESS[kind])


PASS = {k: np.array([pass_at_k(64, c, k) for c in range(65)]) for k in (1, 4, 16)}


def pools(n: int) -> float:
    """pass@k from pools of 64 samples; pass@1 is the mean over random sub-samples too."""
    rng, worst = np.random.default_rng([n, 1]), 1.0
    for kind in HARDNESS:
        right = rng.binomial(64, drawn(kind, (RUNS, n), rng))
        for k, value in PASS.items():
            worst = min(worst, holds([accuracy(row) for row in value[right].tolist()], mean_pass(kind, k)).mean())
    return worst


def paired_right_or_wrong(n: int) -> float:
    """Any chance that only one side is right, and that only the other is; the interval depends on these alone."""
    rates = (0, 0.002, 0.02, 0.08, 0.3, 0.95)
    rng, worst, known = np.random.default_rng([n, 2]), 1.0, {}

    def interval(b: int, c: int) -> Estimate:
        if (b, c) not in known:
            same = n - b - c
            known[b, c] = paired_difference([1] * b + [0] * c + [1] * same, [0] * b + [1] * c + [1] * same)
        return known[b, c]

    for x in rates:
        for y in (rate for rate in rates if rate <= x and rate + x < 1):
            if n <= 100:
                split = chances(n, x + y) if x else np.eye(1, n + 1)[0]
                parts = [chances(m, x / (x + y)) if y > 0 else np.eye(1, m + 1, m)[0] for m in range(n + 1)]
                inside = [holds([interval(b, m - b) for b in range(m + 1)], x - y) for m in range(n + 1)]
                cover = sum(chance * part @ each for chance, part, each in zip(split, parts, inside, strict=True))
            else:
                seen = rng.multinomial(n, [x, y, 1 - x - y], size=RUNS)
                cover = holds([interval(b, c) for b, c, _ in seen.tolist()], x - y).mean()
            worst = min(worst, cover)
    return worst


def paired_pools(n: int) -> float:
    """Values of one pool under two rules (pass@16 and pass@4, pass@4 and pass@1), and pass@1 of two pools."""
    rng, worst = np.random.default_rng([n, 3]), 1.0
    for kind in ("most hard", "even", "two kinds"):
        chance = drawn(kind, (RUNS, n), rng)
        one, other = rng.binomial(64, chance), rng.binomial(64, chance)
        for a, k, b, few in ((one, 16, one, 4), (one, 4, one, 1), (one, 1, other, 1)):
            rows = zip(PASS[k][a].tolist(), PASS[few][b].tolist(), strict=True)
            truth = mean_pass(kind, k) - mean_pass(kind, few)
            worst = min(worst, holds([paired_difference(x, y) for x, y in rows], truth).mean())
    return worst


def f1(n: int) -> float:
    """n solutions with a wrong step and n without; any chance to find the first one, and to find none."""
    rates = (0.02, 0.5, 0.95, 1 - 0.3 / n)
    rng, worst, known = np.random.default_rng([n, 4]), 1.0, {}

    def interval(x: int, y: int) -> Estimate:
        if (x, y) not in known:
            wrong = [[0.9, 0.1 if place < x else 0.9] for place in range(n)]  # the second step is wrong: found, or not
            right = [[0.9, 0.9 if place < y else 0.1] for place in range(n)]
            known[x, y] = judge([1] * n + [-1] * n, wrong + right, 0.5).f1
        return known[x, y]

    for p in rates:
        for q in (rate for rate in rates if rate <= p):
            truth = 2 * p * q / (p + q)
            if n <= 30:
                inside = holds([interval(x, y) for x in range(n + 1) for y in range(n + 1)], truth)
                cover = chances(n, p) @ inside.reshape(n + 1, n + 1) @ chances(n, q)
            else:
                seen = np.stack([rng.binomial(n, p, RUNS), rng.binomial(n, q, RUNS)], 1).tolist()
                cover = holds([interval(x, y) for x, y in seen], truth).mean()
            worst = min(worst, cover)
    return worst


KINDS: dict[str, Callable[[int], float]] = {
    "right or wrong": right_or_wrong, "two values in [0, 1]": two_values, "pass@k, pool of 64": pools,
    "paired right or wrong": paired_right_or_wrong, "paired pass@k": paired_pools, "F1": f1,
}  # fmt: skip


def row(name: str) -> str:
    """The lowest coverage in percent for each number of problems, in a line."""
    return f"{name:28}" + "".join(f"{100 * KINDS[name](n):8.1f}" for n in SIZES)


if __name__ == "__main__":
    print(f"{'problems':28}" + "".join(f"{n:8}" for n in SIZES))
    for kind in KINDS:
        print(row(kind))
