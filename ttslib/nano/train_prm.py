"""Trains one nano PRM from a policy's weights and writes it in its original's layout.

    python -m ttslib.nano.train_prm nano-prm-qwen-m --zoo runs/zoo

Examples are those of `prm_data`. Steps that do not decide (neither the last nor the first wrong one) weigh less.

A policy forms its guess of the next token in its last layer, so a PRM with only these layers has nowhere left to
compare the guess with what was written. The PRM therefore gets fresh layers on top, which start as the identity. Three
losses beside that of the steps teach them: the language-model loss on right steps, read below the fresh layers, keeps
the guesses good; recalling, at the first wrong token, the one that should stand there brings the guess to where it is
compared; and a linear probe, dropped after training, says at every token whether all is still right. Checking comes
late and suddenly, when recall is good: accuracy of the deciding steps is 0.5 for about 30,000 solutions, then rises.
"""

import argparse
import copy
import time
from dataclasses import dataclass, replace
from pathlib import Path as FilePath

import torch
from torch.nn import functional as F
from tqdm import tqdm
from transformers import AutoModelForCausalLM

from ttslib.nano.prm_data import Labelled, stream
from ttslib.nano.specs import CHECKERS, PRMS, PRMSpec
from ttslib.nano.tokenizer import build_tokenizer
from ttslib.nano.train_policy import ARCHITECTURES, batches, optimizers, save, schedule, token_ids, training_log
from ttslib.prms.heads import Qwen2ForProcessRewardModel, step_logits
from ttslib.prms.tag_token import TagToken
from ttslib.prms.two_class import TwoClass

SHAPE = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
         "num_key_value_heads", "max_position_embeddings", "tie_word_embeddings", "rms_norm_eps")  # fmt: skip
OTHER_WEIGHT, LM_WEIGHT, PROBE_WEIGHT, RECALL_WEIGHT = 0.2, 0.5, 1.0, 0.3
BATCH_TOKENS = 2048


@dataclass(frozen=True)
class Parts:
    """What only training needs: the head that guesses tokens, after how many layers, and the probe of single tokens."""

    words: torch.Tensor
    depth: int
    probe: torch.nn.Linear


def start_network(spec: PRMSpec, zoo: FilePath):
    """(network, parts that only training needs, tokenizer, format) from the base model's folder."""
    tokenizer = build_tokenizer(spec.family)
    base = AutoModelForCausalLM.from_pretrained(zoo / spec.base, dtype=torch.float32)
    torch.manual_seed(spec.seed)
    depth = base.config.num_hidden_layers
    if spec.base in CHECKERS:
        depth -= CHECKERS[spec.base].fresh_layers
    base = deepened(base, spec.fresh_layers)
    make_config, network_class = ARCHITECTURES[spec.family]
    config = make_config(**{name: getattr(base.config, name) for name in SHAPE}, **token_ids(tokenizer))
    network = (Qwen2ForProcessRewardModel if spec.format == "two_class" else network_class)(config)
    # Llama and Mistral are Qwen2 with biases of zero, which is what those of a new network are.
    network.model.load_state_dict(base.model.state_dict(), strict=False)
    network.set_attn_implementation("eager")
    format = TagToken(tokenizer) if spec.format == "tag" else TwoClass(tokenizer)
    words = network.model.embed_tokens.weight
    if spec.base in CHECKERS and spec.format != "tag":
        words.data[format.marker] = words.data[TagToken(tokenizer).marker]
    return network, Parts(words, depth, torch.nn.Linear(config.hidden_size, 1)), tokenizer, format


def deepened(base, layers: int):
    """`base` with `layers` more transformer layers on top, which add nothing to the residual stream at first."""
    config = copy.deepcopy(base.config)
    config.num_hidden_layers += layers
    if getattr(config, "layer_types", None):
        config.layer_types += config.layer_types[-1:] * layers
    deeper = type(base)(config)
    deeper.load_state_dict(base.state_dict(), strict=False)
    for layer in deeper.model.layers[-layers:] if layers else []:
        torch.nn.init.zeros_(layer.self_attn.o_proj.weight)
        torch.nn.init.zeros_(layer.mlp.down_proj.weight)
        # Equal projections make a token attend to where it was guessed, which is what comparing starts from.
        layer.self_attn.k_proj.weight.data.copy_(layer.self_attn.q_proj.weight.data)
    deeper.set_attn_implementation("eager")
    return deeper


@dataclass(frozen=True)
class Encoding:
    """Ids up to the last score; the solution's tokens are [start, len(ids)), the right ones [start, wrong).

    `expected`: the token that should stand at `wrong`; -1 if all is right.
    """

    ids: list[int]
    positions: tuple[int, ...]
    start: int
    wrong: int
    expected: int = -1

    def __len__(self) -> int:
        return len(self.ids)


