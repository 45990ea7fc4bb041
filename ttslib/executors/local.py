"""This process: one policy and one PRM in memory at most, loaded when a cell needs them and freed before the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ttslib import loop, policies, prms
from ttslib.executors.base import Executor, Job
from ttslib.executors.placement import placed
from ttslib.executors.searches import Searches
from ttslib.records import Record, Store
from ttslib.runs import ModelSpec


class LocalExecutor(Executor):
    """Runs jobs one after the other, the cells of each side by side, at most `concurrency` at a time.

    The models of the last job stay in memory for the next call, until others are needed, `close` is called or something
    raises. Where there are GPUs, the paper's models are placed on them (see `placed`). `load_policy` and `load_prm` may
    be overridden: they are called with a model's name and options.
    """

    load_policy = staticmethod(policies.load_policy)
    load_prm = staticmethod(prms.load_prm)

    def __init__(self, concurrency: int = 256):
        self.concurrency = concurrency
        self._policy, self._prm = Room(self.load_policy), Room(self.load_prm)

    def run(
        self, jobs: Sequence[Job], store: Store, *, retry_after: Mapping[str, int], finished: Callable[[Record], None]
    ) -> None:
        """See `Executor.run`. Raises ValueError if a model cannot be loaded."""
        try:
            for job in jobs:
                for_policy, for_prm = placed(job.policy, job.prm)
                # What this job does not take is freed before anything is loaded.
                self._policy.keep(job.policy, for_policy)
                self._prm.keep(job.prm, for_prm)
                searches = Searches(
                    store, self._policy.take(job.policy, for_policy), self._prm.take(job.prm, for_prm),
                    retry_after=retry_after, finished=finished, concurrency=self.concurrency,
                )  # fmt: skip
                loop.run(searches.run(job.cells))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """See `Executor.close`."""
        self._policy.close()
        self._prm.close()


class Room:
    """For one model in memory."""

    def __init__(self, load: Callable[..., Any]):
        self._load, self._model, self._taken = load, None, None

    def keep(self, spec: ModelSpec | None, options: Mapping[str, Any]) -> None:
        """Frees what is there, unless it is the model with these options."""
        if self._taken != (spec, options):
            self.close()

    def take(self, spec: ModelSpec | None, options: Mapping[str, Any]) -> Any:
        """The model, loaded now if it is not there; None for none."""
        self.keep(spec, options)
        if spec is not None and self._model is None:
            self._model = self._load(spec.name, **options)
            self._taken = spec, options
        return self._model

    def close(self) -> None:
        """Frees the model."""
        model, self._model, self._taken = self._model, None, None
        if model is not None:
            model.close()
