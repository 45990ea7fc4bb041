"""The voting rules: what counts together, what wins, what happens in ties and when time runs out."""

import time
from fractions import Fraction

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import grading, voting
from ttslib.grading import equivalence
from ttslib.voting import RULES, group, group_all, undecided, vote

SCORES = [(0.9, 0.2), (0.5, 0.6), (0.4, 0.5)]
NAMES = {"majority_vote"} | {f"prm_{r}_{c}" for r in ("min", "last", "avg") for c in ("max", "vote")}


def test_the_rules_are_those_of_the_paper():
    assert set(RULES) == NAMES


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("majority_vote", "2"),
        ("prm_min_max", "2"),  # 0.2, 0.5, 0.4
        ("prm_last_max", "2"),  # 0.2, 0.6, 0.5
        ("prm_avg_max", "1"),  # 0.55, 0.55, 0.45: a tie, the first trajectory wins
        ("prm_min_vote", "2"),
        ("prm_avg_vote", "2"),
    ],
)
def test_rules_by_hand(rule, expected):
    assert vote(["1", "2", "2"], SCORES, rule) == expected


def test_vote_adds_up_what_max_compares_one_by_one():
    answers, scores = ["1", "2", "2"], [(0.7,), (0.4,), (0.5,)]
    assert vote(answers, scores, "prm_last_max") == "1"
    assert vote(answers, scores, "prm_last_vote") == "2"


def test_equal_answers_vote_together_in_the_form_seen_first():
    answers = ["3", r"\frac{1}{2}", "0.5", "3", r"x = \frac{2}{4}"]
    assert vote(answers, [], "majority_vote") == r"\frac{1}{2}"
    assert vote(answers, [], "majority_vote", same="string") == "3"


def test_forms_with_different_keys_are_merged():
    assert group([r"2\sqrt{2}", "7", r"\sqrt{8}"]) == [0, 1, 0]


@pytest.mark.parametrize("same", ["math", "string"])
def test_ties(same):
    assert vote(["2", "1", "1", "2"], [], "majority_vote", same=same) == "2"
    assert vote(["7", "8"], [(0.5,), (0.5,)], "prm_last_max", same=same) == "7"
    # A max vote takes the first of the best trajectories, not the first of their answers.
    scores = [(0.1,), (0.9,), (0.9,)]
    assert vote(["7", "8", "7"], scores, "prm_last_max", same=same) == "8"
    assert vote(["7", "8", "7"], scores, "prm_last_vote", same=same) == "7"
    assert vote(["7", "8", "7", "8"], [(1.0,), (0.5,), (0.5,), (1.0,)], "prm_min_vote", same=same) == "7"


def test_a_max_vote_gives_the_form_of_the_best_trajectory():
    assert vote([r"\frac12", "0.5"], [(0.2,), (0.3,)], "prm_min_max") == "0.5"
    assert vote([r"\frac12", "0.5"], [(0.2,), (0.3,)], "prm_min_vote") == r"\frac12"


def test_no_answer_never_beats_an_answer_unless_strings_are_compared():
    assert vote([None, None, "4"], [(0.9,), (0.9,), (0.1,)], "prm_last_vote") == "4"
    assert vote([None, None, "4"], [], "majority_vote", same="string") is None
    assert vote([None, None], [], "majority_vote") is None
    assert vote([], [], "majority_vote") is None


@pytest.mark.parametrize("rule", sorted(NAMES - {"majority_vote"}))
def test_a_trajectory_without_scores_has_no_vote_under_a_prm_rule(rule):
    assert vote(["1", "2"], [(), (0.1,)], rule) == "2"
    assert vote(["1", "1", "2"], [(), (), (0.0,)], rule) == "2"
    assert vote(["1", "2"], [(), ()], rule) is None
    assert vote(["1", "2"], [(), ()], rule, same="string") is None
    assert vote(["2", "1", "1"], [(), (), ()], "majority_vote") == "1"


