"""What is to be run, as data: a method with a policy and a PRM on a set of problems. Nothing is loaded or computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ttslib.problems import Problem, benchmark_name, known_size, load_problems


class Options(Mapping):
    """A mapping that cannot be changed and may be part of a key: the same items are equal in whatever order."""

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()):
        self._items = dict(sorted(dict(items).items()))

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:  # of the names alone: a value may be a list, as `device` of `load_prm` is
        return hash(tuple(self._items))

    def __repr__(self) -> str:
        return repr(self._items)


@dataclass(frozen=True)
class ModelSpec:
    """A policy or a PRM by name, not loaded: what `load_policy` or `load_prm` is called with."""

    name: str
    options: Mapping[str, Any] = Options()

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError(f"A model is given by its name, a Hub id or a path, not {self.name!r}.")
        object.__setattr__(self, "options", _options(self.options, f"The options of {self.name}"))

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, model: str | Path | Mapping[str, Any] | ModelSpec) -> ModelSpec:
        """From a name, or from {"model": name, option: value, ...}. ValueError for anything else."""
        if isinstance(model, cls):
            return model
        if isinstance(model, str | Path):
            return cls(str(model))
        if not isinstance(model, Mapping):
            raise ValueError(f'A model is a name or {{"model": name, option: value}}, not {model!r}.')
        if "model" not in model:
            raise ValueError(f'{dict(model)!r} names no model: add "model" with a name, a Hub id or a path.')
        return cls(model["model"], {name: value for name, value in model.items() if name != "model"})


@dataclass(frozen=True)
class Run:
    """One method, with one policy and PRM and one setting, on one set of problems: a cell per problem.

    Attributes:
        method: name of a search method, as in `ttslib.search.METHODS`.
        policy, prm: a `ModelSpec`, or what `ModelSpec.of` makes one of. `prm` is None for what needs no scores.
        problems: what `load_problems` takes, or the problems themselves.
        limit: only the first ones; None for all.
        n, width, seed: budget N, width M and seed of `SearchConfig`.
        settings: further fields of it; those left out are the model's own, or the defaults.
        policy_role, prm_role, benchmark: whose part they play in the paper, for frames and figures; "" for none.
    """

    method: str
    policy: ModelSpec | None
    prm: ModelSpec | None
    problems: str | tuple[Problem, ...]
    limit: int | None = None
    n: int = 1
    width: int = 4
    seed: int = 0
    settings: Mapping[str, Any] = Options()
    policy_role: str = ""
    prm_role: str = ""
    benchmark: str = ""

    def __post_init__(self):
        for part in ("policy", "prm"):
            if (model := getattr(self, part)) is not None:
                object.__setattr__(self, part, ModelSpec.of(model))
        object.__setattr__(self, "settings", _options(self.settings, f"The settings of {self.method}"))
        whole = isinstance(self.limit, int) and not isinstance(self.limit, bool)
        if self.limit is not None and not (whole and self.limit >= 1):
            raise ValueError(f"limit is how many problems to take, a whole number from 1, or None, not {self.limit!r}.")
        if isinstance(self.problems, str | Path):
            object.__setattr__(self, "problems", str(self.problems))
            known_size(self.problems)
        else:
            object.__setattr__(self, "problems", _explicit(self.problems))

    @property
    def size(self) -> int:
        """Number of problems. A benchmark's is known without reading it; a local file is read."""
        if isinstance(self.problems, str):
            size = known_size(self.problems)
            size = len(_read(*_stamped(self.problems))) if size is None else size
        else:
            size = len(self.problems)
        return size if self.limit is None else min(size, self.limit)

    @property
    def label(self) -> str:
        """The run in words, for messages."""
        models = " with ".join(model.name for model in (self.policy, self.prm) if model)
        on = self.problems if isinstance(self.problems, str) else f"{len(self.problems)} problems"
        return f"{self.method} N={self.n} {models} on {on}"

    @property
    def dataset(self) -> str:
        """The name of its data set in headings; "" for problems given one by one."""
        return benchmark_name(self.problems) if isinstance(self.problems, str) else ""

    def load(self) -> list[Problem]:
        """The problems; those of a data set are read once for all runs. Raises ValueError as `load_problems` does."""
        every = _read(*_stamped(self.problems)) if isinstance(self.problems, str) else self.problems
        return list(every[: self.limit])


def _options(given: Mapping[str, Any], what: str) -> Options:
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ValueError(f"{what} are a mapping of names to values, not {given!r}.")
    return Options(given)


def _explicit(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    found = tuple(problems) if isinstance(problems, Iterable) else (problems,)
    if not found or not all(isinstance(problem, Problem) for problem in found):
        raise ValueError("problems is the name of a data set, the path of a file, or at least one tts.Problem.")
    return found


def _stamped(name: str) -> tuple[str, float]:
    """The name of a data set and, of a file, when it was written: an edited file is read again."""
    local = known_size(name) is None and Path(name).is_file()
    return name, Path(name).stat().st_mtime if local else 0.0


@lru_cache(maxsize=16)
def _read(name: str, written: float) -> tuple[Problem, ...]:
    return tuple(load_problems(name))
