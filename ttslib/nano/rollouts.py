"""Solutions sampled from a policy on training problems, each with the index of its first wrong step.

    python -m ttslib.nano.rollouts runs/zoo/nano-qwen-3m --family qwen --out runs/zoo/rollouts/nano-qwen-3m.jsonl

One line a problem: question, the worked solution's steps, and the distinct sampled solutions as (steps, first wrong
step or -1). Sampled by the same Best-of-N search that experiments use, half at T = 0.7 and half at T = 1.0.
"""

import argparse
import itertools
import json
from pathlib import Path

from ttslib.experiment import solve
from ttslib.nano.generator import generate
from ttslib.nano.styles import STYLES, check_steps
from ttslib.policies import load_policy
from ttslib.problems import Problem

SEED = 2000
TEMPERATURES = (0.7, 1.0)


def roll_out(folder: Path, family: str, out: Path, problems: int, samples: int) -> None:
    """Samples `samples` solutions at each temperature for `problems` training problems and writes them to `out`."""
    policy = load_policy(str(folder), prompt="nano")
    worked = list(itertools.islice(generate(SEED, "train"), problems))
    asked = [Problem(f"train/{i}", w.question, w.answer, w.subject, w.level) for i, w in enumerate(worked)]
    sampled: list[set[tuple[str, ...]]] = [set() for _ in worked]
    store = out.with_suffix(".store")
    for temperature in TEMPERATURES:
        results = solve(asked, policy, None, method="best_of_n", n=samples, temperature=temperature, store=store)
        for solutions, record in zip(sampled, results, strict=True):
            solutions.update(tuple(step.strip() for step in path["steps"]) for path in record.trajectories)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8") as file:
        for w, solutions in zip(worked, sampled, strict=True):
            labelled = [(steps, check_steps(list(steps), w, family)) for steps in sorted(solutions)]
            row = {"question": w.question, "right": STYLES[family](w), "sampled": labelled}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    unfinished.replace(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--family", required=True, choices=sorted(STYLES))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--problems", type=int, default=4000)
    parser.add_argument("--samples", type=int, default=4)
    options = parser.parse_args()
    roll_out(options.folder, options.family, options.out, options.problems, options.samples)