def integrals(text):
    """Ten different answers that no comparison decides in time; `text` makes them new to this process."""
    return [rf"\int_0^1 e^{{-{text}^2}}\sin({k}{text})\,d{text}" for k in range(1, 11)]


def test_undecidable_answers_vote_apart_in_bounded_time_and_are_counted():
    answers, scores = integrals("x"), [(k / 10,) for k in range(10)]
    assert grading.equivalent("x^2-1", "(x-1)(x+1)")  # the grading process is up
    workers = psutil.Process().children()
    before = sum(worker.cpu_times().user for worker in workers)
    assert vote(answers, scores, "majority_vote") == answers[0]
    assert 1 < sum(worker.cpu_times().user for worker in workers) - before < 8  # 45 comparisons take a minute
    started = time.monotonic()
    assert {vote(answers, scores, rule) for rule in NAMES - {"majority_vote"}} == {answers[-1]}
    assert time.monotonic() - started < 0.5
    assert group(answers) == list(range(10)) and undecided(answers) == 45


def test_different_formulas_are_all_told_apart_and_equal_ones_together():
    answers = [f"x^3+{k}x-{k * k}" for k in range(25)]
    forms = [f"-{k * k}+x(x^2+{k})" for k in range(25)]
    assert group([*answers, *forms]) == [*range(25)] * 2 and undecided([*answers, *forms]) == 0


@pytest.fixture
def asked(monkeypatch):
    """The batches of pairs that the grading processes were asked about; they decide none of them."""
    batches = []

    def ask(pairs, *, patient):
        batches.append(list(pairs))
        return dict.fromkeys(pairs)

    monkeypatch.setattr(equivalence, "ask", ask)
    return batches


def test_what_was_left_undecided_is_not_asked_again(asked):
    answers = integrals("y")
    for rule in NAMES:
        vote(answers, [(0.5,)] * 10, rule)
    pairs = [pair for batch in asked for pair in batch]
    assert len(pairs) == len(set(pairs)) == 4 and undecided(answers) == 45
    assert group(answers[:2]) == [0, 1] and sum(map(len, asked)) == 4  # a pair that was tried before


def test_patience_counts_comparisons(monkeypatch):
    monkeypatch.setattr(equivalence, "ask", lambda pairs, *, patient: dict.fromkeys(pairs, False))
    answers = [f"x+\\sin({k}x)" for k in range(50)]
    assert group(answers) == list(range(50)) and undecided(answers) == 50 * 49 // 2 - voting.PATIENCE


def test_ballots_are_grouped_together(asked, monkeypatch):
    ballots = [integrals(text)[:3] + ["1/2", None, "0.5"] for text in "abcd"]
    assert group_all([*ballots, ballots[0]]) == [[0, 1, 2, 3, 4, 3]] * 5
    assert [len(batch) for batch in asked] == [4, 8, 4]  # the patience of each ballot ends with its fourth pair
    assert [undecided(ballot) for ballot in ballots] == [6] * 4
    assert group_all(ballots, same="string") == [[0, 1, 2, 3, 4, 5]] * 4
    assert group_all([]) == []


def test_groups_that_rest_on_an_unanswered_question_are_not_kept(monkeypatch):
    answers = integrals("w")[:2]
    monkeypatch.setattr(equivalence, "ask", lambda pairs, *, patient: {})
    assert group(answers) == [0, 1] and undecided(answers) == 1
    monkeypatch.setattr(equivalence, "ask", lambda pairs, *, patient: dict.fromkeys(pairs, True))
    assert group(answers) == [0, 0] and undecided(answers) == 0


def test_patience_that_ran_out_stops_no_comparison_that_takes_none(asked, monkeypatch):
    monkeypatch.setattr(voting, "PATIENCE", 0)
    first, second, *_ = integrals("z")
    answers = [first, "1/2", second, "0.5", first, r"\frac{2}{4}"]
    assert group(answers) == [0, 1, 2, 1, 0, 1] and not asked
    assert undecided(answers) == 3  # neither integral is told from the other or from a half
    assert vote(answers, [], "majority_vote") == "1/2"


