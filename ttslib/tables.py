"""The tables that notebooks show and figures are drawn from, as pandas data frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas

from ttslib import flops, stats, voting
from ttslib.stats import Estimate

if TYPE_CHECKING:
    from ttslib.results import Results

DRAWS = 32


def budgets(cot: Results, pool: Results, searches: Mapping[str, Mapping[int, Results]],
            vote: str = "prm_last_vote") -> pandas.DataFrame:  # fmt: skip
    """One row for each method and budget: method, N, value, low, high, n, failed, undecided, policy_tokens,
    prompt_tokens, prm_tokens, policy_flops, prm_flops, flops.

    cot: the greedy run. pool: one Best-of-N run; BoN and majority at smaller N are the mean over `DRAWS` random
    sub-samples of it, pass@k is the unbiased estimate from all of it. searches: method -> N -> its run. `vote`
    chooses the answer of BoN and the searches. value, low and high lie in [0, 1], with 95 % intervals over problems.
    Tokens and FLOPs are those of all problems: see `flops.run_flops`.
    """
    return pandas.DataFrame(_rows(cot, pool, searches, vote))


def _rows(cot, pool, searches, vote) -> Iterator[dict]:
    yield _row("cot", 1, cot.accuracy("majority_vote"), cot)
    yield _row("mean", 1, pool.mean_pass_at_1(), pool.subsample(1))
    size = pool.records[0].N
    for n in (2**i for i in range(size.bit_length()) if 2**i <= size):
        part = _part(pool, n)
        yield _row("majority", n, part.accuracy("majority_vote"), part, prm=False)
        yield _row("best_of_n", n, part.accuracy(vote), part)
        yield _row("pass@k", n, pool.pass_at_k(n), part, prm=False)
    for method, runs in searches.items():
        for n, run in runs.items():
            yield _row(method, n, run.accuracy(vote), run)


def _row(method: str, n: int, estimate: Estimate, run: Results, prm: bool = True) -> dict:
    prm = prm and method != "mean"
    tokens = {
        "policy_tokens": run.tokens.policy, "prompt_tokens": flops.prompt_tokens(run),
        "prm_tokens": run.tokens.prm if prm else 0,
    }  # fmt: skip
    return {"method": method, "N": n} | vars(estimate) | tokens | _flops(run, prm)


def _flops(run: Results, prm: bool = True) -> dict[str, float]:
    found = flops.run_flops(run, prm=prm)
    return {"policy_flops": found.policy, "prm_flops": found.prm, "flops": found.total}


def ladder(pool: Results, n: int, vote: str = "prm_last_vote") -> pandas.DataFrame:
    """The order that test-time scaling promises at budget n, with each gap as a paired difference over problems.

    pass@n >= BoN >= majority >= mean pass@1, from one Best-of-N pool; columns: quantity, value, low, high, and
    gap, gap_low, gap_high to the next row (empty in the last).
    """
    part = _part(pool, n)
    values = {
        f"pass@{n}": pool.passes(n), f"BoN@{n} ({vote})": part.correct(vote),
        f"majority@{n}": part.correct("majority_vote"), "mean pass@1": pool.passes(1),
    }  # fmt: skip
    rows = []
    for at, (name, correct) in enumerate(values.items()):
        level = stats.accuracy(correct)
        row = {"quantity": name, "value": level.value, "low": level.low, "high": level.high}
        if at + 1 < len(values):
            gap = stats.paired_difference(correct, list(values.values())[at + 1])
            row |= {"gap": gap.value, "gap_low": gap.low, "gap_high": gap.high}
        rows.append(row)
    return pandas.DataFrame(rows)


def differences(searches: Mapping[str, Mapping[int, Results]], pool: Results,
                vote: str = "prm_last_vote") -> pandas.DataFrame:  # fmt: skip
    """Paired difference of each search to Best-of-N at the same N: method, N, minus BoN, low, high."""
    rows = []
    for method, runs in searches.items():
        for n, run in runs.items():
            gap = run.minus(_part(pool, n), vote)
            rows.append({"method": method, "N": n, "minus BoN": gap.value, "low": gap.low, "high": gap.high})
    return pandas.DataFrame(rows)


def voting_rules(runs: Mapping[str, Results], *, parity: bool = False) -> pandas.DataFrame:
    """Accuracy under each of the paper's seven rules (rows) for each run (columns), as "value [low, high]".

    With `parity`, a column beside each run shows the same with the votes of the paper's code (see `Results.parity`).
    """
    if parity:
        runs = {
            title: each
            for name, run in runs.items()
            for title, each in ((name, run), (f"{name}, as in the paper's code", run.parity()))
        }
    return pandas.DataFrame(
        {name: {rule: _interval(run.accuracy(rule)) for rule in voting.RULES} for name, run in runs.items()}
    )


def ballot(run: Results, place: int = 0) -> pandas.DataFrame:
    """The distinct answers to one problem: how many trajectories gave each, the sum and the best of their last scores.

    Answers that vote together share a row. `right` compares with the gold answer, and is None if that could not be
    decided. Without a PRM there are no scores, and the most votes come first. A failed cell has no row.
    """
    answers, scores = run.candidates(place)
    last = voting.RULES["prm_last_vote"].weights(scores)
    rows: dict[int, dict] = {}
    for at, leader in enumerate(voting.group(answers, same=run.same)):
        row = rows.setdefault(leader, {
            "answer": _said(answers[leader]), "right": run.is_right(place, answers[leader]),
            "votes": 0, "score sum": 0.0, "best score": 0.0,
        })  # fmt: skip
        row["votes"] += 1
        row["score sum"] += last[at]
        row["best score"] = max(row["best score"], last[at])
    scored = any(scores) or not scores
    columns = ["answer", "right", "votes", *(["score sum", "best score"] if scored else [])]
    order = "score sum" if scored else "votes"
    return pandas.DataFrame(rows.values(), columns=columns).sort_values(order, ascending=False, ignore_index=True)


def verdicts(runs: Mapping[str, Results], rules: Sequence[str], place: int = 0) -> pandas.DataFrame:
    """What each rule (column) makes of each run (row) on one problem: the answer with ✓ if it is right, ✗ if not, ? if
    that is undecided.
    """
    return pandas.DataFrame({
        rule: {
            name: "failed" if run.records[place].failed else _marked(run, place, rule)
            for name, run in runs.items()
        }
        for rule in rules
    })  # fmt: skip


def most_divided(run: Results) -> int:
    """The place of the problem with the most distinct answers; the first of equals."""
    return max(range(len(run)), key=lambda place: len(ballot(run, place)))


def failed(runs: Iterable[Results]) -> str:
    """How many of the runs' cells failed, and why the first did, in a line."""
    records = [record for run in runs for record in run]
    lost = [record for record in records if record.failed]
    said = f"{len(lost)} of {len(records)} cells failed"
    return f"{said}, the first: {lost[0].label}: {lost[0].reason}" if lost else said


