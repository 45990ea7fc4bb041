"""A PRM in plain transformers that forwards only what is new: keys and values of scored prefixes are kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ttslib.loop import Pump
from ttslib.memory import reclaim
from ttslib.policies.base import Path
from ttslib.prms.base import PRM, Unread
from ttslib.prms.formats import Encoded, Format, encode_path, shared_prefix
from ttslib.prms.forward import forward, token_bytes
from ttslib.prms.prefixes import Key, Prefix, PrefixCache, key_of
from ttslib.prms.schedule import batches, phases
from ttslib.usage import Usage, current

STEMS = 4096


@dataclass(eq=False, slots=True)
class Request:
    """One path that waits for the scores of all steps but the first `known`; the last one ends where `prefix` ends."""

    encoded: Encoded
    stem: int
    known: int
    cell: Usage | None
    future: asyncio.Future
    prefix: Prefix | None = None


class TransformersPRM(PRM):
    """`network` has a causal `.model` body; `format` says what goes in and where scores are read.

    With `reuse`, keys and values of scored steps are kept and only what is new is forwarded, up to the last step. The
    `cache_tokens` tokens used last are kept (default: 512 MiB of them on a CPU, 4 GiB on a GPU); where something was
    dropped more is forwarded, and the scores are the same. Reuse stays within one search, so what a search costs does
    not depend on what ran before it. Without `reuse` every whole text is forwarded every time.

    Requests that come within `patience` turns of the event loop share forward passes of at most `batch_tokens` tokens,
    padding included. A turn is one step of a policy in the same loop, and takes no time where nothing else runs.

    Attributes: those of `PRM`, and `seconds`, the wall time spent encoding and forwarding so far.
    """

    backend = "transformers"

    def __init__(self, network, format: Format, *, name: str, revision: str, max_model_len: int,
                 settings: Mapping[str, Any] = PRM.settings, reuse: bool = True, cache_tokens: int | None = None,
                 batch_tokens: int | None = None, patience: int = 1):
        self.network, self.format, self.name, self.revision = network.eval(), format, name, revision
        self.settings = settings
        self.max_model_len, self.reuse = max_model_len, reuse
        cpu = network.device.type == "cpu"
        # On a CPU larger batches are slower: what they compute leaves its cache.
        self.batch_tokens = batch_tokens or (2048 if cpu else 16384)
        if cache_tokens is None:
            cache_tokens = (2**29 if cpu else 2**32) // token_bytes(network)
        self.cache = PrefixCache(cache_tokens)
        self.patience = patience
        self.seconds = 0.0
        self._stems: dict[str, tuple[int, ...]] = {}
        self._queue: list[Request] = []
        self._pump = Pump(name)

    @property
    def closed(self) -> bool:
        """See `PRM.closed`."""
        return self.network is None

    def close(self) -> None:
        """See `PRM.close`; RuntimeError while a request is unfinished."""
        if self._pump.busy:
            raise RuntimeError(f"{self.name} has unfinished requests: close it after them.")
        self.network, self.cache = None, PrefixCache(0)
        reclaim()

    async def score(self, paths: Sequence[Path]) -> list[list[float] | Unread]:
        """See `PRM.score`. Raises RuntimeError if another thread's event loop is using the PRM, or with its cause if
        the network fails."""
        if self.closed:
            raise RuntimeError(f"{self.name} is closed: load it again.")
        loop = asyncio.get_running_loop()
        self._pump.start(self._drain)
        with self._timed():
            asked = [self._request(path, loop.create_future()) for path in paths if len(path.steps) > len(path.scores)]
        requests = [request for request in asked if isinstance(request, Request)]
        self._queue += requests
        await asyncio.gather(*(request.future for request in requests))
        self.usage.add(tokens=0, calls=1)
        replies = (each.future.result() if isinstance(each, Request) else each for each in asked)
        return [next(replies) if len(path.steps) > len(path.scores) else [] for path in paths]

    def _request(self, path: Path, future: asyncio.Future) -> Request | Unread:
        """What is asked for a path, or why it cannot be read."""
        question = path.problem.question
        encoded = encode_path(self.format, path, self.max_model_len)
        if isinstance(encoded, Unread):
            return encoded
        if question not in self._stems:
            if len(self._stems) >= STEMS:
                self._stems.clear()
            one, other = (self.format.encode(question, [step]).ids for step in ("?", "1"))
            self._stems[question] = one[: shared_prefix(one, other)]
        stem = shared_prefix(self._stems[question], encoded.ids)
        return Request(encoded, stem, len(path.scores), current(), future)

    async def _drain(self) -> None:
        """Serves what is queued until nothing is; requests given up, or left behind by a closed loop, are dropped."""
        while self._queue:
            for _ in range(self.patience):
                await asyncio.sleep(0)
            loop = asyncio.get_running_loop()
            requests = [each for each in self._queue if not each.future.done() and each.future.get_loop() is loop]
            self._queue = []
            try:
                await self._serve(requests)
            except Exception as error:
                self._fail(requests, error)
            finally:
                for request in requests:
                    request.future.cancel()  # only those left when this task is cancelled are not done

    async def _serve(self, requests: Sequence[Request]) -> None:
        """Resolves the requests, phase by phase; lets the searches go on after every batch."""
        new = self._place(requests)
        waiting: dict[Prefix, list[Request]] = {}
        for request in requests:
            waiting.setdefault(request.prefix, []).append(request)
        self._resolve(request for request in requests if request.prefix.scores)
        for phase in phases(new):
            possible = [chain for chain in phase if chain.parent is None or chain.parent.kv is not None]
            for batch in batches(possible, self.batch_tokens):
                try:
                    with self._timed():
                        forward(self.network, self.format, batch, keep=self.reuse)
                except Exception as error:
                    lost = {prefix for chain in batch for prefix in chain.prefixes}
                    self._fail((each for each in requests if lost.intersection(each.prefix.lineage())), error)
                else:
                    for chain in batch:
                        self.usage.add(tokens=chain.new, calls=0, cell=chain.prefixes[0].cell)
                        for prefix in chain.prefixes:
                            self._resolve(waiting.get(prefix, ()))
                            if self.reuse:
                                self.cache.add(prefix)
                await asyncio.sleep(0)

    def _place(self, requests: Sequence[Request]) -> list[Prefix]:
        """Gives every request its prefix and returns those that must be forwarded, parents first."""
        new: dict[Key, Prefix] = {}
        for request in requests:
            ids, positions, cell = request.encoded.ids, request.encoded.positions, request.cell
            if not self.reuse:
                request.prefix = new[id(request), ids] = Prefix(ids, cell, positions=positions)
                continue
            missing, parent = [], None
            for last in (*reversed(positions), request.stem - 1):
                key = key_of(cell, ids[: last + 1])
                if last < 0 or (parent := new.get(key) or self.cache.get(key)):
                    break
                missing.append((key, last))
            for key, last in reversed(missing):
                parent = new[key] = Prefix(key[1], cell, parent, (last,) if last >= positions[0] else ())
            request.prefix = parent
        return list(new.values())

    @contextmanager
    def _timed(self):
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start

    @staticmethod
    def _resolve(requests: Iterable[Request]) -> None:
        for request in requests:
            if not request.future.done():
                request.future.set_result(list(request.prefix.scores[request.known :]))

    def _fail(self, requests: Iterable[Request], error: Exception) -> None:
        for request in requests:
            if not request.future.done():
                failure = RuntimeError(f"{self.name}: scoring failed: {error}")
                failure.__cause__ = error
                request.future.set_exception(failure)