def test_a_verdict_is_true_false_or_none(asked):
    first, second, *_ = integrals("t")
    assert grading.verdict("1/2", "0.5") is True and grading.verdict("1/2", "0.6") is False
    assert grading.verdict(first, f" {first} ") is True and grading.verdict("5", None) is False
    assert grading.verdict(first, second, symbolic=False) is None and not asked
    assert grading.verdict(first, second) is None and grading.equivalent(first, second) is False
    assert grading.verdict(first, second, symbolic=False) is None and len(asked) == 1


def test_a_comparison_that_was_not_made_is_made_later(monkeypatch):
    first, second, *_ = integrals("u")
    monkeypatch.setattr(equivalence, "ask", lambda pairs, *, patient: {})
    assert grading.verdict(first, second) is None and grading.verdicts([(first, second)]) == [None]
    monkeypatch.setattr(equivalence, "ask", lambda pairs, *, patient: dict.fromkeys(pairs, True))
    assert grading.verdict(first, second) is True and grading.verdicts([(first, second)]) == [True]


def test_each_pair_of_a_batch_is_asked_once(asked):
    first, second, *_ = integrals("v")
    pairs = [(first, second), ("1/2", "0.5"), (first, second), (second, first)]
    assert grading.verdicts(pairs) == [None, True, None, None] == grading.verdicts(pairs)
    assert asked == [[(first, second), (second, first)]]


def test_hundreds_of_different_answers_are_grouped_without_symbolic_mathematics(asked):
    answers = [str(Fraction(2 * k + 1, 11)) for k in range(300)]
    started = time.monotonic()
    assert group(answers) == list(range(300)) and not asked and undecided(answers) == 0
    assert time.monotonic() - started < 20


def test_clear_errors():
    with pytest.raises(ValueError, match="Unknown voting rule"):
        vote(["1"], [(1.0,)], "best")
    with pytest.raises(ValueError, match="2 answers but 1"):
        vote(["1", "2"], [(1.0,)], "prm_min_max")
    with pytest.raises(ValueError, match="same="):
        vote(["1"], [(1.0,)], "prm_min_max", same="exact")


FORMS = {"1": ["1", "1.0", r"\frac{2}{2}"], "1/2": ["1/2", "0.5", r"\frac{1}{2}"], "2": ["2", "+2"], None: [None]}
KEYS = st.sampled_from(list(FORMS))
STEPS = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=3).map(tuple)
BALLOT = st.lists(st.tuples(KEYS, STEPS), max_size=8)
RULE = st.sampled_from(sorted(NAMES))


def value(answer):
    return answer if answer is None else next(key for key, forms in FORMS.items() if answer in forms)


@settings(max_examples=60, deadline=None)
@given(BALLOT, RULE)
def test_the_winner_is_one_of_the_answers(ballot, rule):
    answers, scores = [answer for answer, _ in ballot], [steps for _, steps in ballot]
    for same in ("math", "string"):
        winner = vote(answers, scores, rule, same=same)
        assert winner in [*answers, None]
        if same == "math" and any(answer is not None for answer in answers):
            assert winner is not None


@settings(max_examples=60, deadline=None)
@given(BALLOT, RULE, st.data())
def test_the_form_of_an_answer_changes_no_vote(ballot, rule, data):
    answers, scores = [answer for answer, _ in ballot], [steps for _, steps in ballot]
    written = [data.draw(st.sampled_from(FORMS[answer])) for answer in answers]
    assert value(vote(written, scores, rule)) == value(vote(answers, scores, rule))


@settings(max_examples=60, deadline=None)
@given(BALLOT, RULE)
def test_numbers_and_strings_agree_on_canonical_answers(ballot, rule):
    given = [(answer, steps) for answer, steps in ballot if answer is not None]
    answers, scores = [answer for answer, _ in given], [steps for _, steps in given]
    assert vote(answers, scores, rule) == vote(answers, scores, rule, same="string")


