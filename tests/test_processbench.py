"""ProcessBench: from the Hub at its commit with the published counts, or a local file; bad input is one sentence."""

import json

import pytest

from ttslib import processbench as module
from ttslib.processbench import REVISION, SUBSETS, LabelledSolution, load_processbench


def row(name, label=-1, steps=("One.", "Two.")):
    return {"id": name, "generator": "m", "problem": "1+1?", "steps": list(steps), "final_answer_correct": True,
            "label": label}


def subset(name, wrong=0):
    """As many rows as the subset has, `wrong` right solutions fewer than it has."""
    size, right = SUBSETS[name]
    return [row(f"{name}-{i}", -1 if i < right - wrong else i % 2) for i in range(size)]


def test_the_commit_is_pinned_and_the_counts_are_those_of_its_paper():
    assert len(REVISION) == 40 and int(REVISION, 16)
    assert sum(size for size, _ in SUBSETS.values()) == 3400


@pytest.mark.parametrize("name", SUBSETS)
def test_a_subset_is_read_from_its_pinned_file_and_changed_labels_are_noticed(name, tmp_path, monkeypatch):
    file, asked = tmp_path / f"{name}.json", []
    monkeypatch.setattr(module, "hub_file", lambda *where, **options: asked.append((where, options)) or file)
    file.write_text(json.dumps(subset(name)))
    found = load_processbench(name)
    assert asked == [(("Qwen/ProcessBench", f"{name}.json"), {"revision": REVISION, "kind": "dataset"})]
    assert (len(found), sum(each.label == -1 for each in found)) == SUBSETS[name]
    assert found[0] == LabelledSolution(f"{name}-0", "1+1?", ("One.", "Two."), -1)
    assert load_processbench(name, limit=3) == found[:3]
    for changed in (subset(name)[:-1], subset(name, wrong=1)):
        file.write_text(json.dumps(changed))
        with pytest.raises(ValueError, match=f"{name} is not the expected copy"):
            load_processbench(name)


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_local_file_of_either_kind(tmp_path, suffix):
    rows = [row("a"), row(2, 1, ("x", "", "\u2028y"))]
    file = tmp_path / f"mine.{suffix}"
    file.write_text(json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows)) + "\n")
    assert load_processbench(str(file)) == [
        LabelledSolution("a", "1+1?", ("One.", "Two."), -1),
        LabelledSolution("2", "1+1?", ("x", "", "\u2028y"), 1),
    ]


def test_a_byte_order_mark_and_lone_surrogates(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([row("a\ud800", steps=("x\udfffy", "z")) | {"problem": "\udc00"}]), encoding="utf-8-sig")
    assert load_processbench(file) == [LabelledSolution("a\ufffd", "\ufffd", ("x\ufffdy", "z"), -1)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "holds no solution"),
        ([row("a"), row("b"), row("a")], "Row 1 of .* and Row 3 of .* with the same id 'a'"),
        ([row("a", steps=())], "Row 1 .* no list of `steps`"),
        ([row("a") | {"steps": "One."}], "Row 1 .* no list of `steps`"),
        ([row("a") | {"steps": [1]}], "no list of `steps`"),
        ([row("a"), "x"], "Row 2 .* has no `id`"),
        ([row("a", 2)], "has the label 2: it is the index of one of its 2 steps, or -1"),
        ([row("a", -2)], "has the label -2"),
        ([row("a", "1")], "has the label '1'"),
        ([row("a", True)], "has the label True"),
        ([row("a", None)], "has the label None"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, rows, words):
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(rows))
    with pytest.raises(ValueError, match=words) as caught:
        load_processbench(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "limit", "words"),
    [
        ("gsm9k", None, "Unknown subset 'gsm9k': did you mean gsm8k?"),
        ("nowhere.json", None, "No problem file at .*nowhere.json"),
        ("gsm8k", 0, "limit must be at least 1"),
    ],
)
def test_unknown_ones_are_one_sentence(name, limit, words):
    with pytest.raises(ValueError, match=words):
        load_processbench(name, limit=limit)
