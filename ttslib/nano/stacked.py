"""A network of two parts: frozen layers of a policy, and fresh layers on top that read it."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

EXTRA, CODE_SIZE = 32, 0.3  # channels with each token's code; its size beside that of an embedding


def deepened(base, layers: int):
    """`base` with `layers` more transformer layers on top, which add nothing to the residual stream at first."""
    config = copy.deepcopy(base.config)
    config.num_hidden_layers += layers
    if getattr(config, "layer_types", None):
        config.layer_types += config.layer_types[-1:] * layers
    deeper = type(base)(config)
    deeper.load_state_dict(base.state_dict(), strict=False)
    for layer in deeper.model.layers[base.config.num_hidden_layers :]:
        nn.init.zeros_(layer.self_attn.o_proj.weight)
        nn.init.zeros_(layer.mlp.down_proj.weight)
        # Equal projections make a token attend to where it was guessed, which is what comparing starts from.
        layer.self_attn.k_proj.weight.data.copy_(layer.self_attn.q_proj.weight.data)
    deeper.set_attn_implementation("eager")
    return deeper


def widened(base, extra: int = EXTRA):
    """`base` with `extra` more channels, in which every token's own code stays readable above all layers.

    A policy's upper layers forget which token they stand on: they hold the guess of the next one. The codes are so
    small that the normalisation of the other channels, and with it what `base` says, stays as it was.
    """
    width = base.config.hidden_size
    config = copy.deepcopy(base.config)
    config.hidden_size = width + extra
    config.num_attention_heads = config.num_key_value_heads = config.hidden_size // config.head_dim
    wide = type(base)(config)
    with torch.no_grad():
        for parameter in wide.parameters():
            parameter.zero_()
        for (_, old), (name, new) in zip(base.named_parameters(), wide.named_parameters(), strict=True):
            scale = (width / config.hidden_size) ** 0.5 if "norm" in name else 1.0
            new[tuple(map(slice, old.shape))] = old * scale
        words = wide.model.embed_tokens.weight
        words[:, width:] = CODE_SIZE * words[:, :width].std() * torch.randn(len(words), extra).sign()
    wide.set_attn_implementation("eager")
    return wide


@torch.no_grad()
def read_codes(network, depth: int, ids: torch.Tensor, extra: int = EXTRA) -> None:
    """Sets the norms above the first `depth` layers so that the codes of `widened` come out at unit size on `ids`."""
    hidden = network.model(ids, output_hidden_states=True, use_cache=False).hidden_states[depth]
    size = F.rms_norm(hidden, hidden.shape[-1:])[..., -extra:].pow(2).mean().sqrt()
    for layer in network.model.layers[depth:]:
        for norm in (layer.input_layernorm, layer.post_attention_layernorm):
            norm.weight[-extra:] = 1 / size


class Stacked:
    """`network` (a causal LM), whose first `depth` layers are frozen. Its rows are padded on the right.

    Attributes:
        fresh: the layers above `depth`.
        words: the frozen embeddings that tokens are guessed with.
    """

    def __init__(self, network, depth: int):
        self.network, self.depth = network, depth
        network.requires_grad_(False)
        self.fresh = network.model.layers[depth:]
        self.fresh.requires_grad_(True)
        for layer in self.fresh:
            for matrix in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
                matrix.register_hook(self._off_codes)
        self.norm = network.model.norm.weight.detach().clone()
        network.model.norm.weight.requires_grad_(True)
        self.words = network.model.embed_tokens.weight.detach()
        # Compiled, training takes two thirds of the time on CPU.
        self.low = torch.compile(self._low, dynamic=True)
        self.guess = torch.compile(self._guess, dynamic=True)
        self.high = torch.compile(self._high, dynamic=True)

    @staticmethod
    def _off_codes(gradient: torch.Tensor) -> torch.Tensor:
        """Nothing is ever written into the channels of the codes."""
        return torch.cat([gradient[:-EXTRA], torch.zeros_like(gradient[-EXTRA:])])

    @torch.no_grad()
    def _low(self, ids: torch.Tensor) -> torch.Tensor:
        """Hidden states above the frozen layers."""
        return self._through(self.network.model.embed_tokens(ids), self.network.model.layers[: self.depth])[-1].float()

    @torch.no_grad()
    def _guess(self, hidden: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of each next token, from what `low` returns: [batch, length - 1, words]."""
        guess = F.rms_norm(hidden, hidden.shape[-1:], self.norm, 1e-6)[:, :-1]
        return (guess @ self.words.T).float().log_softmax(-1)

    def _high(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states below and above the last fresh layer."""
        return tuple(self._through(hidden, self.fresh)[-2:])

    def _through(self, hidden: torch.Tensor, layers) -> list[torch.Tensor]:
        length = hidden.shape[1]
        places = torch.arange(length, device=hidden.device)[None]
        rotations = self.network.model.rotary_emb(hidden, places)
        mask = torch.full((length, length), -1e9, device=hidden.device).triu(1)[None, None]
        out = []
        for layer in layers:
            hidden = layer(hidden, attention_mask=mask, position_ids=places, position_embeddings=rotations)
            out.append(hidden)
        return out

    def with_verdict(self, right: nn.Linear, pair: tuple[int, int]):
        """The network as a causal LM with an `lm_head` of its own, whose rows of `pair` differ by `right`."""
        network = self.network
        network.config.tie_word_embeddings = False
        head = nn.Linear(network.config.hidden_size, network.config.vocab_size, bias=False)
        nn.init.zeros_(head.weight)
        verdict = right.weight.data[0].to(head.weight.device) / 2
        head.weight.data[pair[0]], head.weight.data[pair[1]] = verdict, -verdict
        network.lm_head = head
        return network
