"""The voting rules: what counts together, what wins, what happens in ties."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.voting import RULES, group, vote

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
        ("prm_avg_max", "1"),  # 0.55, 0.55, 0.45: a tie, the first seen wins
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


def test_ties_go_to_the_first_seen():
    assert vote(["2", "1", "1", "2"], [], "majority_vote") == "2"
    assert vote(["7", "8"], [(0.5,), (0.5,)], "prm_last_max") == "7"


def test_no_answer_never_beats_an_answer_unless_strings_are_compared():
    assert vote([None, None, "4"], [(0.9,), (0.9,), (0.1,)], "prm_last_vote") == "4"
    assert vote([None, None, "4"], [], "majority_vote", same="string") is None
    assert vote([None, None], [], "majority_vote") is None
    assert vote([], [], "majority_vote") is None


def test_a_trajectory_without_scores_weighs_nothing():
    assert vote(["1", "2"], [(), (0.1,)], "prm_min_vote") == "2"


def test_clear_errors():
    with pytest.raises(ValueError, match="Unknown voting rule"):
        vote(["1"], [(1.0,)], "best")
    with pytest.raises(ValueError, match="2 answers but 1"):
        vote(["1", "2"], [(1.0,)], "prm_min_max")
    with pytest.raises(ValueError, match="same="):
        vote(["1"], [(1.0,)], "prm_min_max", same="exact")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", "1/2", "0.5", None]), st.floats(0, 1)), max_size=8),
    st.sampled_from(sorted(NAMES)),
)
def test_the_winner_is_one_of_the_answers(pairs, rule):
    answers, scores = [answer for answer, _ in pairs], [(score,) for _, score in pairs]
    for same in ("math", "string"):
        winner = vote(answers, scores, rule, same=same)
        assert winner in [*answers, None]
        if same == "math" and any(answer is not None for answer in answers):
            assert winner is not None
