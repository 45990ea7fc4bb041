"""What a nano model's card says of it, measured on NanoMATH-500 through the same code as every experiment.

    python -m ttslib.nano.measure runs/zoo/nano-qwen-3m
    python -m ttslib.nano.measure runs/zoo/nano-prm-qwen-m --policies runs/zoo/nano-llama-0.4m

Writes measured.json beside the weights: plain numbers, each mean with its 95 % interval over problems. A policy is
sampled once, and both commands use those samples; PRMs are measured by default on the policies of their training data
and on `COMPARED`.

A PRM is judged by what it is for: its AUC at the first wrong step against right steps of the same problem and depth,
and Best-of-N by its score beside mean pass@1, majority voting and the policy's own likelihood. Overall AUC would reward
knowing how hard a place is.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath

from ttslib import loop, stats
from ttslib.first_error import judge_held_out, score_solutions
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.step_statistics import auc_within, calibration, judged, plain, ratio
from ttslib.nano.styles import STYLES
from ttslib.policies import Path, Policy, Step, default_backend, load_policy
from ttslib.prms import PRM, load_prm
from ttslib.problems import Problem, load_problems
from ttslib.processbench import NANOPROCESSBENCH, load_processbench
from ttslib.provenance import provenance
from ttslib.records import Record
from ttslib.results import Results
from ttslib.runner import solve
from ttslib.stats import Estimate
from ttslib.zoo import weights_hash

MEASURED = "measured.json"
SAMPLES, N, DRAWS = 64, 16, 32
COMPARED = ("nano-llama-0.1m", "nano-llama-0.4m", "nano-qwen-0.4m", "nano-qwen-1m")  # every PRM is measured on these
RULES = ("prm_last_max", "prm_min_max", "prm_last_vote")


def measure_policy(folder: FilePath, store: FilePath, limit: int, samples: int = SAMPLES) -> dict:
    """Accuracies, pass@k, and of the samples: how they end, how long they are, how good by level and by subject."""
    policy, problems = load(folder), load_problems("nanomath", limit=limit)
    greedy = solve(problems, policy, None, method="cot", store=store)
    pool = solve(problems, policy, None, method="best_of_n", n=samples, store=store)
    right = pool.correct("mean")
    accuracy = {
        "greedy": greedy.accuracy(), "mean pass@1": pool.accuracy("mean"),
        f"majority@{N}": pool.subsample(N, draws=None if samples == N else DRAWS).accuracy(),
    } | {f"pass@{k}": pool.pass_at_k(k) for k in sorted({N, samples})}
    return _head(folder, limit, samples) | {
        "accuracy": plain(accuracy),
        "levels": plain(_by([problem.level for problem in problems], right)),
        "subjects": plain(_by([problem.subject for problem in problems], right)),
        "ends": plain({end: _share_of_ends(pool, end) for end in ("boxed", "eos", "length")}),
        "tokens": plain(_mean([record.policy_usage.get("tokens", 0) / samples for record in pool])),
        # One digit a problem, so that anyone can check the same problems again.
        "greedy_right": "".join("-" if each is None else str(int(each)) for each in greedy.correct()),
        "provenance": _provenance(folder, [greedy, pool], {folder.name: pool.tokens.policy + greedy.tokens.policy}),
    }


def measure_prm(folder: FilePath, policies: Sequence[FilePath], store: FilePath, limit: int,
                samples: int = SAMPLES) -> dict:  # fmt: skip
    """AUC, Best-of-N beside what needs no PRM, and calibration, on the samples of each policy; F1 on NanoProcessBench.

    The samples are the first `N` of those that the policy is measured on.
    """
    prm, problems = load_prm(str(folder), dtype="float32"), load_problems("nanomath", limit=limit)
    found, pools, tokens, start = {}, [], {}, time.perf_counter()
    for place in policies:
        pool = solve(problems, load(place), None, method="best_of_n", n=samples, store=store)
        found[place.name] = on_samples(scored(pool, prm, N), POLICIES[place.name].style)
        pools.append(pool)
        tokens[place.name] = pool.tokens.policy
    return _head(folder, limit, N) | {
        "policies": found, "processbench": processbench_f1(prm),
        "provenance": _provenance(folder, pools, tokens) | {
            "tokens": {"policy": sum(tokens.values()), "prm": prm.usage.tokens},
            "wall_seconds": round(time.perf_counter() - start, 1),
        },
    }


def load(folder: FilePath) -> Policy:
    """The policy in a folder, with the log-probabilities of what it samples; float32 also on a GPU."""
    options = {"logprobs": True} if default_backend() == "vllm" else {}
    return load_policy(str(folder.resolve()), prompt="nano", dtype="float32", **options)


def scored(pool: Results, prm: PRM, n: int) -> Results:
    """The first `n` samples of each problem, scored as Best-of-N scores them: whole solutions, equal texts once."""

    async def rate(record: Record) -> Record:
        paths, problem = record.trajectories[:n], Problem(**record.problem)
        texts = [steps for steps in dict.fromkeys(tuple(path["steps"]) for path in paths) if steps]
        scores = await prm.score([Path(problem, tuple(Step(text) for text in steps)) for steps in texts])
        known = dict(zip(texts, scores, strict=True))
        rated = [path | {"scores": known.get(tuple(path["steps"]), ())} for path in paths]
        return replace(record, N=n, subtrees=n, trajectories=rated)

    async def rate_all() -> list[Record]:
        return await asyncio.gather(*(rate(record) for record in pool))

    return Results(loop.run(rate_all()))


def on_samples(pool: Results, style: str) -> dict:
    """What a PRM makes of the scored samples of one policy; no AUC and calibration where steps cannot be checked.

    "likelihood" takes the answer of the sample that the policy itself finds likeliest: the greatest sum of the
    log-probabilities of its tokens at temperature 1.
    """
    n = pool.records[0].N
    likeliest = [None if record.failed else by_likelihood(pool, place) for place, record in enumerate(pool)]
    accuracy = {
        "mean pass@1": pool.accuracy("mean"), f"majority@{n}": pool.accuracy(),
        f"likelihood@{n}": stats.accuracy(likeliest),
        **{f"BoN@{n} ({rule})": pool.accuracy(rule) for rule in RULES}, f"pass@{n}": pool.pass_at_k(n),
    }
    known = judged(pool, style) if style in STYLES else []
    return {
        "accuracy": plain(accuracy),
        "minus_majority": plain({rule: pool.minus(pool, rule, "majority_vote") for rule in RULES}),
        "minus_likelihood": plain({
            rule: stats.paired_difference(pool.correct(rule), likeliest) for rule in RULES
        }),
        "auc": plain(auc_within(known)) if known else None, "calibration": calibration(known) if known else None,
    }  # fmt: skip


def by_likelihood(pool: Results, place: int) -> bool | None:
    """Whether the sample with the greatest log-probability, of those with an answer, is right; None if undecided."""
    answers, _ = pool.candidates(place)
    weights = [path["logprob"] for path in pool.records[place].trajectories]
    weighed = [pair for pair in zip(weights, answers, strict=True) if pair[1] is not None]
    return bool(weighed) and pool.graded(place).verdicts[max(weighed, key=lambda pair: pair[0])[1]]


def processbench_f1(prm: PRM) -> dict | None:
    """F1 on NanoProcessBench and the two accuracies it is made of, the threshold from a part that is held out.

    None while the benchmark is not made. Solutions that the PRM could not read are left out and counted.
    """
    if not NANOPROCESSBENCH.is_file():
        return None
    solutions = load_processbench("nanoprocessbench")
    scores = score_solutions(prm, solutions)
    found = judge_held_out(*scores.read([each.label for each in solutions]))
    left_out = {"left_out": len(scores.left_out)} if scores.left_out else {}
    return plain({"f1": found.f1, "wrong": found.wrong, "right": found.right}) | {
        "threshold": found.threshold, **left_out,
    }  # fmt: skip


def _share_of_ends(pool: Results, end: str) -> Estimate:
    ends = [[path["end"] for path in record.trajectories] for record in pool]
    return stats.accuracy([each.count(end) / len(each) if each else None for each in ends])


def _by(names: Sequence, values: Sequence[float | None]) -> dict[str, Estimate]:
    """The mean of the values that share a name, names sorted."""
    return {
        str(name): stats.accuracy([value for each, value in zip(names, values, strict=True) if each == name])
        for name in sorted(set(names))
    }


def _mean(values: Sequence[float]) -> Estimate:
    """Of numbers that are no shares."""
    return ratio([(value, 1.0) for value in values])


def _head(folder: FilePath, limit: int, samples: int) -> dict:
    return {"model": folder.name, "revision": weights_hash(folder), "problems": limit, "samples": samples}


def _provenance(folder: FilePath, runs: list[Results], pools: dict[str, int]) -> dict:
    """As of a figure; `pools`: the tokens that each policy generated."""
    return provenance("measure", runs, models={folder.name: weights_hash(folder)}, pools=pools)


def judged_on(folder: FilePath) -> list[FilePath]:
    """The policies that a PRM is measured on: those that its training data came from, and `COMPARED`."""
    return [folder.parent / name for name in dict.fromkeys((*PRMS[folder.name].rollouts, *COMPARED))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=FilePath)
    parser.add_argument("--policies", type=FilePath, nargs="+", help="measure a PRM on these policies' samples")
    parser.add_argument("--store", type=FilePath, default=FilePath("runs/measure"))
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    options = parser.parse_args()
    if options.folder.name in PRMS:
        places = options.policies or judged_on(options.folder)
        measured = measure_prm(options.folder, places, options.store, options.limit, options.samples)
    else:
        measured = measure_policy(options.folder, options.store, options.limit, options.samples)
    text = json.dumps(measured, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (options.folder / MEASURED).write_text(text, encoding="utf-8")
    print(text, end="")
