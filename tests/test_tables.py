"""The tables of the notebooks, on scripted runs.

Run: python -m pytest tests/test_tables.py
"""

from scripted import ScriptedPolicy, ScriptedPRM, problems

from ttslib import tables
from ttslib.experiment import solve
from ttslib.policies.base import Step


class NeverBoxed(ScriptedPolicy):
    """Answers nothing."""

    def _step(self, path, seed, i, stop):
        return Step("I do not know.", (1,) * 4, "eos")


def test_a_missing_answer_is_said_in_words(tmp_path):
    run = solve(problems(1), NeverBoxed(), ScriptedPRM(), method="best_of_n", n=4, store=tmp_path, progress=False)
    assert list(tables.ballot(run).answer) == ["no answer"]
    assert list(tables.ballot(run).votes) == [4]
    assert tables.verdicts({"BoN": run}, ["majority_vote"]).majority_vote["BoN"] == "no answer ✗"


def test_a_ballot_counts_every_trajectory_once_and_marks_the_right_answer(tmp_path):
    run = solve(problems(1), ScriptedPolicy(), ScriptedPRM(), method="best_of_n", n=16, store=tmp_path, progress=False)
    ballot = tables.ballot(run)
    assert ballot.votes.sum() == 16 and ballot.answer.is_unique
    assert list(ballot.answer[ballot.right]) == ["0"]
    assert list(ballot["score sum"]) == sorted(ballot["score sum"], reverse=True)