@settings(max_examples=60, deadline=None)
@given(BALLOT, RULE.filter(lambda rule: rule.endswith("max")), st.sampled_from(["math", "string"]))
def test_a_max_vote_gives_the_answer_of_a_best_scored_trajectory(ballot, rule, same):
    ballot = [(answer, steps) for answer, steps in ballot if same == "string" or answer is not None]
    weights = RULES[rule].weights([steps for _, steps in ballot])
    best = [answer for (answer, _), weight in zip(ballot, weights, strict=True) if weight == max(weights)]
    winner = vote([answer for answer, _ in ballot], [steps for _, steps in ballot], rule, same=same)
    assert winner == (best[0] if best else None)


@settings(max_examples=60, deadline=None)
@given(BALLOT, RULE)
def test_a_trajectory_that_has_no_vote_changes_nothing(ballot, rule):
    answers, scores = [answer for answer, _ in ballot], [steps for _, steps in ballot]
    expected = vote(answers, scores, rule)
    assert vote([None, *answers], [(1.0,), *scores], rule) == expected
    if rule != "majority_vote":
        assert vote(["7", *answers], [(), *scores], rule) == expected


@settings(max_examples=60, deadline=None)
@given(BALLOT, st.sampled_from(["prm_min_vote", "prm_last_vote", "prm_avg_vote"]))
def test_splitting_a_vote_in_two_halves_changes_nothing(ballot, rule):
    whole = [(answer, (max(steps),)) for answer, steps in ballot]
    split = [(answer, (steps[0] / 2,)) for answer, steps in whole for _ in range(2)]
    winners = {vote([answer for answer, _ in part], [steps for _, steps in part], rule) for part in (whole, split)}
    assert len(winners) == 1


@settings(max_examples=60, deadline=None)
@given(BALLOT, RULE)
def test_known_groups_give_the_same_vote(ballot, rule):
    answers, scores = [answer for answer, _ in ballot], [steps for _, steps in ballot]
    named = [10 - leader for leader in group(answers)]  # which numbers name the groups does not matter
    assert vote(answers, scores, rule, groups=named) == vote(answers, scores, rule)


BALLOTS = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        st.lists(st.sampled_from(["1", "2", "3", None]), min_size=size, max_size=size),
        st.lists(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7]), max_size=2), min_size=size, max_size=size),
        st.lists(st.permutations(range(size)), min_size=1, max_size=4),
        st.integers(1, size),
    )
)


@pytest.mark.parametrize("rule", sorted(RULES))
@given(BALLOTS)
def test_many_choices_among_trajectories_are_voted_on_like_each_alone(rule, drawn):
    answers, scores, orders, size = drawn
    picks = [order[:size] for order in orders]
    by = RULES[rule]
    voters = [
        answer is not None and (by.reduce is None or bool(steps))
        for answer, steps in zip(answers, scores, strict=True)
    ]
    found = voting.elect(rule, by.weights(scores), voters, group(answers), picks)
    for place, pick in zip(found, picks, strict=True):
        assert (place < 0 or place in pick) and (None if place < 0 else answers[place]) == plain_vote(
            [answers[at] for at in pick], [scores[at] for at in pick], rule
        )


def plain_vote(answers, scores, rule):
    """A rule as it is written in the paper, on answers that are spelled alike where they are equal."""
    by, totals = RULES[rule], {}
    for place, (answer, steps) in enumerate(zip(answers, scores, strict=True)):
        if answer is not None and (by.reduce is None or steps):
            key = place if by.choose == "max" else answer  # of equally good trajectories the first one counts
            totals[key] = totals.get(key, 0.0) + (by.reduce(steps) if by.reduce else 1.0)
    best = max(totals, key=totals.get, default=None)
    return answers[best] if by.choose == "max" and totals else best
