"""Trains a checker, the network that PRMs start from: it tells right steps from wrong ones in every PRM format.

    python -m ttslib.nano.train_checker nano-checker-1m --zoo runs/zoo

A policy knows what should come next, but in its last layer only, so nothing is left to compare that guess with what
was written. Labels of whole steps alone do not teach it to a tiny network. It is taught here in three phases:

1. the base, a policy, learns to guess in every format and step style (language-model loss on right solutions);
2. the base is frozen, fresh layers on top learn to compare: in solutions with numbers and signs replaced at random,
   they say at every token whether the base held it likely one place before, and recall the base's guess if not;
3. beside that, they say at every token whether all has been right so far, on solutions with one slip made on purpose.

What it learned is written as a causal LM: its `lm_head` has the verdict in the rows of "+" and "-".
"""

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath

import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm
from transformers import AutoModelForCausalLM

from ttslib.nano.encoding import Encoding, encode
from ttslib.nano.generator import generate
from ttslib.nano.layouts import build_layout
from ttslib.nano.optimise import autocast, default_device, descend, faded, optimizers, rate
from ttslib.nano.prm_data import Labelled, made
from ttslib.nano.specs import CHECKERS, POLICIES, PRM_FAMILIES, CheckerSpec
from ttslib.nano.stacked import Stacked, deepened, read_codes, widened
from ttslib.nano.styles import STYLES
from ttslib.nano.tokenizer import build_tokenizer
from ttslib.nano.train_policy import Example, batches, save, training_log
from ttslib.prms.formats import one_token

LIKELY = -1.6  # log-probability above which a token is one that the base would write
NOISE, FAINT = 0.12, 0.03  # chance that a number or sign is replaced: in phase 2, and in the noisy part of phase 3
NOISY_SHARE = 0.3  # of the examples of phase 3
MISS_WEIGHT = 3.0  # of the tokens that are not likely, which are few
BEYOND = 0.3
RECALL_WEIGHT = 0.3
BATCH_TOKENS = 4096


class Data:
    """Endless examples in a random format and style each."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.layouts = [build_layout(name) for name in PRM_FAMILIES]
        self.worked = generate(2000 + seed, "train")
        ids = self.layouts[0].tokenizer.convert_tokens_to_ids
        self.numbers, self.signs = [ids(str(n)) for n in range(100)], [ids(sign) for sign in "+-*/"]

    def right(self) -> tuple[Encoding, set[int]]:
        """A right solution, and the indices of replies that a format puts into it."""
        worked, layout = next(self.worked), self.rng.choice(self.layouts)
        steps = self.rng.choice(list(STYLES.values()))(worked)
        encoding = encode(Labelled(worked.question, tuple(steps)), layout)
        return encoding, {position + 1 for position in encoding.positions}

    def spoken(self) -> Iterator[Example]:
        """Right solutions for the language-model loss."""
        while True:
            encoding, _ = self.right()
            ids = encoding.ids
            yield Example(ids, [index >= encoding.start for index in range(len(ids))])

    def noisy(self, noise: float = NOISE) -> Iterator[Encoding]:
        """Right solutions in which numbers and signs are replaced at random, with a chance of `noise` each."""
        while True:
            encoding, replies = self.right()
            ids, wrong = list(encoding.ids), len(encoding)
            for index in range(encoding.start, len(ids)):
                pool = self._alike(ids[index])
                if pool and index not in replies and self.rng.random() < noise:
                    ids[index] = self.rng.choice(pool)
                    if ids[index] != encoding.ids[index]:
                        wrong = min(wrong, index)
            yield Encoding(ids, (), encoding.start, wrong)

    def mixed(self) -> Iterator[Encoding]:
        """Half right and half with a slip, and a share of noisy ones."""
        noisy = self.noisy(FAINT)
        while True:
            if self.rng.random() < NOISY_SHARE:
                yield next(noisy)
            else:
                style = self.rng.choice(list(STYLES))
                yield encode(made(next(self.worked), style, self.rng, BEYOND), self.rng.choice(self.layouts))

    def _alike(self, token: int) -> list[int]:
        return self.numbers if token in self.numbers else self.signs if token in self.signs else []


def verdict_pair(tokenizer) -> tuple[int, int]:
    """Ids of "+" and "-": the difference of their rows in a checker's `lm_head` is its verdict."""
    return one_token(tokenizer, "+"), one_token(tokenizer, "-")


