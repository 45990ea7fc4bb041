"""Verdicts that outlive a process: what is asked again, what is not, and what happens where they cannot be kept."""

import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from importlib import metadata
from multiprocessing import get_context

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedPolicy, problems

import ttslib as tts
from ttslib import grading, voting
from ttslib.grading import equivalence, memory

PAIRS = [(r"\sqrt{a+17}", r"(17+a)^{1/2}"), (r"\sqrt{a+17}", "a+18"), ("3", "4"), ("0.5", r"\frac{1}{2}"), ("1", None)]
TRUTH = [True, False, False, True, False]
BALLOTS = [[r"\sqrt{a+19}", "2", None, r"(19+a)^{1/2}"], ["a+21", "21+a", "7"]]
GROUPS = [[0, 1, 2, 0], [0, 0, 2]]
EQUAL = {PAIRS[0], (BALLOTS[0][0], BALLOTS[0][3]), tuple(BALLOTS[1][:2])}
FINGERPRINT = """import sys, types
sys.modules["ttslib"] = package = types.ModuleType("ttslib")
package.__path__ = [sys.argv[1]]
from ttslib.grading.memory import fingerprint
print(fingerprint())"""


def judged(path, told=EQUAL.__contains__, version=None, pairs=PAIRS, ballots=BALLOTS):
    """In a process of its own: verdicts, groups, how many pairs took symbols, and what was warned of.

    told: what stands for the symbolic comparisons.
    """
    with get_context("fork").Pool(1) as other:
        return other.apply(_judged, (path, told, version, pairs, ballots))


def never(pair):
    return None


def _judged(path, told, version, pairs, ballots):
    asked = []

    def counted(pairs, *, patient):
        asked.extend(pairs)
        return {pair: told(pair) for pair in pairs}

    equivalence.ask = counted
    if version:
        memory.fingerprint.cache_clear()
        memory.metadata.version = lambda package: version
    grading.remember(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        verdicts = grading.verdicts(pairs)
        groups = voting.group_all(ballots)
        again = grading.verdicts(pairs)
    assert again == verdicts
    return verdicts, groups, len(asked), [str(each.message) for each in caught if "remembered" in str(each.message)]


def test_a_second_process_makes_no_symbolic_comparison(tmp_path):
    first = judged(tmp_path / "verdicts.sqlite")
    assert first[:2] == (TRUTH, GROUPS) and first[2]
    assert judged(tmp_path / "verdicts.sqlite") == (TRUTH, GROUPS, 0, [])
    assert judged(None)[2] == first[2]
    assert judged(tmp_path / "other.sqlite")[2] == first[2]


def test_groups_are_remembered_as_they_are(tmp_path):
    judged(tmp_path / "verdicts.sqlite", pairs=[])
    assert judged(tmp_path / "verdicts.sqlite", told=never, pairs=[])[1:3] == (GROUPS, 0)


@pytest.mark.parametrize("package", memory.PACKAGES)
def test_what_decides_verdicts_is_installed(package):
    assert metadata.version(package)


def test_another_version_asks_again(tmp_path):
    asked = judged(tmp_path / "verdicts.sqlite")[2]
    assert judged(tmp_path / "verdicts.sqlite", version="0.0")[2] == asked
    assert judged(tmp_path / "verdicts.sqlite", version="0.0")[2] == 0
    assert judged(tmp_path / "verdicts.sqlite")[2] == 0  # both are still there


def test_changed_grading_asks_again(tmp_path):
    """The package is copied, and one of its modules gets a comment."""

    def fingerprint(root):
        command = [sys.executable, "-c", FINGERPRINT, str(root)]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout.strip()

    source = os.path.dirname(grading.__file__)
    shutil.copytree(source, tmp_path / "grading", ignore=shutil.ignore_patterns("__pycache__"))
    assert fingerprint(tmp_path) == memory.fingerprint()
    with open(tmp_path / "grading" / "units.py", "a") as file:
        file.write("# changed\n")
    assert fingerprint(tmp_path) != memory.fingerprint()


def test_none_is_never_remembered(tmp_path):
    verdicts, groups, *_ = judged(tmp_path / "verdicts.sqlite", told=never)
    assert verdicts == [None, None, False, True, False] and groups[0] == [0, 1, 2, 3]
    verdicts, groups, asked, _ = judged(tmp_path / "verdicts.sqlite")
    assert (verdicts, groups) == (TRUTH, GROUPS) and asked


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + bytes(4000)])
def test_a_damaged_file_is_named_once_and_left_alone(content, tmp_path):
    path = tmp_path / "verdicts.sqlite"
    path.write_bytes(content)
    verdicts, groups, _, warned = judged(path)
    assert (verdicts, groups) == (TRUTH, GROUPS) and path.read_bytes() == content
    assert len(warned) == 1 and str(path) in warned[0] and "delete it" in warned[0]


def test_a_file_of_another_kind_is_left_alone(tmp_path):
    path = tmp_path / "verdicts.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE answers (other)")
    db.close()
    assert judged(path)[:2] == (TRUTH, GROUPS)


def test_a_locked_file_is_not_waited_for_long(tmp_path, monkeypatch):
    path = tmp_path / "verdicts.sqlite"
    judged(path)
    monkeypatch.setattr(memory, "_BUSY", 0.05)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    verdicts, groups, asked, warned = judged(path)
    db.close()
    assert (verdicts, groups) == (TRUTH, GROUPS) and asked and "locked" in warned[0]


def test_a_read_only_file_is_read(tmp_path, monkeypatch):
    path = tmp_path / "verdicts.sqlite"
    judged(path, pairs=[])
    before = path.read_bytes()
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)  # root may write anywhere
    verdicts, groups, asked, warned = judged(path)
    assert (verdicts, groups, warned) == (TRUTH, GROUPS, []) and asked == 2 and path.read_bytes() == before


def test_a_folder_that_is_gone_is_no_matter(tmp_path):
    assert judged(tmp_path / "gone" / "verdicts.sqlite")[3] == [] and not (tmp_path / "gone").exists()


def test_several_processes_share_a_file(tmp_path):
    path = tmp_path / "verdicts.sqlite"
    ballots = [[[f"{i}x{j}", "2"] for i in range(30)] for j in range(8)]
    with get_context("fork").Pool(4) as others:
        found = others.starmap(_judged, [(path, EQUAL.__contains__, None, [], each) for each in ballots], chunksize=1)
    assert [warned for *_, warned in found] == [[]] * 8
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM answers").fetchone()[0] >= 240
    db.close()


@given(st.lists(st.tuples(st.text(max_size=5), st.none() | st.text(max_size=5)), max_size=5))
@settings(max_examples=15)
def test_any_question_is_found_again(tmp_path_factory, asked):
    grading.remember(tmp_path_factory.mktemp("any") / "verdicts.sqlite")
    answers = {each: place for place, each in enumerate(asked)}
    memory.keep("kind", answers)
    assert memory.recall("kind", asked) == answers and memory.recall("other kind", asked) == {}


def test_solve_keeps_verdicts_beside_the_records(tmp_path, monkeypatch):
    monkeypatch.setattr(equivalence, "_judged", {})  # what other tests have told is news to this store
    run = tts.solve(problems(2), ScriptedPolicy(), method="best_of_n", n=4, store=tmp_path, progress=False)
    run.accuracy()
    assert (tmp_path / "verdicts.sqlite").is_file()
