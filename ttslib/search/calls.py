"""Calls to policy and PRM, with the checks that keep a bad reply from becoming a silent score."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence

from ttslib.policies.base import Path, Policy, Step
from ttslib.prms.base import PRM, Unread


async def together(calls: Iterable[Awaitable]) -> list:
    """Results of all calls, run at once, in the order given; if one raises, the others are cancelled."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        if not all(task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def sample(policy: Policy, path: Path, *, n: int, top_p: float = 1.0, **options) -> list[Step]:
    """`policy.sample`, or ValueError if the reply does not hold `n` steps.

    `top_p` is passed on if it is not 1, so a policy that knows none can be searched without one.
    """
    if top_p != 1:
        options["top_p"] = top_p
    steps = await policy.sample(path, n=n, **options)
    if len(steps) != n:
        raise ValueError(
            f"Policy {policy.name} returned {len(steps)} samples where {n} were asked for; check its backend."
        )
    return steps


async def score(prm: PRM, paths: Sequence[Path]) -> list[Path | Unread]:
    """The same paths with every step scored, in one call; in place of one that the PRM cannot read, why.

    Raises ValueError for a missing or impossible score.
    """
    asked = [path for path in paths if len(path.scores) < len(path.steps)]
    replies = await prm.score(asked) if asked else []
    if len(replies) != len(asked):
        raise ValueError(f"PRM {prm.name} scored {len(replies)} of {len(asked)} paths; check its backend.")
    done: list[Path | Unread] = []
    reply = iter(replies)
    for path in paths:
        new = next(reply) if len(path.scores) < len(path.steps) else []
        if new is None or isinstance(new, Unread):
            done.append(new or Unread.LONG)
            continue
        missing = len(path.steps) - len(path.scores)
        if len(new) != missing or not all(0 <= value <= 1 for value in new):
            raise ValueError(
                f"PRM {prm.name} should give {missing} scores in [0, 1] for problem "
                f"{path.problem.id}, but gave {list(new)}; check its input format."
            )
        done.append(Path(path.problem, path.steps, path.scores + tuple(float(value) for value in new)))
    return done