def adapted(data: Data, spec: CheckerSpec, zoo: FilePath, device: str):
    """The base after phase 1, which is kept in zoo/name.base, so that a run that was cut short goes on from there."""
    kept = zoo / f"{spec.name}.base"
    base = AutoModelForCausalLM.from_pretrained(kept if kept.is_dir() else zoo / spec.base, dtype=torch.float32)
    base.set_attn_implementation("eager")
    if not kept.is_dir():
        adapt(base.to(device), data, spec)
        base.to("cpu").save_pretrained(unfinished := kept.with_suffix(".part"))
        unfinished.rename(kept)
    return base


def adapt(base, data: Data, spec: CheckerSpec) -> None:
    """Phase 1: `base` learns to guess in every format and style."""
    body = torch.compile(base.model, dynamic=True)
    opts = optimizers(base, spec.adapt_rate)
    seen, pad = 0, data.layouts[0].tokenizer.pad_token_id
    with tqdm(total=spec.adapt_tokens, unit="tok", unit_scale=True, desc=f"{spec.name} 1/3", mininterval=10) as bar:
        for ids, labels in batches(data.spoken(), pad, spec.seed):
            rate(opts, spec.adapt_rate * faded(seen / spec.adapt_tokens))
            ids, labels = ids.to(base.device), labels.to(base.device)
            with autocast(base.device):
                hidden = body(ids, use_cache=False).last_hidden_state[:, :-1]
                target = labels[:, 1:]
                logits = base.lm_head(hidden[target != -100])
            loss = F.cross_entropy(logits.float(), target[target != -100])
            descend(loss, opts)
            seen += ids.numel()
            bar.update(ids.numel())
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
            if seen >= spec.adapt_tokens:
                return


class Verdicts(nn.Module):
    """What reads the fresh layers while they learn: is a token likely, which should it be, is all right so far."""

    def __init__(self, width: int):
        super().__init__()
        self.likely, self.recall = nn.Linear(width, 1), nn.Linear(width, width, bias=False)
        self.right = nn.Linear(width, 1, bias=False)
        nn.init.eye_(self.recall.weight)


