"""What a nano model's card says of it, measured on NanoMATH-500 through the same code as every experiment.

    python -m ttslib.nano.measure runs/zoo/nano-qwen-3m
    python -m ttslib.nano.measure runs/zoo/nano-prm-qwen-m --policies runs/zoo/nano-llama-0.4m

Writes measured.json beside the weights: plain numbers, each mean with its 95 % interval over problems. PRMs are
measured by default on the policies of their training data and on `COMPARED`, on 16 samples a problem, which each policy
draws once for all of them; they are the first of the 64 that it is measured on itself, since a sample follows from the
seed and its number.

A PRM is judged by what it is for: its AUC at the first wrong step against right steps of the same problem and depth,
and Best-of-N by its score beside mean pass@1, majority voting and the policy's own likelihood. Overall AUC would reward
knowing how hard a place is.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import pandas

from ttslib import stats
from ttslib.executors import Executor
from ttslib.first_error import judge_held_out, step_scores
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.step_statistics import auc_within, calibration, judged, plain, ratio
from ttslib.nano.styles import STYLES
from ttslib.nano.zoo import MEASURED
from ttslib.policies import default_backend, default_dtype
from ttslib.processbench import load_processbench
from ttslib.results import Results
from ttslib.runner import Done, run
from ttslib.runs import ModelSpec, Run
from ttslib.stats import Estimate
from ttslib.zoo import weights_hash

SAMPLES, N = 64, 16
COMPARED = ("nano-llama-0.1m", "nano-llama-0.4m", "nano-qwen-0.4m", "nano-qwen-1m")  # every PRM is measured on these
RULES = ("prm_last_max", "prm_min_max", "prm_last_vote")


def measure_policy(
    folder: Path, store: Path, limit: int, samples: int = SAMPLES, executor: Executor | None = None
) -> dict:
    """Accuracies, pass@k, and of the samples: how they end, how long they are, how good by level and by subject."""
    greedy = Run("cot", policy_in(folder), None, "nanomath", limit=limit)
    pool = Run("best_of_n", policy_in(folder), None, "nanomath", limit=limit, n=samples)
    done = run([greedy, pool], store=store, executor=executor)
    rows = done.frame(votes=["majority_vote", "mean", "pass@k"], budgets=[N])
    found = _estimates(rows, ["method", "N", "vote"])
    drawn = rows[(rows.method == "best_of_n") & (rows["N"] == samples) & (rows.vote == "mean")]
    single = rows[(rows.method == "cot") & (rows.vote == "majority_vote")]
    accuracy = {
        "greedy": found["cot", 1, "majority_vote"], "mean pass@1": found["best_of_n", samples, "mean"],
        f"majority@{N}": found["best_of_n", N, "majority_vote"],
    } | {f"pass@{k}": found["best_of_n", k, "pass@k"] for k in sorted({N, samples})}  # fmt: skip
    return _head(folder, limit, samples) | {
        "accuracy": plain(accuracy),
        **{f"{part}s": {str(name): plain(each) for name, each in sorted(_estimates(drawn, part).items())}
           for part in ("level", "subject")},
        "ends": plain({end: _share_of_ends(done[pool], end) for end in ("boxed", "eos", "length")}),
        "tokens": plain(ratio([(tokens, samples) for tokens in drawn.policy_tokens])),
        # One digit a problem, so that anyone can check the same problems again.
        "greedy_right": "".join("-" if right != right else str(int(right)) for right in single.right),
        "provenance": _provenance(folder, done, {folder.name: drawn.policy_tokens.sum() + single.policy_tokens.sum()}),
    }  # fmt: skip


def measure_prm(
    folder: Path, policies: Sequence[Path], store: Path, limit: int, executor: Executor | None = None
) -> dict:
    """AUC, Best-of-N beside what needs no PRM, and calibration, on `N` samples of each policy; F1 on NanoProcessBench.
    """
    prm = ModelSpec(str(folder.resolve()), _exact())
    pools = {
        place.name: Run("best_of_n", policy_in(place), prm, "nanomath", limit=limit, n=N) for place in policies
    }
    solutions = load_processbench("nanoprocessbench")
    read = Run("read", None, prm, tuple(each.as_problem() for each in solutions))
    done = run([*pools.values(), read], store=store, executor=executor)
    scored = {name: done[pool] for name, pool in pools.items()}
    return _head(folder, limit, N) | {
        "policies": {name: on_samples(results, POLICIES[name].style) for name, results in scored.items()},
        "processbench": first_errors(done[read], [each.label for each in solutions]),
        "provenance": _provenance(folder, done, {name: results.tokens.policy for name, results in scored.items()}),
    }


def policy_in(folder: Path) -> ModelSpec:
    """The policy in a folder, with the log-probabilities of what it samples."""
    options = {"logprobs": True} if default_backend() == "vllm" else {}
    return ModelSpec(str(folder.resolve()), {"prompt": "nano"} | options | _exact())


def _exact() -> dict[str, str]:
    """float32 on a GPU too."""
    return {} if default_dtype() == "float32" else {"dtype": "float32"}


def on_samples(scored: Results, style: str) -> dict:
    """What a PRM makes of the scored samples of one policy; no AUC and calibration where steps cannot be checked.

    "likelihood" takes the answer of the sample that the policy itself finds likeliest: the greatest sum of the
    log-probabilities of its tokens at temperature 1.
    """
    n = scored.records[0].N
    rows = scored.frame(votes=["mean", "majority_vote", *RULES, "pass@k"])
    likeliest = [math.nan if record.failed else by_likelihood(scored, at) for at, record in enumerate(scored)]
    likely = rows[rows.vote == "mean"].assign(vote="likelihood", right=likeliest)
    rows = pandas.concat([rows, likely])
    found = _estimates(rows, "vote")
    accuracy = {
        "mean pass@1": found["mean"], f"majority@{n}": found["majority_vote"], f"likelihood@{n}": found["likelihood"],
        **{f"BoN@{n} ({rule})": found[rule] for rule in RULES}, f"pass@{n}": found["pass@k"],
    }
    known = judged(scored, style) if style in STYLES else []
    return {
        "accuracy": plain(accuracy),
        "minus_majority": plain({rule: _minus(rows, rule, "majority_vote") for rule in RULES}),
        "minus_likelihood": plain({rule: _minus(rows, rule, "likelihood") for rule in RULES}),
        "auc": plain(auc_within(known)) if known else None, "calibration": calibration(known) if known else None,
    }  # fmt: skip


def by_likelihood(pool: Results, place: int) -> float:
    """Whether the sample with the greatest log-probability, of those with an answer, is right; NaN if undecided."""
    answers, _ = pool.candidates(place)
    weights = [path["logprob"] for path in pool.records[place].trajectories]
    weighed = [pair for pair in zip(weights, answers, strict=True) if pair[1] is not None]
    right = bool(weighed) and pool.graded(place).verdicts[max(weighed, key=lambda pair: pair[0])[1]]
    return math.nan if right is None else float(right)


def first_errors(read: Results, labels: Sequence[int]) -> dict:
    """F1 on labelled solutions and the two accuracies it is made of, the threshold from a part that is held out.

    Solutions that the PRM could not read are left out and counted.
    """
    scores = step_scores(read)
    found = judge_held_out(*scores.read(labels))
    left_out = {"left_out": len(scores.left_out)} if scores.left_out else {}
    return plain({"f1": found.f1, "wrong": found.wrong, "right": found.right}) | {
        "threshold": found.threshold, **left_out,
    }  # fmt: skip


def _estimates(rows: pandas.DataFrame, by: str | list[str]) -> dict:
    """Group -> accuracy."""
    table = stats.estimate(rows, by=by).set_index(by)
    return {group: Estimate(**row) for group, row in zip(table.index, table.to_dict("records"), strict=True)}


def _minus(rows: pandas.DataFrame, rule: str, other: str) -> Estimate:
    [row] = stats.paired(rows, vote=(rule, other)).drop(columns=["vote", "minus"]).to_dict("records")
    return Estimate(**row)


def _share_of_ends(pool: Results, end: str) -> Estimate:
    ends = [[path["end"] for path in record.trajectories] for record in pool]
    return stats.accuracy([each.count(end) / len(each) if each else None for each in ends])


def _head(folder: Path, limit: int, samples: int) -> dict:
    return {"model": folder.name, "revision": weights_hash(folder), "problems": limit, "samples": samples}


def _provenance(folder: Path, done: Done, pools: dict[str, int]) -> dict:
    """As of a figure; `pools`: the tokens that each policy generated."""
    pools = {name: int(tokens) for name, tokens in pools.items()}
    return done.provenance("measure", models={folder.name: weights_hash(folder)}, pools=pools)


def judged_on(folder: Path) -> list[Path]:
    """The policies that a PRM is measured on: those that its training data came from, and `COMPARED`."""
    return [folder.parent / name for name in dict.fromkeys((*PRMS[folder.name].rollouts, *COMPARED))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--policies", type=Path, nargs="+", help="measure a PRM on these policies' samples")
    parser.add_argument("--store", type=Path, default=Path("runs/measure"))
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of a policy, a problem")
    options = parser.parse_args()
    if options.folder.name in PRMS:
        places = options.policies or judged_on(options.folder)
        measured = measure_prm(options.folder, places, options.store, options.limit)
    else:
        measured = measure_policy(options.folder, options.store, options.limit, options.samples)
    text = json.dumps(measured, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (options.folder / MEASURED).write_text(text, encoding="utf-8")
    print(text, end="")
