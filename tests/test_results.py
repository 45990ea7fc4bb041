"""Results: votes, pass@k, sub-samples of a pool, and what could not be decided.

Run: python -m pytest tests/test_results.py
"""

from dataclasses import replace

import pytest
from scripted import ScriptedPolicy, ScriptedPRM, problems
from test_solve import run

from ttslib import grading, stats, tables, voting
from ttslib.policies.base import Step
from ttslib.results import QUANTITIES, Results
from ttslib.runner import solve

PRM_RULES = sorted(set(voting.RULES) - {"majority_vote"})


def test_votes_and_pass_at_k_agree_with_their_parts(tmp_path):
    results = run(tmp_path, "best_of_n", n=16, count=12)
    right = []
    for record, given in zip(results, results.answers("prm_min_vote"), strict=True):
        paths = record.paths()
        answers = [grading.extract_answer(path.text) for path in paths]
        assert given == voting.vote(answers, [path.scores for path in paths], "prm_min_vote")
        right.append([grading.equivalent(record.problem["answer"], answer) for answer in answers])
    assert results.accuracy("mean").value == pytest.approx(sum(map(sum, right)) / (12 * 16))
    assert results.pass_at_k(16) == results.accuracy("pass@k")
    assert results.pass_at_k(16).value == pytest.approx(sum(map(any, right)) / 12)
    by_hand = sum(stats.pass_at_k(16, sum(row), 4) for row in right) / 12
    assert results.pass_at_k(4).value == pytest.approx(by_hand)
    assert results.subsample(4).accuracy("pass@k") == results.pass_at_k(4)
    assert results.accuracy("prm_last_vote").n == 12
    with pytest.raises(ValueError, match="pass@17"):
        results.pass_at_k(17)
    with pytest.raises(ValueError, match="majority_vote"):
        results.accuracy("best")


def test_parts_of_the_pool(tmp_path):
    pool = run(tmp_path, "best_of_n", n=16, count=12)
    first, rest = pool.part(0, 4), pool.part(4, 16)
    for rule in ("majority_vote", "prm_last_vote"):
        assert first.correct(rule) == pool.subsample(4).correct(rule)
    for record, one, other in zip(pool, first, rest, strict=True):
        assert one.trajectories + other.trajectories == record.trajectories
    whole = (4 * first.accuracy("mean").value + 12 * rest.accuracy("mean").value) / 16
    assert whole == pytest.approx(pool.accuracy("mean").value)
    assert first.tokens.policy + rest.tokens.policy == pytest.approx(pool.tokens.policy, abs=12)
    frame = rest.frame(["prm_last_vote", "pass@k"], budgets=[4, 8])
    assert sorted(set(frame.N)) == [4, 8, 12] and (frame.subtrees == frame.N).all()
    assert rest.parity().part(0, 2).answers() == rest.part(0, 2).parity().answers()
    with pytest.raises(ValueError, match="no part from 4 to 17"):
        pool.part(4, 17)
    for other in (pool.subsample(4), run(tmp_path)):
        with pytest.raises(ValueError, match="Only a pool of best_of_n"):
            other.part(0, 2)


def test_subsamples_of_the_pool(tmp_path):
    pool = run(tmp_path, "best_of_n", n=16, count=12)
    first = pool.subsample(4)
    for record, answer in zip(pool, first.answers("majority_vote"), strict=True):
        answers = [grading.extract_answer(path.text) for path in record.paths()[:4]]
        assert answer == voting.vote(answers, [()] * 4, "majority_vote")
    assert pool.subsample(16).correct("prm_last_max") == pool.correct("prm_last_max")
    assert pool.subsample(1, draws=400).accuracy().value == pytest.approx(pool.accuracy("mean").value, abs=0.03)
    drawn = pool.subsample(4, draws=10, seed=3)
    assert (
        drawn.correct()
        == pool.subsample(4, draws=10, seed=3).correct()
        != pool.subsample(4, draws=10, seed=4).correct()
    )
    assert first.tokens.policy == pytest.approx(pool.tokens.policy / 4, abs=12)
    with pytest.raises(ValueError, match="pool of 16"):
        pool.subsample(17)
    with pytest.raises(ValueError, match="run beam_search with n=4"):
        run(tmp_path).subsample(4)


@pytest.mark.parametrize("method", ["best_of_n", "cot"])
@pytest.mark.parametrize("rule", PRM_RULES)
def test_a_prm_rule_needs_a_prm(tmp_path, method, rule):
    bare = solve(problems(3), ScriptedPolicy(), None, method=method, n=4, store=tmp_path, progress=False)
    whole = (bare.answers, bare.correct, bare.accuracy, bare.chosen, bare.reasons, bare.frame)
    for ask in (*whole, bare.parity().answers):
        with pytest.raises(ValueError, match=f"{rule} weighs .* use majority_vote, or solve with a PRM"):
            ask(rule)
    with pytest.raises(ValueError, match=rule):
        bare.minus(bare, "majority_vote", rule)
    if method == "best_of_n":
        with pytest.raises(ValueError, match=rule):
            bare.subsample(2, draws=3).accuracy(rule)
    assert bare.accuracy().n == 3 and len(bare.chosen()) == 3
    assert list(tables.ballot(bare)) == ["answer", "right", "votes"]
    assert Results([]).correct(rule) == []


