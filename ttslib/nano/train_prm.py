"""Trains one nano PRM from a checker and writes it in its original's layout.

    python -m ttslib.nano.train_prm nano-prm-qwen-m --zoo runs/zoo

A checker (`train_checker`) can tell right steps from slips that were made on purpose. Here it becomes a PRM: it takes
the architecture, the input format and the head of the original, and learns from solutions that policies sampled, with
the labels that the original had (`prm_data`). Its frozen layers stay frozen. Steps that do not decide (neither the
last nor the first wrong one) weigh less. At the end its attention is cooled where the spec says so (`cool`).
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath

import torch
from torch.nn import functional as F
from tqdm import tqdm
from transformers import AutoModelForCausalLM

from ttslib.nano.encoding import Encoding, encode
from ttslib.nano.layouts import build_layout
from ttslib.nano.optimise import autocast, default_device, descend, faded, optimizers, rate
from ttslib.nano.prm_data import stream
from ttslib.nano.specs import CHECKERS, POLICIES, PRM_FAMILIES, PRMS, PRMSpec
from ttslib.nano.stacked import Stacked
from ttslib.nano.train_checker import verdict_pair
from ttslib.nano.train_policy import ARCHITECTURES, batches, save, token_ids, training_log
from ttslib.prms.formats import Format

SHAPE = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
         "num_key_value_heads", "max_position_embeddings", "rms_norm_eps")  # fmt: skip
OTHER_WEIGHT = 0.2
BATCH_TOKENS = 2048


def start_network(spec: PRMSpec, zoo: FilePath):
    """(network, format): the checker with the architecture and the head of the spec; it scores as the checker does."""
    checker = AutoModelForCausalLM.from_pretrained(zoo / spec.checker, dtype=torch.float32)
    format = build_layout(spec.format)
    make_config, causal = ARCHITECTURES[PRM_FAMILIES[spec.format]]
    network_class = format.network_class()
    shape = {name: getattr(checker.config, name) for name in SHAPE}
    torch.manual_seed(spec.seed)
    config = make_config(**shape, **token_ids(format.tokenizer), tie_word_embeddings=False, prm_format=spec.format)
    network = (causal if network_class is AutoModelForCausalLM else network_class)(config)
    # Llama and Mistral are Qwen2 with biases of zero, which is what those of a new network are.
    network.model.load_state_dict(checker.model.state_dict(), strict=False)
    network.set_attn_implementation("eager")
    good, bad = verdict_pair(format.tokenizer)
    with torch.no_grad():
        format.set_head(network, checker.lm_head.weight[good] - checker.lm_head.weight[bad])
    return network, format


def loss_of(stacked: Stacked, format: Format, group: list[Encoding], pad: int) -> tuple[torch.Tensor, float]:
    """(loss, share of deciding steps judged rightly) of one batch."""
    ids = torch.full((len(group), max(map(len, group))), pad)
    rows, columns, right, weights = [], [], [], []
    for row, example in enumerate(group):
        ids[row, : len(example)] = torch.tensor(example.ids)
        first_wrong = next((position for position in example.positions if position >= example.wrong), -1)
        for position in example.positions:
            rows.append(row)
            columns.append(position)
            right.append(float(position < example.wrong))
            weights.append(1.0 if position in (example.positions[-1], first_wrong) else OTHER_WEIGHT)
    device = stacked.words.device
    with autocast(device):
        _, top = stacked.high(stacked.low(ids.to(device)))
        odds = format.log_odds(stacked.network, stacked.network.model.norm(top)[rows, columns])
    judged, weight = torch.tensor(right, device=device), torch.tensor(weights, device=device)
    loss = F.binary_cross_entropy_with_logits(odds, judged, weight, reduction="sum") / weight.sum()
    return loss, ((odds > 0) == (judged > 0))[weight == 1.0].float().mean().item()


@torch.no_grad()
def cool(layers, factors: Sequence[int]) -> None:
    """Divides the attention logits of each layer by its factor.

    Training lets them grow to hundreds, where attention is a choice of one token that a rounding error can tip. Divided
    it is still nearly one, and step scores in bf16 stay closer to those in float32. A power of two costs no precision.
    """
    for layer, factor in zip(layers, factors, strict=True):
        for part in layer.self_attn.q_proj.parameters():
            part.div_(factor)


def train(spec: PRMSpec, zoo: FilePath, device: str) -> None:
    """Trains `spec` from zoo/checker and writes zoo/name with `training.json` (the learning curve)."""
    network, format = start_network(spec, zoo)
    stacked = Stacked(network.to(device), network.config.num_hidden_layers - CHECKERS[spec.checker].fresh_layers)
    head = format.head(network).requires_grad_(True)
    small = [network.model.norm.weight, *head.parameters()]
    opts = [*optimizers(stacked.fresh, spec.learning_rate), torch.optim.AdamW(small, spec.learning_rate)]
    data = stream([zoo / "rollouts" / f"{name}.jsonl" for name in spec.rollouts],
                  [POLICIES[name].style for name in spec.rollouts], spec.seed, labels=spec.labels, beyond=spec.beyond)
    examples = (encode(example, format) for example in data)
    pad, curve, recent, start = format.tokenizer.pad_token_id, [], [], time.time()
    with tqdm(total=spec.solutions, unit="sol", desc=spec.name, mininterval=10) as bar:
        for group in batches(examples, pad, spec.seed, BATCH_TOKENS, lambda group, pad: group):
            rate(opts, spec.learning_rate * faded(bar.n / spec.solutions))
            loss, hit = loss_of(stacked, format, group, pad)
            descend(loss, opts)
            bar.update(len(group))
            recent.append((loss.item(), hit))
            if len(recent) == 50 or bar.n >= spec.solutions:
                loss, accuracy = (round(sum(column) / len(recent), 4) for column in zip(*recent, strict=True))
                seconds = round(time.time() - start, 1)
                curve.append({"solutions": bar.n, "loss": loss, "accuracy": accuracy, "seconds": seconds})
                recent = []
            if bar.n >= spec.solutions:
                break
    cool(stacked.fresh, spec.cooling)
    save(network, format.tokenizer, zoo / spec.name)
    (zoo / spec.name / "training.json").write_text(training_log(spec, curve, device))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(PRMS))
    parser.add_argument("--zoo", type=FilePath, default=FilePath("runs/zoo"))
    parser.add_argument("--solutions", type=int)
    parser.add_argument("--device", default=default_device())
    parser.add_argument("--threads", type=int, default=1, help="more are faster, but give other weights")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = PRMS[arguments.name]
    chosen = replace(chosen, solutions=arguments.solutions) if arguments.solutions else chosen
    train(chosen, arguments.zoo, arguments.device)
