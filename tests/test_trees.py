"""Search-tree pictures and figure files.

Run: python -m pytest tests/test_trees.py
"""

from __future__ import annotations

import csv
import json
import math
import tempfile
from dataclasses import replace
from xml.etree import ElementTree

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedPolicy, ScriptedPRM, problems

import ttslib as tts
from ttslib import plots, trees
from ttslib.policies.base import Step
from ttslib.provenance import ENTRIES, provenance
from ttslib.search.tree import Trajectory, Tree


def small() -> Tree:
    """Two first steps, the first kept and continued by a boxed one and a cut one."""
    tree = Tree()
    for parent, text, score, kept, end in [
        (None, "a", 0.9, True, None), (None, "b", 0.2, False, None), (0, "c", 0.7, True, "boxed"),
        (0, "d", None, False, "length"),
    ]:  # fmt: skip
        node = tree.add(parent, Step(text), end=end, copies=2 if text == "b" else 1)
        node.score, node.kept = score, kept
    return tree


def test_a_tree_is_drawn_from_every_form_of_record():
    tree = small()
    chosen = Trajectory(("a", "c"), (0.9, 0.7), "boxed", (0, 2), 0.0)
    pictures = [
        trees.svg(trees.draw(source, chosen))
        for source in (tree, tree.to_json(), {"tree": tree.to_json()}, json.loads(json.dumps(tree.to_json())))
    ]
    assert len(set(pictures)) == 1  # the same tree gives the same bytes
    ElementTree.fromstring(pictures[0])
    assert trees.draw(tree, [0, 2])._repr_png_().startswith(b"\x89PNG")
    assert trees.svg(trees.draw(tree)) != pictures[0]


def test_a_tree_can_share_a_figure():
    picture, axes = plots.figure(8, 3, columns=2)
    assert trees.draw(small(), axes=axes[0]) is picture


@pytest.mark.parametrize(("depth", "named"), [(3, [3, 2, 1]), (20, list(range(20, 0, -1))), (41, [40, 37, 34])])
def test_a_deep_tree_names_some_of_its_steps(depth, named):
    tree = Tree()
    for at in range(depth):
        tree.add(at - 1 if at else None, Step("x"), end=None)
    labels = [text.get_text() for text in trees.draw(tree).axes[0].get_yticklabels()]
    assert labels[: len(named)] == [f"step {level}" for level in named]


def test_what_cannot_be_drawn_is_an_error():
    with pytest.raises(ValueError, match="no nodes"):
        trees.draw(Tree())
    with pytest.raises(ValueError, match="outside this tree"):
        trees.draw(small(), [0, 9])


@pytest.mark.parametrize("method", ["best_of_n", "beam_search", "dvts"])
def test_a_run_shows_its_answers_and_says_what_happened(method, tmp_path):
    asked = [replace(each, question="How much is $a_ + b$? " * 9) for each in problems(3)]
    run = tts.solve(
        asked, ScriptedPolicy(), ScriptedPRM(), method=method, n=8, width=4, store=tmp_path, progress=False
    )
    for at, record in enumerate(run):
        graded, picture = run.graded(at), trees.draw_run(run, "prm_last_vote", at)
        [axes] = [axes for axes in picture.axes if axes.get_title()]
        below = [text.get_text() for text in axes.texts if text.get_text()[-1] in "✓✗?"]
        expected = [f"{answer or 'none'} {'✓' if graded.verdicts[answer] else '✗'}" for answer in graded.answers]
        assert sorted(below) == sorted(expected)
        assert [row["answer"] for row in trees.rows(run, at) if row["answer"]] and len(expected) == len(record.paths())
        question, said = axes.get_title().splitlines()[1], axes.get_xlabel().replace("\n", " ")
        assert question.startswith("How much is $a_ + b$?") and len(question) < 110
        assert question.endswith(f"(answer: {record.problem['answer']})")
        right = sum(bool(graded.verdicts[answer]) for answer in graded.answers)
        assert f"; {right} of {len(graded.answers)} solutions right; prm_last_vote chooses " in said
        steps, dropped = record.sampled()
        assert said.startswith(f"{steps} steps sampled, {sum(dropped.values())} of them dropped")
        assert picture._repr_png_()
    assert trees.side_by_side({method: run, "again": run}, "prm_last_vote", 1)._repr_png_()


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=60))
def test_nodes_never_touch_and_edges_never_cross(parents):
    tree = Tree()
    for at, parent in enumerate(parents):
        tree.add(parent if 0 <= parent < at else None, Step("x"), end=None)
    places = trees.layout(tree)
    assert len(places) == len(tree.nodes)
    for depth in range(1, max(node.depth for node in tree.nodes) + 1):
        level = sorted((places[n.id][0], n.parent) for n in tree.nodes if n.depth == depth)
        assert all(b[0] - a[0] > 0.999 for a, b in zip(level, level[1:], strict=False))
        above = [0.0 if parent is None else places[parent][0] for _, parent in level]
        assert above == sorted(above)


def test_spread_is_the_nearest_order_with_gaps():
    assert trees.spread([0, 0, 0], [0, 1, 1]) == [-1, 0, 1]
    assert trees.spread([0, 5, 9], [0, 1, 1]) == [0, 5, 9]


