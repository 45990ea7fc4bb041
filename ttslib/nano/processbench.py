"""Writes NanoProcessBench: solutions that nano policies sampled, each with the index of its first wrong step.

    python -m ttslib.nano.processbench --zoo runs/zoo      # rewrites the file in ttslib/nano/data

Like ProcessBench (arXiv 2412.06559), but with exact labels (`check_steps`). Problems are test problems that are in no
other benchmark, one solution each. A wrong step counts whatever the answer is. Each solution with a wrong step comes
with a right one, of the same policy on another problem of the same subject and level: a PRM that knows no more than
how hard a problem is cannot tell them apart. The same weights give the same file, byte for byte on the same machine.
"""

import argparse
import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path as FilePath

from ttslib import loop
from ttslib.nano.benchmark import nanoaime, nanomath
from ttslib.nano.generator import generate, normalise_question
from ttslib.nano.specs import POLICIES
from ttslib.nano.styles import SEPARATOR, check_steps
from ttslib.nano.subjects import Worked
from ttslib.policies import Path, Policy, load_policy
from ttslib.problems import Problem
from ttslib.processbench import NANOPROCESSBENCH
from ttslib.search.tree import boxed

SOURCES = (
    "nano-llama-0.4m", "nano-llama-1m", "nano-qwen-0.4m", "nano-qwen-1m", "nano-mistral-0.4m", "nano-deepseek-1m",
)
SOLUTIONS = 400
SEED = 2412
TEMPERATURE, MAX_TOKENS = 0.7, 400
TOGETHER = 128  # problems at once
MOST = 20_000  # problems a policy is asked before it counts as one that is never right, or never wrong


def build(zoo: FilePath, out: FilePath, sources: tuple[str, ...] = SOURCES, solutions: int = SOLUTIONS) -> None:
    """Writes `out`, the policies in turn: its first solutions are balanced over them too."""
    used = {normalise_question(worked.question) for worked in (*nanomath(), *nanoaime())}
    found = []
    for place, name in enumerate(sources):
        count = len(range(place, solutions // 2, len(sources)))
        found.append(pairs(load_policy(str(zoo / name), prompt="nano"), name, fresh(SEED + place, used), count))
    in_turn = (pair for turn in itertools.zip_longest(*found) for pair in turn if pair)
    rows = ({"id": f"nanoprocessbench/{i:03d}"} | row for i, row in enumerate(itertools.chain.from_iterable(in_turn)))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    out.write_text(text, encoding="utf-8")


def fresh(seed: int, used: set[str]) -> Iterator[Worked]:
    """Test problems that are not in `used` (normalised questions), where each is then put."""
    for worked in generate(seed, "test"):
        question = normalise_question(worked.question)
        if question not in used:
            used.add(question)
            yield worked


def pairs(policy: Policy, name: str, problems: Iterator[Worked], count: int) -> list[tuple[dict, dict]]:
    """`count` pairs of a solution with a wrong step and a right one of the same subject and level.

    Raises ValueError if the policy does not give that many.
    """
    waiting: dict[tuple[str, int, bool], list[dict]] = defaultdict(list)
    found: list[tuple[dict, dict]] = []
    for start in range(0, MOST, TOGETHER):
        group = list(itertools.islice(problems, TOGETHER))
        for row in loop.run(_sampled(policy, name, group, start)):
            cell = row["subject"], row["level"]
            waiting[*cell, row["label"] >= 0].append(row)
            if waiting[*cell, True] and waiting[*cell, False]:
                found.append((waiting[*cell, True].pop(), waiting[*cell, False].pop()))
        if len(found) >= count:
            return found[:count]
    raise ValueError(f"{name} gave {len(found)} pairs of a wrong and a right solution on {MOST} problems, not {count}.")


async def _sampled(policy: Policy, name: str, group: list[Worked], start: int) -> list[dict]:
    """A row for each solution that ends in its only box."""
    problems = [Problem(f"test/{start + i}", w.question, w.answer, w.subject, w.level) for i, w in enumerate(group)]
    drawn = await asyncio.gather(*(
        policy.sample(Path(problem), n=1, seed=start + i, temperature=TEMPERATURE, max_tokens=MAX_TOKENS)
        for i, problem in enumerate(problems)
    ))
    rows = []
    for worked, [solution] in zip(group, drawn, strict=True):
        steps = [step.strip() for step in solution.text.split(SEPARATOR) if step.strip()]
        if [boxed(step) for step in steps].count(True) == 1 and boxed(steps[-1]):
            label = check_steps(steps, worked, POLICIES[name].style)
            rows.append({"problem": worked.question, "steps": steps, "label": label, "policy": name,
                         "subject": worked.subject, "level": worked.level})
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zoo", type=FilePath, default=FilePath("runs/zoo"))
    parser.add_argument("--out", type=FilePath, default=NANOPROCESSBENCH)
    options = parser.parse_args()
    build(options.zoo, options.out)
