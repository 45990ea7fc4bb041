"""What a nano model's card says of it, measured on NanoMATH-500 through the same code as every experiment.

    python -m ttslib.nano.measure runs/zoo/nano-qwen-3m
    python -m ttslib.nano.measure runs/zoo/nano-prm-qwen-m --policy runs/zoo/nano-llama-1m

A PRM is judged by what it is for: its AUC at the first wrong step against right steps of the same problem and depth,
and Best-of-N by its score beside mean pass@1 and majority voting. Overall AUC would reward knowing how hard a place is.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from ttslib.experiment import solve
from ttslib.nano.benchmark import nanomath
from ttslib.nano.specs import POLICIES
from ttslib.nano.styles import check_steps
from ttslib.policies import load_policy
from ttslib.prms import load_prm
from ttslib.problems import load_problems

N = 16


def measure_policy(folder: Path, store: Path, limit: int) -> dict[str, str]:
    """Greedy accuracy, mean pass@1, majority@16, pass@16 and the share of boxed ends, with 95 % intervals."""
    policy, problems = load_policy(str(folder), prompt="nano"), load_problems("nanomath", limit=limit)
    greedy = solve(problems, policy, None, method="cot", store=store)
    pool = solve(problems, policy, None, method="best_of_n", n=N, store=store)
    ends = [path["end"] for record in pool for path in record.trajectories]
    return {
        "greedy": str(greedy.accuracy("majority_vote")), "mean pass@1": str(pool.mean_pass_at_1()),
        f"majority@{N}": str(pool.accuracy("majority_vote")), f"pass@{N}": str(pool.pass_at_k(N)),
        "boxed": f"{ends.count('boxed') / len(ends):.3f}",
    }


def measure_prm(folder: Path, policy_folder: Path, store: Path, limit: int) -> dict[str, str]:
    """AUC within problem and depth, and BoN@16 by the PRM beside mean pass@1 and majority, on one policy's samples."""
    policy, prm = load_policy(str(policy_folder), prompt="nano"), load_prm(str(folder))
    pool = solve(load_problems("nanomath", limit=limit), policy, prm, method="best_of_n", n=N, store=store)
    family = POLICIES[policy_folder.name].style
    return {
        "policy": policy_folder.name, "AUC within problem and depth": f"{auc_within(pool, family):.3f}",
        "mean pass@1": str(pool.mean_pass_at_1()), f"majority@{N}": str(pool.accuracy("majority_vote")),
        **{f"BoN@{N} ({rule})": str(pool.accuracy(rule)) for rule in ("prm_last_vote", "prm_last_max", "prm_min_max")},
        f"pass@{N}": str(pool.pass_at_k(N)),
    }


def auc_within(pool, family: str) -> float:
    """Chance that a first wrong step scores below a right step of the same problem and depth, ties counted half.

    Every pair of such steps counts the same; steps after a first error count nowhere. NaN if there is no pair.
    """
    won = pairs = 0.0
    for worked, record in zip(nanomath(), pool, strict=False):
        right, wrong = defaultdict(set), defaultdict(set)
        for path in record.trajectories:
            steps = tuple(step.strip() for step in path["steps"])
            first = check_steps(list(steps), worked, family)
            for depth, score in enumerate(path["scores"][: first if first >= 0 else None]):
                right[depth].add((steps[: depth + 1], score))
            if first >= 0:
                wrong[first].add((steps[: first + 1], path["scores"][first]))
        for depth in wrong:
            good = np.array([score for _, score in right[depth]])
            for _, score in wrong[depth]:
                won += (good > score).sum() + 0.5 * (good == score).sum()
                pairs += len(good)
    return won / pairs if pairs else float("nan")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--policy", type=Path, help="judge a PRM on this policy's samples")
    parser.add_argument("--store", type=Path, default=Path("runs/measure"))
    parser.add_argument("--limit", type=int, default=500)
    options = parser.parse_args()
    if options.policy:
        found = measure_prm(options.folder, options.policy, options.store, options.limit)
    else:
        found = measure_policy(options.folder, options.store, options.limit)
    print(json.dumps({"model": options.folder.name, "problems": options.limit, **found}, indent=1, ensure_ascii=False))