def table(*values: float, **columns) -> pandas.DataFrame:
    rows = [{"N": 4 ** (at + 1), "value": value, "low": value - 0.05, "high": value + 0.05} | columns
            for at, value in enumerate(values)]  # fmt: skip
    return pandas.DataFrame(rows[::-1])


def curves():
    picture, axes = plots.figure()
    plots.accuracy_axes(axes, [16, 4])
    plots.accuracy_lines(axes, pandas.concat([
        table(0.4, 0.5, quantity="best_of_n"), table(0.3, quantity="cot"), table(0.2, 0.3, quantity="majority"),
    ]))  # fmt: skip
    plots.legend(axes)
    return picture, axes


def test_lines_and_levels_show_the_table_in_the_looks_of_their_methods():
    _, axes = curves()
    lines = {line.get_label(): line for line in axes.lines}
    intervals = [sorted(segment[:, 1]) for bars in axes.collections for segment in bars.get_segments()]
    for name, values in (("best_of_n", [40, 50]), ("majority", [20, 30])):
        line = lines[plots.look(name).label]
        assert list(line.get_xdata()) == [4, 16] and list(line.get_ydata()) == pytest.approx(values)
        assert (line.get_color(), line.get_marker()) == (plots.look(name).colour, plots.look(name).marker)
        assert all(pytest.approx([value - 5, value + 5]) in intervals for value in values)
    assert list(lines[plots.look("cot").label].get_ydata()) == [30, 30]


def test_what_a_row_is_called_in_a_figure():
    assert plots.quantity("best_of_n", "majority_vote") == "majority"
    assert plots.quantity("best_of_n", "prm_min_max") == plots.quantity("best_of_n", "prm_last_vote") == "best_of_n"
    assert plots.quantity("dvts", "majority_vote") == "dvts" and plots.quantity("cot", "majority_vote") == "cot"
    assert plots.quantity("best_of_n", "pass@k") == "pass@k" and plots.quantity("best_of_n", "mean") == "mean"
    for name in ("cot", "best_of_n", "beam_search", "dvts", "majority", "pass@k", "mean"):
        assert plots.look(name).colour.startswith("#")


def test_a_heading_says_what_is_shown():
    frame = pandas.DataFrame({"benchmark": ["MATH-500"] * 3, "dataset": ["NanoMATH"] * 3, "problem": ["a", "b", "a"],
                              "policy": ["org/small"] * 3, "prm": ["", "judge", "judge"]})  # fmt: skip
    assert plots.heading(frame) == "NanoMATH, 2 problems: small with judge"
    assert plots.heading(frame.assign(dataset="", prm="")) == "2 problems: small"


def test_save_writes_picture_numbers_and_provenance(tmp_path):
    picture, axes = curves()
    rows = [{"method": "best_of_n", "n": 4, "value": 0.4}, {"method": "best_of_n", "n": 16, "value": 0.5}]
    paths = plots.save(picture, tmp_path / "01", "accuracy", rows, provenance("smoke", []))
    assert [path.name for path in paths] == ["accuracy.png", "accuracy.svg", "accuracy.csv", "accuracy.json"]
    with open(paths[2], newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ["0.4", "0.5"]
    written = json.loads(paths[3].read_text())
    assert set(ENTRIES) <= set(written) and written["versions"]["matplotlib"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["4", "16"]
    before = [path.read_bytes() for path in paths]
    plots.save(curves()[0], tmp_path / "01", "accuracy", rows, provenance("smoke", []))
    assert before == [path.read_bytes() for path in paths]


@given(st.lists(st.tuples(st.floats(), st.integers(), st.none() | st.booleans()), min_size=1))
def test_numbers_are_written_so_that_a_file_read_and_written_again_is_the_same(rows):
    def written(data):
        with tempfile.TemporaryDirectory() as folder:
            return plots.save(Blank(), folder, "a", data, ABOUT)[2].read_text()

    text = written(pandas.DataFrame(rows, columns=["x", "n", "kept"], dtype=object))
    back = list(csv.DictReader(text.splitlines()))
    for (x, n, kept), row in zip(rows, back, strict=True):
        assert (row["n"], row["kept"]) == (str(n), "" if kept is None else str(kept))
        assert row["x"] == "" if math.isnan(x) else float(row["x"]) == pytest.approx(x, rel=1e-11, abs=0)
    numbers = [row | {"x": float(row["x"] or "nan")} for row in back]
    assert written(numbers) == text == written([row | {"x": row["x"] * (1 + 2e-16)} for row in numbers])


class Blank(plots.Figure):
    """Quick to save."""

    def savefig(self, *_, **__):
        pass


ABOUT = dict.fromkeys(ENTRIES, "")


def test_save_refuses_a_figure_without_its_numbers(tmp_path):
    picture, _ = plots.figure()
    with pytest.raises(ValueError, match="lacks commit"):
        plots.save(picture, tmp_path, "a", [{"x": 1}], {"profile": "smoke"})
    with pytest.raises(ValueError, match="no data"):
        plots.save(picture, tmp_path, "a", [], provenance("smoke", []))
    with pytest.raises(ValueError, match="file name"):
        plots.save(picture, tmp_path, "../a", [{"x": 1}], provenance("smoke", []))
    with pytest.raises(ValueError, match="No look"):
        plots.accuracy_lines(picture.axes[0], table(0.4, quantity="mcts"))
    assert list(tmp_path.iterdir()) == []