def test_pass_at_k_is_about_samples(tmp_path):
    search = run(tmp_path, "dvts")
    with pytest.raises(ValueError, match="pass@k is about N whole samples, which dvts does not draw: use best_of_n"):
        search.accuracy("pass@k")
    assert search.accuracy("mean").n == 6
    single = run(tmp_path, "cot")
    assert single.correct("pass@k") == single.correct("mean") == single.correct()


class Undecidable(ScriptedPolicy):
    """Answers with integrals, a different one in each sample, to the first two problems; right to the others."""

    def _step(self, path, seed, i, stop):
        number = int(path.problem.id[1:])
        answer = rf"\int_0^1 e^{{-v^2}}\sin({i + 2}v)\,dv" if number < 2 else path.problem.answer
        return Step(rf"\boxed{{{answer}}}", (1,) * 4, "eos")


def test_what_could_not_be_decided_is_neither_right_nor_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(grading.equivalence, "ask", lambda pairs, *, patient: dict.fromkeys(pairs))
    broken = Undecidable(raises={"p5": RuntimeError("engine lost")})
    run = solve(problems(6), broken, ScriptedPRM(), method="best_of_n", n=4, store=tmp_path, progress=False)
    for vote in (*voting.RULES, *QUANTITIES):
        assert run.correct(vote) == [None, None, 1.0, 1.0, 1.0, None]
        reasons = run.reasons(vote)
        assert "time ran out" in reasons[0] and reasons[2] == "" and reasons[5] == "RuntimeError: engine lost"
    estimate = run.accuracy()
    assert (estimate.value, estimate.n, estimate.failed, estimate.undecided) == (1.0, 3, 1, 2)
    assert str(estimate).endswith("(n = 3, 1 failed, 2 undecided)")
    assert run.undecided == 2 * 6 and "1 failed, 12 pairs of answers undecided" in repr(run)
    assert run.pass_at_k(2).undecided == run.accuracy("mean").undecided == 2
    assert (run.minus(run).n, run.minus(run).failed, run.minus(run).undecided) == (3, 1, 2)
    assert run.subsample(2, draws=4).correct() == run.correct()
    assert list(tables.ballot(run).right) == [None] * 4
    assert run.chosen()[0].text == rf"\boxed{{{run.answers()[0]}}}"


def test_undecided_samples_are_left_out_of_pass_at_k(tmp_path, monkeypatch):
    class Half(Undecidable):
        def _step(self, path, seed, i, stop):
            number = 0 if i < 2 else 9
            return super()._step(replace(path, problem=replace(path.problem, id=f"p{number}")), seed, i, stop)

    monkeypatch.setattr(grading.equivalence, "ask", lambda pairs, *, patient: dict.fromkeys(pairs))
    run = solve(problems(2), Half(), None, method="best_of_n", n=6, store=tmp_path, progress=False)
    assert run.correct() == [1.0, 1.0]
    assert (run.pass_at_k(4).value, run.pass_at_k(4).n, run.pass_at_k(5).undecided) == (1.0, 2, 2)
    assert run.subsample(5).reasons("pass@k") == ["time ran out before 5 of its answers were told right or wrong"] * 2
    assert run.accuracy("mean").value == 1.0
    with pytest.raises(ValueError, match="pass@7"):
        run.pass_at_k(7)


def test_answers_of_many_runs_are_graded_once(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(grading, "verdicts", lambda pairs: asked.extend(pairs) or [None] * len(pairs))
    runs = [run(tmp_path, "best_of_n", seed=seed, count=3) for seed in (0, 1)]
    runs[0].prepare(["mean"], runs[1])
    once = len(asked)
    assert once == len(set(asked)) > 6
    for each in runs:
        assert each.accuracy("mean").undecided == each.subsample(2, draws=3).accuracy("prm_last_max").undecided == 3
    assert len(asked) == once


def test_difference_of_two_runs(tmp_path):
    a, b = run(tmp_path, count=12), run(tmp_path, "best_of_n", count=12)
    difference = a.minus(b, "prm_last_vote")
    assert difference.value == pytest.approx(
        a.accuracy("prm_last_vote").value - b.accuracy("prm_last_vote").value
    )
    with pytest.raises(ValueError, match="same problems"):
        a.minus(run(tmp_path, count=6))


def test_labels_are_known_names():
    assert Results([], labels={"benchmark": "MATH-500"}).parity().labels == {"benchmark": "MATH-500"}
    with pytest.raises(ValueError, match="no label 'role': give some of benchmark, dataset, policy_role, prm_role"):
        Results([], labels={"role": "x"})