def padded(group: list[Encoding], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(ids, whether a token is the solution's, whether all is right up to it), each [batch, length]."""
    ids = torch.full((len(group), max(map(len, group))), pad)
    solution, right = torch.zeros_like(ids, dtype=torch.bool), torch.zeros(ids.shape)
    for row, example in enumerate(group):
        ids[row, : len(example)] = torch.tensor(example.ids)
        solution[row, example.start : len(example)] = True
        right[row, : example.wrong] = 1.0
    return ids, solution, right


def deciding(group: list[Encoding]) -> tuple[list[int], list[int], torch.Tensor]:
    """(rows, columns, right) of the steps that decide: each solution's last one and its first wrong one."""
    rows, columns, right = [], [], []
    for row, example in enumerate(group):
        first_wrong = next((position for position in example.positions if position >= example.wrong), -1)
        for position in example.positions:
            if position in (example.positions[-1], first_wrong):
                rows.append(row)
                columns.append(position)
                right.append(float(position < example.wrong))
    return rows, columns, torch.tensor(right)


def loss_of(network: Stacked, verdicts: Verdicts, group: list[Encoding], pad: int) -> tuple[torch.Tensor, dict]:
    """(the loss, what to watch) of one batch."""
    device = network.words.device
    ids, solution, right = (each.to(device) for each in padded(group, pad))
    rows, columns, judged = deciding(group)
    judged = judged.to(device)
    with autocast(device):
        hidden = network.low(ids)
        chances = network.guess(hidden)
        compared, top = network.high(hidden)
        here = solution[:, 1:]
        best = chances.argmax(-1)[here]
        fits = chances.gather(-1, ids[:, 1:, None])[..., 0][here] > LIKELY
        states = F.rms_norm(compared, compared.shape[-1:])[:, 1:][here]
        likely = verdicts.likely(states)[:, 0].float()
        missed = ~fits & (best != ids[:, 1:][here])
        recalled = (verdicts.recall(states[missed]) @ network.words.T).float()
        verdict = verdicts.right(network.network.model.norm(top))[..., 0].float()
    token = F.binary_cross_entropy_with_logits(likely, fits.float(), 1 + (MISS_WEIGHT - 1) * ~fits)
    recall = F.cross_entropy(recalled, best[missed]) if missed.any() else likely.new_zeros(())
    running = F.binary_cross_entropy_with_logits(verdict[solution], right[solution])
    step = verdict[rows, columns]
    decide = F.binary_cross_entropy_with_logits(step, judged) if rows else likely.new_zeros(())
    watched = {
        "recall": recall.item(), "found": ((likely < 0) == ~fits)[~fits].float().mean().item(),
        "running": ((verdict > 0) == (right > 0))[solution].float().mean().item(),
        "accuracy": ((step > 0) == (judged > 0)).float().mean().item(),
    }
    return token + RECALL_WEIGHT * recall + running + decide, watched


def train(spec: CheckerSpec, zoo: FilePath, device: str) -> None:
    """Trains `spec` from zoo/base and writes zoo/name with `training.json` (the learning curve)."""
    data, start = Data(spec.seed), time.time()
    tokenizer = build_tokenizer(POLICIES[spec.base].family)
    base = adapted(data, spec, zoo, device)
    torch.manual_seed(spec.seed)
    deep, depth = deepened(widened(base), spec.fresh_layers), base.config.num_hidden_layers
    read_codes(deep, depth, padded([data.right()[0] for _ in range(16)], tokenizer.pad_token_id)[0])
    network, verdicts = Stacked(deep.to(device), depth), Verdicts(deep.config.hidden_size).to(device)
    opts = [*optimizers(network.fresh, spec.noisy_rate),
            torch.optim.AdamW([*verdicts.parameters(), network.network.model.norm.weight], spec.noisy_rate)]
    curve, recent, total = [], [], spec.noisy + spec.solutions
    with tqdm(total=total, unit="sol", desc=f"{spec.name} 2-3/3", mininterval=10) as bar:
        phases = (2, data.noisy(), spec.noisy, spec.noisy_rate), (3, data.mixed(), spec.solutions, spec.slip_rate)
        for phase, examples, size, learning_rate in phases:
            first = bar.n
            for group in batches(examples, tokenizer.pad_token_id, spec.seed, BATCH_TOKENS, lambda group, pad: group):
                rate(opts, learning_rate * faded((bar.n - first) / size))
                loss, watched = loss_of(network, verdicts, group, tokenizer.pad_token_id)
                descend(loss, opts)
                bar.update(len(group))
                recent.append({"loss": loss.item(), **watched})
                if len(recent) == 50:
                    point = torch.tensor([list(each.values()) for each in recent]).nanmean(0).tolist()
                    point = {key: round(value, 4) for key, value in zip(recent[0], point, strict=True)}
                    seconds = round(time.time() - start, 1)
                    curve.append({"solutions": bar.n, "phase": phase, **point, "seconds": seconds})
                    bar.set_postfix(point, refresh=False)
                    recent = []
                if bar.n - first >= size:
                    break
    save(network.with_verdict(verdicts.right, verdict_pair(tokenizer)), tokenizer, zoo / spec.name)
    (zoo / spec.name / "training.json").write_text(training_log(spec, curve, device))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(CHECKERS))
    parser.add_argument("--zoo", type=FilePath, default=FilePath("runs/zoo"))
    parser.add_argument("--solutions", type=int)
    parser.add_argument("--device", default=default_device())
    parser.add_argument("--threads", type=int, default=1, help="more are faster, but give other weights")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = CHECKERS[arguments.name]
    chosen = replace(chosen, solutions=arguments.solutions) if arguments.solutions else chosen
    train(chosen, arguments.zoo, arguments.device)
