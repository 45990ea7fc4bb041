"""Cells: one search of one problem each, found again by the content of what decides their result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ttslib import policies, prms
from ttslib.canonical import canonical_json
from ttslib.problems import Problem
from ttslib.runs import Run
from ttslib.search import RULES, Method, SearchConfig, Shape, configured, get_method

Identity = Mapping[str, Any]
"""What names a model in a cell: `Policy.identity`, `PRM.identity`."""
HERE = "\ue000 the problem"


@dataclass(frozen=True)
class Cell:
    """One search to run: `content` is everything that decides its result, `key` the hash of that.

    `pool`: of a cell whose samples are drawn first and scored afterwards, the same cell without a PRM; its record holds
    the samples, drawn once for all PRMs.
    """

    problem: Problem
    method: Method
    config: SearchConfig
    shape: Shape
    content: Mapping[str, Any]
    key: str
    pool: Cell | None = None


def make_cells(
    problems: Iterable[Problem], policy: Identity | None, prm: Identity | None, method: Method, config: SearchConfig
) -> list[Cell]:
    """A cell for each problem, in their order.

    Raises ValueError, in one sentence, for settings and models that the method cannot run with, and for two problems
    with one id.
    """
    shape = method.check(config, policy=policy is not None, prm=prm is not None)
    problems = unique(problems)
    identities = [problem_identity(problem) for problem in problems]
    shared = {"rules": RULES, **method.address(config), "policy": policy if method.needs_policy else None}

    def made(prm: Identity | None, pools: Iterable[Cell | None]) -> Iterator[Cell]:
        # The address is `cell_key(content)`; all but the problem is written out once for all cells.
        before, after = canonical_json(shared | {"prm": prm, "problem": HERE}).split(canonical_json(HERE))
        for problem, identity, pool in zip(problems, identities, pools, strict=True):
            key = hashlib.sha256(f"{before}{canonical_json(identity)}{after}".encode()).hexdigest()
            yield Cell(problem, method, config, shape, shared | {"prm": prm, "problem": identity}, key, pool)

    without = [None] * len(problems)
    return list(made(prm, made(None, without) if method.samples_first and prm else without))


def cells_of(run: Run) -> list[Cell]:
    """The cells of a run; nothing is loaded. Raises ValueError as `make_cells` does, and if problems or a model's
    revision cannot be had."""
    policy = policies.identify(run.policy.name, **run.policy.options) if run.policy else None
    prm = prms.identify(run.prm.name, **run.prm.options) if run.prm else None
    return make_cells(run.load(), policy, prm, get_method(run.method), config_of(run))


def config_of(run: Run) -> SearchConfig:
    """The settings of a run over those that its policy is known for. Raises ValueError."""
    own = policies.sampling(run.policy.name) if run.policy else {}
    return configured(SearchConfig(), **{**own, "n": run.n, "width": run.width, "seed": run.seed, **run.settings})


def problem_identity(problem: Problem) -> dict[str, str]:
    """A problem in an address: its id, and a hash of what is asked, the gold answer, and the given solution if any."""
    text = "\n".join((problem.question, problem.answer, *problem.steps))
    return {"id": problem.id, "content": hashlib.sha256(text.encode()).hexdigest()[:16]}


def unique(problems: Iterable[Problem]) -> list[Problem]:
    """The problems as a list; ValueError for what is none, and for two with one id."""
    problems, ids = list(problems), set()
    for problem in problems:
        if not isinstance(problem, Problem):
            kind = type(problem).__name__
            raise ValueError(f"problems holds a {kind}: pass what tts.load_problems gives, or a list of tts.Problem.")
        if problem.id in ids:
            raise ValueError(f"Two problems have the same id {problem.id!r}: ids name the records, give each its own.")
        ids.add(problem.id)
    return problems
