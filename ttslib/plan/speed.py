"""Speeds that were measured: those in a store's records, to which `measure` adds a minute of each model."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ttslib.executors.hardware import Machine
from ttslib.provenance import busy_seconds
from ttslib.records import Record, Store, StoreError
from ttslib.runner import free, run
from ttslib.runs import Run


@dataclass(frozen=True)
class Speeds:
    """Tokens per second.

    Attributes:
        rates: (policy, PRM) -> the policy's, the PRM's time included; ("", PRM) -> the PRM's, reading samples.
        at_once: how many of these were under way at a time on average, for several processes may share a store.
        records: how many the speeds come from.
    """

    rates: Mapping[tuple[str, str], float] = field(default_factory=dict)
    at_once: float = 1.0
    records: int = 0

    def hours(self, policy: str, prm: str, policy_tokens: float, prm_tokens: float) -> float:
        """To compute cells of a policy and a PRM, "" for none, once they are loaded; NaN if that was not measured.

        A pair that was not measured counts as both models alone, one after the other.
        """
        parts = {(policy, prm): policy_tokens if policy else prm_tokens}
        if policy and prm and (policy, prm) not in self.rates:
            parts = {(policy, ""): policy_tokens, ("", prm): prm_tokens}
        seconds = sum(tokens / self.rates.get(models, math.nan) for models, tokens in parts.items())
        return seconds / self.at_once / 3600


def speeds_of(records: Iterable[Record], machine: Machine) -> Speeds:
    """From records that were made on such a machine and did not fail: tokens / seconds during which at least one of the
    cells was under way."""
    tokens, spans = Counter(), defaultdict(list)
    for record in records:
        if record.failed or not machine.made(record.engines.get("hardware", "")):
            continue
        policy, prm = ((record.cell.get(part) or {}).get("name", "") for part in ("policy", "prm"))
        policy = "" if record.pool else policy
        tokens[policy, prm] += (record.policy_usage if policy else record.prm_usage).get("tokens", 0)
        spans[policy, prm].append((record.started, record.seconds))
    busy = {models: seconds for models, some in spans.items() if (seconds := busy_seconds(some)) and tokens[models]}
    every = [span for models in busy for span in spans[models]]
    at_once = sum(busy.values()) / busy_seconds(every) if busy else 1.0
    return Speeds({models: tokens[models] / seconds for models, seconds in busy.items()}, at_once, len(every))


def stored_speeds(store: str | Path, machine: Machine) -> Speeds:
    """`speeds_of` a store, which is not made if it is not there. Raises StoreError if it cannot be read."""
    if not (Path(store) / "records.sqlite").is_file():
        return Speeds()
    with Store(store) as records:
        if len(records) > 2000:
            print(f"reading the speeds of {len(records):,} records in {store} ...", file=sys.stderr, flush=True)
        return speeds_of(records.records(), machine)


def measure(runs: Iterable[Run], store: str | Path, seconds: float) -> None:
    """Compute a part of `runs` into `store`: samples of each policy, and scores of samples by each PRM, on ever more
    problems until that many seconds have passed after the first, which waits for the model.

    Nothing that the store holds is computed again. A model that cannot be loaded is left out, and a line on stderr says
    why. Raises StoreError if the store cannot be written.
    """
    parts: dict[tuple, Run] = {}
    for each in sorted(runs, key=lambda each: (each.method != "best_of_n", -each.n)):
        samples = replace(each, method="best_of_n", prm=None, settings={})
        parts.setdefault(("policy", each.policy), samples)
        if each.prm:
            parts.setdefault(("prm", each.prm), replace(samples, prm=each.prm))
    for part in sorted(parts.values(), key=lambda each: each.prm is not None):
        print(f"timing {part.label} ...", file=sys.stderr, flush=True)
        end, limit = math.inf, 0
        try:
            while limit < part.size and time.perf_counter() < end:
                limit = min(part.size, 2 * limit or 1)
                run(replace(part, limit=limit), store=store, progress=False)
                end = min(end, time.perf_counter() + seconds)
        except StoreError:
            raise
        except ValueError as reason:
            print(f"not measured: {reason}", file=sys.stderr, flush=True)
    free()
