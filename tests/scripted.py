"""A policy and a PRM that follow a script (a function of seed and path), and a program to be killed.

python scripted.py STORE SIDE_FILE METHOD N PROBLEMS SLEEP [PRM_NAME]
"""

import asyncio
import hashlib
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

from ttslib.cells import Cell, make_cells
from ttslib.policies.base import Policy, Step
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search import SearchConfig, configured, get_method
from ttslib.usage import Usage


def rng(*parts) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big"))


def problems(count: int) -> list[Problem]:
    return [Problem(f"p{i}", f"What is {i} + {i}?", str(2 * i), "algebra", 1 + i % 5) for i in range(count)]


class ScriptedPolicy(Policy):
    """One to four steps, the last one boxed, right half of the time. Notes each cell it starts in `side`."""

    name, revision, closed = "scripted", "r1", False

    def __init__(
        self, side: str | None = None, sleep: float = 0.0, raises: dict[str, Exception] | None = None
    ):
        self.side, self.sleep, self.raises = side, sleep, raises or {}
        self.running = self.most = 0

    async def _sample(self, path, draw):
        if self.side and not path.steps:
            with open(self.side, "a") as file:
                file.write(f"{path.problem.id} {os.getpid()}\n")
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.sleep)
        self.running -= 1
        if path.problem.id in self.raises:
            raise self.raises[path.problem.id]
        steps = [self._step(path, draw.seed, i, draw.stop) for i in range(draw.n)]
        self.usage.add(tokens=sum(len(step.tokens) for step in steps))
        return steps

    def _step(self, path, seed, i, stop):
        draw = rng(seed, i, path.problem.id, [step.text for step in path.steps])
        last = len(path.steps) >= 3 or draw.random() < 0.3
        right = draw.random() < 0.5
        answer = path.problem.answer if right else str(draw.randint(0, 9))
        if stop is None:
            return Step(f"Think {draw.randint(0, 9)}.\n\n\\boxed{{{answer}}}", (1,) * 7, "eos")
        if last:
            return Step(f"\\boxed{{{answer}}}", (1,) * 4, "eos")
        return Step(f"Think {draw.randint(0, 9)}.\n\n", (1,) * 3, "step")


class ScriptedPRM(PRM):
    """Reads at most `context` steps."""

    name, revision, closed = "scripted-prm", "r1", False

    def __init__(self, context: float = math.inf):
        self.context, self.usage = context, Usage()

    async def score(self, paths):
        self.usage.add(tokens=sum(len(path.steps) for path in paths), calls=1)
        return [
            [rng(step.text).random() for step in path.steps[len(path.scores) :]]
            if len(path.steps) <= self.context else None
            for path in paths
        ]


def plan(problems, policy, prm, *, method, **settings) -> list[Cell]:
    """The cells that `solve` runs with the same arguments."""
    config = configured(SearchConfig(), **{**policy.sampling, **settings})
    return make_cells(problems, policy.identity, prm and prm.identity, get_method(method), config)


def main() -> None:
    from ttslib.runner import solve

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    store, side, method, n, count, sleep, *name = sys.argv[1:]
    prm = ScriptedPRM()
    prm.name = name[0] if name else prm.name
    here = Path(f"{side}.here")
    here.mkdir(exist_ok=True)
    (here / str(os.getpid())).touch()
    while len(list(here.iterdir())) < int(os.environ.get("TOGETHER", 1)):
        time.sleep(0.01)
    solve(
        problems(int(count)),
        ScriptedPolicy(side, float(sleep)),
        prm,
        method=method,
        n=int(n),
        store=store,
        concurrency=4,
        progress=False,
    )


if __name__ == "__main__":
    main()
