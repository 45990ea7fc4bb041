"""In which order new prefixes are forwarded, and which of them together: what several share is forwarded once.

    question ─┬─ step 1a ─── step 2a          phase 0: question (if it is new)
              └─ step 1b ─┬─ step 2b          phase 1: [1a 2a], [1b]
                          └─ step 2c          phase 2: [2b], [2c]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ttslib.prms.prefixes import Prefix


@dataclass(eq=False, slots=True)
class Chain:
    """New prefixes that are forwarded in one go: each is the only new one that goes on from the one before."""

    prefixes: list[Prefix]
    phase: int = 0

    @property
    def parent(self) -> Prefix | None:
        """What must have been forwarded before."""
        return self.prefixes[0].parent

    @property
    def past(self) -> int:
        """How many tokens its parents hold."""
        return self.prefixes[0].start

    @property
    def new(self) -> int:
        """How many tokens it adds."""
        return self.prefixes[-1].end - self.past

    @property
    def ids(self) -> tuple[int, ...]:
        return self.prefixes[-1].ids[self.past :]


def phases(new: Iterable[Prefix]) -> list[list[Chain]]:
    """The chains of all prefixes in `new` (parents first), by phase: parents are forwarded in an earlier one."""
    new = list(new)
    children = Counter(prefix.parent for prefix in new)
    chains: dict[Prefix, Chain] = {}
    by_phase: list[list[Chain]] = []
    for prefix in new:
        before = chains.get(prefix.parent)
        if before is not None and children[prefix.parent] == 1:
            before.prefixes.append(prefix)
            chains[prefix] = before
            continue
        chains[prefix] = chain = Chain([prefix], 0 if before is None else before.phase + 1)
        if chain.phase == len(by_phase):
            by_phase.append([])
        by_phase[chain.phase].append(chain)
    return by_phase


def batches(chains: Iterable[Chain], budget: int) -> Iterator[list[Chain]]:
    """Chains of similar length together; a batch holds at most `budget` tokens, those of parents and padding included.

    A single chain above the budget is a batch of its own.
    """
    batch: list[Chain] = []
    past = new = 0
    for chain in sorted(chains, key=lambda chain: (chain.new, chain.past)):
        past, new = max(past, chain.past), max(new, chain.new)
        if batch and (len(batch) + 1) * (past + new) > budget:
            yield batch
            batch, past, new = [], chain.past, chain.new
        batch.append(chain)
    if batch:
        yield batch
