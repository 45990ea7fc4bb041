"""A voting rule of one's own: one line, and votes and frames take it.

Run: python -m pytest tests/test_own_rule.py
"""

import math

import pytest
from scripted import ScriptedPolicy, ScriptedPRM, problems

from ttslib.runner import solve
from ttslib.voting import RULES, Rule, vote


@pytest.fixture
def product():
    RULES["prm_product_vote"] = Rule(math.prod, "vote")
    yield "prm_product_vote"
    del RULES["prm_product_vote"]


def test_a_rule_of_ones_own_votes_by_its_own_weights(product):
    answers, scores = ["1", "2", "2"], [(0.9, 0.9), (0.5, 0.8), (0.5, 0.8)]
    assert vote(answers, scores, product) == "1"  # 0.81 against 0.40 + 0.40
    assert vote(answers, scores, "prm_last_vote") == "2"


def test_it_is_a_rule_of_results_and_frames(product, tmp_path):
    found = solve(problems(3), ScriptedPolicy(), ScriptedPRM(), method="best_of_n", n=8, store=tmp_path, progress=False)
    expected = [vote(*found.candidates(place), product) for place in range(3)]
    assert found.answers(product) == expected
    rows = found.frame(votes=["majority_vote", product])
    assert rows.answer[rows.vote == product].tolist() == expected and len(rows) == 6
