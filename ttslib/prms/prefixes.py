"""Prefixes that a PRM has forwarded: their keys and values, and the scores of their steps.

A prefix ends at the marker of a step, or where the question ends and the first step begins. It holds only what it adds
to the prefix before it, so 16 first steps share one copy of their question.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from ttslib.usage import Usage

Key = tuple[int, tuple[int, ...]]


@dataclass(eq=False, slots=True)
class Prefix:
    """`ids[:len(ids)]` of some text; it adds `ids[parent.end:]` to its parent, and the scores read at `positions`.

    Attributes:
        cell: the search it belongs to; None outside of one.
        kv: keys and values of the added tokens, for each device [2 * its layers, heads, tokens, head dim]; None until
            forwarded.
        scores: of every step that ends in it, the parent's included; empty until forwarded.
    """

    ids: tuple[int, ...]
    cell: Usage | None
    parent: Prefix | None = None
    positions: tuple[int, ...] = ()
    kv: list[torch.Tensor] | None = field(default=None, repr=False)
    scores: tuple[float, ...] = ()

    @property
    def start(self) -> int:
        return 0 if self.parent is None else len(self.parent.ids)

    @property
    def end(self) -> int:
        return len(self.ids)

    @property
    def key(self) -> Key:
        return key_of(self.cell, self.ids)

    def lineage(self) -> Iterator[Prefix]:
        """This prefix, its parent, and so on to the first."""
        prefix: Prefix | None = self
        while prefix is not None:
            yield prefix
            prefix = prefix.parent


def key_of(cell: Usage | None, ids: tuple[int, ...]) -> Key:
    """What a prefix is found by: all of its ids, and the search, which the prefix keeps alive."""
    return id(cell), ids


class PrefixCache:
    """The prefixes used last, at most `max_tokens` tokens in all.

    A prefix is only here while its parent is, and using it counts as using its parents: so what goes first is always
    the end of a path, and no entry holds on to one that is gone.
    """

    def __init__(self, max_tokens: int):
        self.max_tokens, self.tokens = max_tokens, 0
        self._found: dict[Key, Prefix] = {}
        self._used: OrderedDict[Prefix, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def get(self, key: Key) -> Prefix | None:
        """The prefix of that key, counted as used; None if it is not here (any more)."""
        found = self._found.get(key)
        if found is not None:
            self._use(found)
        return found

    def add(self, prefix: Prefix) -> None:
        """Keep a forwarded prefix, if its parent is here; drops those used longest ago until all fit."""
        if prefix.parent is not None and prefix.parent not in self._used or prefix.key in self._found:
            return
        self._found[prefix.key] = prefix
        self.tokens += prefix.end - prefix.start
        self._use(prefix)
        while self.tokens > self.max_tokens:
            oldest, _ = self._used.popitem(last=False)
            del self._found[oldest.key]
            self.tokens -= oldest.end - oldest.start

    def _use(self, prefix: Prefix) -> None:
        for each in prefix.lineage():
            self._used[each] = None
            self._used.move_to_end(each)
