"""Trains one nano PRM from a policy's weights and writes it in its original's layout.

    python -m ttslib.nano.train_prm nano-prm-qwen-m --zoo runs/zoo

Each example is a right prefix of a worked solution followed by one step that is right or wrong, half and half, in the
step style of one of the policies it will judge: nothing after the first error is ever labelled. Every right step
before counts as well, at a smaller weight, and the language-model loss on the right steps goes on beside it, so that
the network keeps what it needs for checking.
"""

import argparse
import json
import random
import time
from dataclasses import replace
from pathlib import Path as FilePath

import torch
from torch.nn import functional as F
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer

from ttslib.nano.generator import Worked, generate
from ttslib.nano.mistakes import mistake
from ttslib.nano.specs import POLICIES, PRMS, PRMSpec
from ttslib.nano.styles import STYLES
from ttslib.nano.train_policy import batches, optimizers, save, schedule
from ttslib.prms.heads import Qwen2ForProcessRewardModel, step_logits
from ttslib.prms.tag_token import TagToken
from ttslib.prms.two_class import TwoClass

BEFORE_WEIGHT = 0.2
LM_WEIGHT = 0.5


def example(worked: Worked, style: str, rng: random.Random) -> tuple[list[str], bool]:
    """A prefix of the solution whose last step is right or wrong (half and half), and whether it is right."""
    steps = STYLES[style](worked)
    last = rng.randrange(len(steps))
    right = rng.random() < 0.5
    if right:
        return steps[: last + 1], True
    if last < len(worked.facts):
        facts = list(worked.facts)
        facts[last] = mistake(facts[last], worked.question, rng)
        worked = replace(worked, facts=tuple(facts))
    else:
        worked = replace(worked, answer=mistake(worked.answer, worked.question, rng))
    return STYLES[style](worked)[: last + 1], False


def start_network(spec: PRMSpec, zoo: FilePath):
    """(network for training, its language-model head's weight, tokenizer, format) from the base policy's folder."""
    tokenizer = AutoTokenizer.from_pretrained(zoo / spec.base)
    base = AutoModelForCausalLM.from_pretrained(zoo / spec.base, dtype=torch.float32)
    marker = "ки" if spec.format == "tag" else "<extra_0>"
    tokenizer.add_special_tokens({"additional_special_tokens": [marker]})
    if len(tokenizer) > base.config.vocab_size:
        base.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    if spec.format == "tag":
        return base, base.lm_head.weight, tokenizer, TagToken(tokenizer)
    torch.manual_seed(spec.seed)
    network = Qwen2ForProcessRewardModel(base.config)
    network.model = base.model
    return network, base.lm_head.weight, tokenizer, TwoClass(tokenizer)


def examples(spec: PRMSpec, format):
    """Endless (ids, (positions, right)) of the training split, in the styles of the spec's rollout policies."""
    rng = random.Random(spec.seed)
    styles = [POLICIES[name].family for name in spec.rollouts]
    for worked in generate(1000 + spec.seed, "train"):
        steps, right = example(worked, rng.choice(styles), rng)
        encoded = format.encode(worked.question, steps)
        yield list(encoded.ids), (encoded.positions, right)


def loss_of(network, lm_weight, format, group, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(classification loss with the small language-model loss, accuracy on the last steps) of one batch."""
    length = max(len(ids) for ids, _ in group)
    ids = torch.full((len(group), length), pad)
    rows, columns, targets, weights, text = [], [], [], [], torch.zeros_like(ids, dtype=torch.bool)
    for row, (tokens, (positions, right)) in enumerate(group):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        for k, position in enumerate(positions):
            last = k == len(positions) - 1
            rows.append(row)
            columns.append(position)
            targets.append(right if last else True)
            weights.append(1.0 if last else BEFORE_WEIGHT)
        end = positions[-1] if right else (positions[-2] if len(positions) > 1 else 0)
        text[row, :end] = True
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = network.model(ids, use_cache=False).last_hidden_state
        states = hidden[rows, columns]
        if format.head == "class":
            logits = network.score(states)
            target = torch.tensor(targets).long()
        else:
            logits = step_logits(network, states, format)
            target = 1 - torch.tensor(targets).long()
        spoken = text[:, 1:]
        words = hidden[:, :-1][spoken] @ lm_weight.T
    weight = torch.tensor(weights)
    each = F.cross_entropy(logits.float(), target, reduction="none")
    loss = (each * weight).sum() / weight.sum() + LM_WEIGHT * F.cross_entropy(words.float(), ids[:, 1:][spoken])
    hit = (logits.argmax(-1) == target)[weight == 1.0].float().mean()
    return loss, hit


def train(spec: PRMSpec, zoo: FilePath) -> None:
    """Trains `spec` from zoo/base and writes zoo/name with `training.json` (the learning curve)."""
    network, lm_weight, tokenizer, format = start_network(spec, zoo)
    opts = optimizers(network, spec.learning_rate)
    seen, curve, start = 0, [], time.time()
    bar = tqdm(total=spec.solutions, unit="sol", desc=spec.name, mininterval=10)
    groups = batches(examples(spec, format), tokenizer.pad_token_id, spec.seed, collate=lambda group, pad: group)
    for step, group in enumerate(groups):
        for opt in opts:
            for parameters in opt.param_groups:
                parameters["lr"] = spec.learning_rate * schedule((seen + 1) / spec.solutions)
        loss, hit = loss_of(network, lm_weight, format, group, tokenizer.pad_token_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        seen += len(group)
        bar.update(len(group))
        if step % 50 == 0:
            point = {"solutions": seen, "loss": round(loss.item(), 4), "accuracy": round(hit.item(), 4)}
            curve.append({**point, "seconds": round(time.time() - start, 1)})
            bar.set_postfix(loss=f"{loss.item():.3f}", accuracy=f"{hit.item():.2f}")
        if seen >= spec.solutions:
            break
    save(network, tokenizer, zoo / spec.name)
    (zoo / spec.name / "training.json").write_text(json.dumps({"spec": vars(spec), "curve": curve}, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(PRMS))
    parser.add_argument("--zoo", type=FilePath, default=FilePath("runs/zoo"))
    parser.add_argument("--solutions", type=int)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = PRMS[arguments.name]
    train(replace(chosen, solutions=arguments.solutions) if arguments.solutions else chosen, arguments.zoo)