def encode(example: Labelled, format) -> Encoding:
    """An example as the format lays it out. The first wrong token is the first that differs from the right step's."""
    encoded = format.encode(example.question, list(example.steps))
    ids = list(encoded.ids[: encoded.positions[-1] + 1])
    start = shared_prefix(ids, format.encode(example.question, ["?"]).ids)
    if example.wrong < 0:
        return Encoding(ids, encoded.positions, start, len(ids))
    before = list(example.steps[: example.wrong])
    if not example.expected:
        wrong = shared_prefix(ids, format.encode(example.question, [*before, "?"]).ids)
        return Encoding(ids, encoded.positions, start, wrong)
    expected = format.encode(example.question, [*before, example.expected]).ids
    wrong = min(shared_prefix(ids, expected), len(ids) - 1, len(expected) - 1)
    return Encoding(ids, encoded.positions, start, wrong, expected[wrong])


def shared_prefix(a, b) -> int:
    """How many first elements of two sequences are the same."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def loss_of(network, parts: Parts, format, group, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(sum of the losses, share of deciding steps judged rightly) of one batch of `encode`d examples."""
    ids = torch.full((len(group), max(map(len, group))), pad)
    solution, still_right = torch.zeros_like(ids, dtype=torch.bool), torch.zeros_like(ids, dtype=torch.bool)
    rows, columns, right, weights = [], [], [], []
    for row, example in enumerate(group):
        ids[row, : len(example)] = torch.tensor(example.ids)
        solution[row, example.start : len(example)] = True
        still_right[row, : example.wrong] = True
        first_wrong = next((position for position in example.positions if position >= example.wrong), -1)
        for position in example.positions:
            rows.append(row)
            columns.append(position)
            right.append(position < example.wrong)
            weights.append(1.0 if position in (example.positions[-1], first_wrong) else OTHER_WEIGHT)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = network.model(ids, use_cache=False, output_hidden_states=True)
        hidden, guess = out.last_hidden_state, network.model.norm(out.hidden_states[parts.depth])
        states = hidden[rows, columns]
        logits = network.score(states) if format.head == "class" else step_logits(network, states, format)
        probed = parts.probe(hidden[solution])[:, 0]
        spoken = (solution & still_right)[:, 1:]
        words = guess[:, :-1][spoken] @ parts.words.T
        slips = [(row, example.wrong, example.expected) for row, example in enumerate(group) if example.expected >= 0]
        place, at, meant = torch.tensor(slips, dtype=torch.long).reshape(-1, 3).T
        recalled = hidden[place, at] @ parts.words.T
    judged = torch.tensor(right)
    target = judged.long() if format.head == "class" else 1 - judged.long()
    weight = torch.tensor(weights)
    loss = (F.cross_entropy(logits.float(), target, reduction="none") * weight).sum() / weight.sum()
    loss = loss + PROBE_WEIGHT * F.binary_cross_entropy_with_logits(probed.float(), still_right[solution].float())
    loss = loss + LM_WEIGHT * F.cross_entropy(words.float(), ids[:, 1:][spoken])
    if slips:
        loss = loss + RECALL_WEIGHT * F.cross_entropy(recalled.float(), meant)
    return loss, (logits.argmax(-1) == target)[weight == 1.0].float().mean()


def train(spec: PRMSpec, zoo: FilePath) -> None:
    """Trains `spec` from zoo/base and writes zoo/name with `training.json` (the learning curve)."""
    network, parts, tokenizer, format = start_network(spec, zoo)
    opts = [*optimizers(network, spec.learning_rate), torch.optim.AdamW(parts.probe.parameters(), spec.learning_rate)]
    rollouts = [zoo / "rollouts" / f"{name}.jsonl" for name in spec.rollouts]
    data = stream(rollouts, spec.styles, spec.seed, labels=spec.labels, beyond=spec.beyond)
    examples = (encode(example, format) for example in data)
    seen, curve, recent, start = 0, [], [], time.time()
    bar = tqdm(total=spec.solutions, unit="sol", desc=spec.name, mininterval=10)
    groups = batches(examples, tokenizer.pad_token_id, spec.seed, BATCH_TOKENS, lambda group, pad: group)
    for step, group in enumerate(groups):
        for opt in opts:
            for parameters in opt.param_groups:
                parameters["lr"] = spec.learning_rate * schedule((seen + 1) / spec.solutions)
        loss, hit = loss_of(network, parts, format, group, tokenizer.pad_token_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        seen += len(group)
        bar.update(len(group))
        recent.append((loss.item(), hit.item()))
        if step % 50 == 49 or seen >= spec.solutions:
            mean_loss, mean_hit = (round(sum(column) / len(recent), 4) for column in zip(*recent, strict=True))
            point = {"solutions": seen, "loss": mean_loss, "accuracy": mean_hit}
            curve.append({**point, "seconds": round(time.time() - start, 1)})
            bar.set_postfix(loss=f"{mean_loss:.3f}", accuracy=f"{mean_hit:.2f}")
            recent = []
        if seen >= spec.solutions:
            break
    save(network, tokenizer, zoo / spec.name)
    (zoo / spec.name / "training.json").write_text(training_log(spec, curve))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(CHECKERS | PRMS))
    parser.add_argument("--zoo", type=FilePath, default=FilePath("runs/zoo"))
    parser.add_argument("--solutions", type=int)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = (CHECKERS | PRMS)[arguments.name]
    train(replace(chosen, solutions=arguments.solutions) if arguments.solutions else chosen, arguments.zoo)
