"""One forward pass for chains of unequal past and new lengths, and what it leaves in their prefixes.

Past keys and values are padded on the left, new tokens on the right, so that in every row they meet in the same column:

    past . . p p p | n n n n .        a mask hides the dots on the left; causal attention never reaches those on the
    past p p p p p | n n . . .        right; position ids count from each row's own first token
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from transformers.cache_utils import Cache, DynamicLayer

from ttslib.prms.formats import Format
from ttslib.prms.prefixes import Prefix
from ttslib.prms.schedule import Chain


class PaddedLayer(DynamicLayer):
    """One layer's keys and values, [rows, heads, past + new, head dim], whose first `past` columns are known."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, past: int):
        super().__init__()
        self.lazy_initialization(keys, values)
        self.keys, self.values, self.past = keys, values, past

    def update(self, key_states, value_states, *args, **kwargs):
        """Puts the new keys and values behind the known ones."""
        self.keys[:, :, self.past :], self.values[:, :, self.past :] = key_states, value_states
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """Tokens known before this forward pass; masks are made from it."""
        return self.past


@torch.inference_mode()
def forward(network, format: Format, chains: Sequence[Chain], *, keep: bool = True) -> None:
    """Fills in `scores` of every prefix of the chains, and `kv` if `keep`. Parents must have been forwarded."""
    past, new = max(chain.past for chain in chains), max(chain.new for chain in chains)
    device = network.device
    ids = torch.tensor([chain.ids + (0,) * (new - chain.new) for chain in chains], device=device)
    if keep:
        kv = _padded(network, [chain.parent for chain in chains], past, new)
        pairs = [pair for part in kv for pair in zip(part[::2], part[1::2], strict=True)]
        layers = [PaddedLayer(keys, values, past) for keys, values in pairs]
        options = {"past_key_values": Cache(layers=layers), "use_cache": True}
        if past:
            lengths = torch.tensor([chain.past for chain in chains], device=device)[:, None]
            options["position_ids"] = lengths + torch.arange(new, device=device)
            options["attention_mask"] = torch.arange(past + new, device=device) >= past - lengths
    else:
        options = {"use_cache": False}
    hidden = network.model(ids, **options).last_hidden_state
    places = [
        (row, position - chain.past)
        for row, chain in enumerate(chains) for prefix in chain.prefixes for position in prefix.positions
    ]
    scores = iter(())
    if places:
        rows, columns = zip(*places, strict=True)
        scores = iter(format.scores(network, hidden[list(rows), list(columns)].float()).tolist())
    for row, chain in enumerate(chains):
        for prefix in chain.prefixes:
            before = prefix.parent.scores if prefix.parent else ()
            prefix.scores = (*before, *(next(scores) for _ in prefix.positions))
            if keep:
                first = past + prefix.start - chain.past
                # A copy: a view would keep the whole batch alive.
                prefix.kv = [part[:, row, :, first : first + prefix.end - prefix.start].clone() for part in kv]


def layers_by_device(network) -> dict[torch.device, int]:
    """How many layers each device holds, in the order in which they are passed."""
    return Counter(next(layer.parameters()).device for layer in network.model.layers)


def token_bytes(network) -> int:
    """Bytes that the keys and values of one token take, on all devices together."""
    heads, width = _kv_shape(network.config)
    return 2 * network.config.num_hidden_layers * heads * width * network.dtype.itemsize


def _kv_shape(config) -> tuple[int, int]:
    """(heads, head dim) of a layer's keys, and of its values."""
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_key_value_heads, width


def _padded(network, parents: Sequence[Prefix | None], past: int, new: int) -> list[torch.Tensor]:
    """For each device, in the order of its layers: [2 * layers, rows, heads, past + new, head dim], the parents' keys
    and values ending at column `past`."""
    heads, width = _kv_shape(network.config)
    kv = [
        torch.empty((2 * layers, len(parents), heads, past + new, width), dtype=network.dtype, device=device)
        for device, layers in layers_by_device(network).items()
    ]
    first: dict[Prefix | None, int] = {}
    for row, parent in enumerate(parents):
        same = first.setdefault(parent, row)
        padding = past - (parent.end if parent else 0)
        lineage = list(parent.lineage()) if parent else []
        for place, part in enumerate(kv):
            if same != row:
                part[:, row, :, :past] = part[:, same, :, :past]
                continue
            part[:, row, :, :padding] = 0  # masked, but what was in that memory may be NaN
            for prefix in lineage:
                part[:, row, :, padding + prefix.start : padding + prefix.end] = prefix.kv[place]
    return kv