def dropped(searches: Mapping[str, Mapping[int, Results]]) -> pandas.DataFrame:
    """What became of the steps of tree searches: method, N, searches, steps (sampled in all), the share of steps that
    led nowhere for each reason of `Tree.dropped`, and "few answers", the share of searches that found fewer than N / M.
    """
    rows = []
    for method, runs in searches.items():
        for n, run in runs.items():
            done = [record for record in run if not record.failed]
            trees = [record.search_tree() for record in done]
            steps = sum(node.copies for tree in trees for node in tree.nodes)
            lost = sum((tree.dropped() for tree in trees), Counter())
            few = sum(len(record.trajectories) < record.kept * record.subtrees for record in done)
            shares = {why: lost[why] / max(steps, 1) for why in ("rank", "duplicate", "length", "blank", "marker")}
            row = {"method": method, "N": n, "searches": len(done), "steps": steps} | shares
            rows.append(row | {"few answers": few / max(len(done), 1)})
    return pandas.DataFrame(rows)


def costs(runs: Mapping[str, Results]) -> pandas.DataFrame:
    """What each run cost, over all its problems: answers, tokens and calls of policy and PRM, tokens of the prompts,
    and FLOPs (see `flops.run_flops`)."""
    rows = {}
    for name, run in runs.items():
        answers, prompts = sum(len(record.trajectories) for record in run), flops.prompt_tokens(run)
        rows[name] = {"answers": answers} | vars(run.tokens) | {"prompt_tokens": prompts} | _flops(run)
    return pandas.DataFrame.from_dict(rows, orient="index")


def _marked(run: Results, place: int, rule: str) -> str:
    answer = run.answers(rule)[place]
    right = None if run.reasons(rule)[place] else run.is_right(place, answer)
    return f"{_said(answer)} {'?' if right is None else '✓' if right else '✗'}"


def _said(answer: str | None) -> str:
    return "no answer" if answer is None else answer


def _part(pool: Results, n: int) -> Results:
    """The pool at budget n: the mean over random sub-samples, or the pool itself if that is its size."""
    return pool.subsample(n, draws=None if n == pool.records[0].N else DRAWS)


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
