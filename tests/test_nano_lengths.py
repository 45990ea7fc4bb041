"""Lengths: what PRMs learn from, and scored steps with their labels."""

from dataclasses import replace

import pytest
from test_solve import run

from ttslib.nano.benchmark import nanomath
from ttslib.nano.lengths import STEPS, rollout_runs, scored_steps, sources
from ttslib.nano.specs import LONG, MIX, WEAK
from ttslib.nano.styles import qwen_steps
from ttslib.results import Results


def test_each_generator_is_sampled_once_as_the_rollouts_were():
    assert sources("nano-prm-skywork-l") == MIX and sources("Qwen/Qwen2.5-Math-PRM-7B") == ()
    runs = rollout_runs(["nano-prm-shepherd", "nano-prm-rlhflow-mistral", "nano-prm-rlhflow-deepseek", "other"], 3)
    assert [(run.policy.name, run.settings["temperature"]) for run in runs] == [
        (WEAK, 0.7), (WEAK, 1.0), (LONG, 0.7), (LONG, 1.0)
    ]  # fmt: skip
    assert {len(run.problems) for run in runs} == {3} and runs[0].problems == runs[2].problems
    assert rollout_runs([], 3) == []


@pytest.fixture
def labelled(tmp_path):
    """Three solutions of a NanoMATH problem: right, wrong from its second step on, and right again."""
    [record] = run(tmp_path, "best_of_n", n=4, count=1)
    worked = nanomath()[0]
    right = qwen_steps(worked)
    wrong = [right[0], "Next, $1=2$.", *right[2:]]
    path = record.trajectories[0]
    paths = [path | {"steps": steps, "scores": [0.5] * len(steps)} for steps in (right, wrong, right)]
    problem = record.problem | {"question": worked.question, "answer": worked.answer}
    cell = record.cell | {"policy": {"name": "nano-qwen-0.4m", "revision": "r"}}
    return right, Results([replace(record, cell=cell, problem=problem, trajectories=paths, N=3)])


def test_steps_are_exactly_right_or_wrong_and_what_solutions_share_counts_once(labelled):
    right, results = labelled
    frame = scored_steps([results])
    assert list(frame.columns) == list(STEPS) and set(frame.label) == {"exact"}
    assert list(frame.depth) == [*range(len(right)), 1] and list(frame.right) == [1.0] * len(right) + [0.0]
    assert list(frame.characters) == [len(step) for step in right] + [len("Next, $1=2$.")]


def test_where_no_step_can_be_checked_its_answer_labels_it(tmp_path):
    results = run(tmp_path, "best_of_n", n=4, count=3)
    frame = scored_steps([results])
    assert set(frame.label) == {"answer"}
    assert len(frame) == sum(len(path["steps"]) for record in results for path in record.trajectories)
    mean = frame.drop_duplicates(["problem", "sample"]).right.mean()
    assert mean == pytest.approx(results.accuracy("mean").value)
    bare = [replace(record, trajectories=[path | {"scores": []} for path in record.trajectories]) for record in results]
    assert scored_steps([Results(bare)]).empty
