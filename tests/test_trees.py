"""Search-tree pictures and figure files.

Run: python -m pytest tests/test_trees.py
"""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def estimate(value: float):
    return SimpleNamespace(value=value, low=value - 0.05, high=value + 0.05)


def curves():
    picture, axes = plots.figure()
    plots.accuracy_axes(axes, [16, 4])
    plots.accuracy_line(axes, {4: estimate(0.4), 16: estimate(0.5)}, "best_of_n")
    plots.accuracy_level(axes, estimate(0.3), "cot")
    plots.legend(axes)
    return picture, axes


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


def test_save_refuses_a_figure_without_its_numbers(tmp_path):
    picture, _ = plots.figure()
    with pytest.raises(ValueError, match="lacks commit"):
        plots.save(picture, tmp_path, "a", [{"x": 1}], {"profile": "smoke"})
    with pytest.raises(ValueError, match="no data"):
        plots.save(picture, tmp_path, "a", [], provenance("smoke", []))
    with pytest.raises(ValueError, match="file name"):
        plots.save(picture, tmp_path, "../a", [{"x": 1}], provenance("smoke", []))
    with pytest.raises(ValueError, match="No look"):
        plots.accuracy_line(picture.axes[0], {4: estimate(0.4)}, "mcts")
    assert list(tmp_path.iterdir()) == []
