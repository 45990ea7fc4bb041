"""Archives: what is read is what was written, small, the same bytes again, and nothing is computed there.

Run: python -m pytest tests/test_archive.py
"""

import math
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedPolicy, ScriptedPRM, problems
from test_runner import POLICIES, PRMS, TWENTY, Scripted, grid

import ttslib as tts
from ttslib import archive, fill, grading
from ttslib.archive.__main__ import main
from ttslib.archive.layout import Steps
from ttslib.fill import beside
from ttslib.records import Record, Store, StoreError
from ttslib.results import QUANTITIES
from ttslib.runs import Run

pytestmark = pytest.mark.filterwarnings("ignore:FLOPs are unknown")
VOTES = [*tts.voting.RULES, *QUANTITIES]
ROOT = Path(__file__).parent.parent


class Failing(Scripted):
    """Its policies fail at one problem, and its PRMs cannot read more than two steps."""

    def load_policy(self, name, **options):
        return self._load("policy", name, ScriptedPolicy(raises={"p1": OSError("gone")}))

    def load_prm(self, name, **options):
        return self._load("prm", name, ScriptedPRM(context=2))


def filled(store, runs, executor=None):
    executor = executor or Scripted()
    done = tts.run(runs, store=store, executor=executor, progress=False)
    executor.close()
    return done


def tables(done):
    """All that notebooks take from a list of runs."""
    parts = [
        done.frame(VOTES), done.frame(VOTES, budgets=[2, 4]), done.frame(VOTES, parity=True), done.samples(),
        tts.tables.dropped(done.values()), *(tts.tables.ballot(done[run], 2) for run in done),
    ]  # fmt: skip
    return parts, done.provenance("nano"), done.failed


def same(one, other):
    for mine, its in zip(one[0], other[0], strict=True):
        pandas.testing.assert_frame_equal(mine, its, check_exact=True)
    assert one[1:] == other[1:]


@pytest.fixture(scope="module", params=[Scripted, Failing], ids=["", "with failures"])
def stored(request, tmp_path_factory):
    """(store, runs, archive of them)."""
    folder = tmp_path_factory.mktemp("archive")
    runs = grid(asked=TWENTY[:6]) + [Run("cot", POLICIES[0], None, TWENTY[:6])]
    filled(folder / "store", runs, request.param())
    archive.write(folder / "store", folder / "archive", profile="nano")
    return folder / "store", runs, folder / "archive"


def test_an_archive_says_what_its_store_says(stored):
    store, runs, folder = stored
    there = tts.run(runs, store=folder)
    assert list(there) == runs and there.missing == f"0 of {len(runs)} runs are missing"
    same(tables(there), tables(tts.run(runs, store=store)))


def test_a_record_without_its_texts_is_all_else_that_it_was(stored):
    store, _, folder = stored
    with Store(store) as records:
        both = [(record, archive.Archive(folder).get(record.key)) for record in records.records()]
    assert len(both) == len(archive.Archive(folder)) > 20
    for full, brief in both:
        assert replace(brief, brief=None) == replace(full, trajectories=[], tree=None)
        assert brief.pool == full.pool and brief.label == full.label and brief.spans == full.spans
        for part in ("ends", "step_scores", "step_tokens", "unread", "context"):
            assert getattr(brief, part)() == getattr(full, part)()
        (steps, dropped), (all_steps, lost) = full.sampled(), brief.sampled()
        assert steps == all_steps and +Counter(dropped) == +Counter(lost)


def test_records_of_a_method_without_a_tree_are_archived_too(tmp_path):
    bare = replace(record([[("a", 1, 0.5), ("b", 1, 0.25)]], [True]), tree={"nodes": []})
    bare.trajectories[0]["nodes"] = []
    assert bare.step_tokens() == [(0, 0)] and bare.unread() == [False]
    assert Steps.of(bare) == Steps([-1, 0], [0, 0], [0.5, 0.25], [1])


def test_parts_of_a_pool_are_those_of_the_store(stored):
    store, runs, folder = stored
    pools = [run for run in runs if run.method == "best_of_n"]
    both = [tts.run(pools, store=each) for each in (folder, store)]
    for run in pools:
        for start, stop in ((0, 3), (3, 8)):
            mine, its = (done[run].part(start, stop) for done in both)
            votes = [vote for vote in VOTES if not its.lacks(vote)]
            pandas.testing.assert_frame_equal(mine.frame(votes), its.frame(votes), check_exact=True)
            pandas.testing.assert_frame_equal(mine.samples(), its.samples(), check_exact=True)


def test_reading_takes_no_symbolic_comparison_and_writes_nothing(stored, monkeypatch):
    _, runs, folder = stored

    def fail(*_, **__):
        raise AssertionError("something was graded")

    monkeypatch.setattr(grading.equivalence, "_read", fail)
    monkeypatch.setattr(grading.equivalence, "ask", fail)
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert len(tts.run(runs, store=archive.Archive(folder)).frame(VOTES, budgets=[2]))
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_changed_grading_grades_again_and_an_archive_of_the_archive_is_as_it_was(stored, monkeypatch, tmp_path):
    _, runs, folder = stored
    monkeypatch.setattr(grading.memory, "fingerprint", lambda: "another")
    archive.reading.read_once.cache_clear()
    with pytest.warns(UserWarning, match="graded again"):
        same(tables(tts.run(runs, store=archive.Archive(folder))), tables(tts.run(runs, store=stored[0])))
        archive.write(folder, tmp_path, profile="nano")
    changed = {file.name for file in folder.iterdir() if file.read_bytes() != (tmp_path / file.name).read_bytes()}
    assert changed == {"contents.parquet"}


def test_the_same_records_are_the_same_bytes_and_files_that_stay_are_not_touched(stored, tmp_path):
    store, runs, folder = stored
    archive.write(store, tmp_path, profile="nano")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    archive.write(store, tmp_path, profile="nano")
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


def test_an_archive_grows_and_work_goes_on_where_only_it_is(stored, tmp_path):
    _, runs, folder = stored
    rest = beside([*runs, *(replace(run, problems=TWENTY[:8]) for run in runs)], folder)
    assert {problem.id for run in rest for problem in run.problems} == {problem.id for problem in TWENTY[6:8]}
    assert beside(rest, tmp_path / "none") == rest
    own = [run for run in rest if run.policy.name == POLICIES[0]]
    filled(tmp_path / "store", own)
    grown = tmp_path / "archive"
    archive.write(folder, grown)
    files = {file: file.read_bytes() for file in grown.glob(f"cells-{POLICIES[1]}*")}
    sizes = len(archive.Archive(grown)), archive.write(tmp_path / "store", grown)
    with Store(tmp_path / "store") as more:
        assert sizes[1] == sizes[0] + len(more)
    assert files and {file: file.read_bytes() for file in files} == files
    same(tables(tts.run(runs, store=grown)), tables(tts.run(runs, store=stored[0])))
    whole = [replace(run, problems=TWENTY[:8]) for run in runs if run.policy.name == POLICIES[0]]
    assert list(tts.run(whole, store=grown)) == whole and beside(whole, grown) == []


def test_runs_that_are_not_whole_are_left_out_and_named(stored):
    _, runs, folder = stored
    more = [replace(run, problems=TWENTY[:8]) for run in runs]
    said = f"{len(runs)} of {2 * len(runs)} runs are not in the archive {folder}, the first: {more[0].label}"
    with pytest.raises(StoreError, match=re.escape(said) + r" \(whole\)\. Compute them"):
        tts.run([*more, *runs], store=folder)
    done = tts.run([*more, *runs], store=folder, partial=True)
    assert list(done) == runs and done.missing == said
    with pytest.raises(KeyError, match="is not here: .* are not in the archive"):
        done[more[0]]
    with pytest.raises(StoreError, match=f"{len(more)} of {len(more)} runs are not in the archive"):
        tts.run(more, store=folder, partial=True)
    planned = tts.run(more, store=folder, dry_run=True)
    assert list(planned.missing) == [2] * len(more)
    with pytest.raises(StoreError, match="1 of 1 runs"):
        tts.run([replace(runs[0], seed=1)], store=folder)
    edited = replace(runs[0], problems=tuple(replace(each, question=each.question + "?") for each in TWENTY[:6]))
    assert list(tts.run([edited, runs[0]], store=folder, partial=True)) == [runs[0]]
    assert list(tts.run([], store=folder)) == []


def test_nothing_can_be_computed_in_an_archive(stored):
    *_, folder = stored
    before = sorted(folder.iterdir())
    with pytest.raises(StoreError, match="archive, to which nothing can be added"):
        tts.solve(problems(2), ScriptedPolicy(), method="cot", store=folder, progress=False)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("executor", [Scripted, Failing])
def test_texts_are_there_of_the_runs_that_are_shown(executor, tmp_path):
    runs = grid(asked=TWENTY[:6])
    store, folder = tmp_path / "store", tmp_path / "archive"
    filled(store, runs, executor())
    one = [next(run for run in runs if run.method == method and run.prm) for method in ("dvts", "best_of_n")]
    shown = [replace(run, problems=run.problems[1:3]) for run in one]
    tts.run(shown, store=store, texts=True)
    archive.write(store, folder)
    with pytest.raises(StoreError, match=r"runs are not .* \(with texts\)"):
        tts.run(runs, store=folder, texts=True)
    kept, full = (tts.run(shown, store=place, texts=True) for place in (folder, store))
    for run in shown:
        assert [vars(record) | {"brief": None} for record in kept[run]] == [vars(record) for record in full[run]]
    others = tts.run(one, store=folder)
    for run in one:
        with pytest.raises(StoreError, match="texts .* were left out"):
            others[run].records[3].paths()
        with Store(tmp_path / "other") as other, pytest.raises(StoreError, match="left out"):
            other.put(others[run].records[3])
    again = tmp_path / "again"
    archive.write(folder, again)
    assert (again / "texts.parquet").read_bytes() == (folder / "texts.parquet").read_bytes()


def test_texts_of_samples_stand_once_however_many_prms_score_them(tmp_path):
    runs = [Run("best_of_n", POLICIES[0], prm, TWENTY[:3], n=8) for prm in PRMS]
    filled(tmp_path / "store", runs)
    tts.run(runs, store=tmp_path / "store", texts=True)
    archive.write(tmp_path / "store", tmp_path / "archive")
    assert len(pandas.read_parquet(tmp_path / "archive" / "texts.parquet")) == 3
    assert len(tts.run(runs, store=tmp_path / "archive", texts=True)) == len(runs) > 1


def test_samples_stand_once_however_many_prms_score_them(tmp_path):
    runs = [Run("best_of_n", POLICIES[0], prm, TWENTY, n=32) for prm in (None, *PRMS)]
    sizes = []
    for run in runs:
        filled(tmp_path / "store", [run])
        archive.write(tmp_path / "store", tmp_path / "archive")
        sizes.append(sum(file.stat().st_size for file in (tmp_path / "archive").iterdir()))
    with Store(tmp_path / "store") as records:
        paths = [path for record in records.records() for path in record.trajectories if path["scores"]]
    scores = 8 * len({(score, path["steps"][-1]) for path in paths for score in path["scores"]})
    assert sizes[2] - sizes[1] < scores  # random doubles do not compress


def test_what_cannot_be_archived_or_read_is_said(tmp_path, capsys):
    run = Run("cot", POLICIES[0], None, TWENTY[:2])
    with pytest.raises(ValueError, match="There is no record"):
        archive.write(tmp_path / "store", tmp_path / "archive")
    assert not (tmp_path / "archive").exists()
    assert main(["write", "--store", str(tmp_path / "none"), "--to", str(tmp_path / "to")]) == 2
    assert "There is no store" in capsys.readouterr().err
    filled(tmp_path / "store", [run])
    archive.write(tmp_path / "store", tmp_path / "archive")
    (tmp_path / "archive" / "problems.parquet").write_bytes(b"half")
    with pytest.raises(StoreError, match="cannot be read"):
        tts.run([run], store=tmp_path / "archive")


def test_the_command_line_archives_a_profile(tmp_path, capsys):
    profile = tts.get_profile("smoke")
    runs = [run for run in fill.wanted(["table5"], profile) if run.prm is None][:3]
    filled(tmp_path / "store", runs)
    places = ["--store", str(tmp_path / "store"), "--to", str(tmp_path / "to")]
    assert main(["write", "--profile", "smoke", *places]) == 0
    said = capsys.readouterr().out
    assert f" records in {tmp_path / 'to'}, " in said and "of the experiments of smoke it lacks" in said
    done = tts.run(tts.paper.experiment("table5"), profile="smoke", store=tmp_path / "to", partial=True)
    assert len(done) == len(runs)


def test_an_archive_is_read_where_no_engine_is_installed(stored, tmp_path):
    *_, folder = stored
    for name in ("torch", "vllm", "transformers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise AssertionError('{name} was imported')")
    program = "import sys; from ttslib.archive import Archive; print(len([*Archive(sys.argv[1]).records()]))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", program, str(folder)]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert shown.stderr == "" and int(shown.stdout) == len(archive.Archive(folder))


def record(paths, scored):
    """A record of paths of (text, tokens, score)."""
    nodes = [{"id": at, "tokens": step[1]} for at, step in enumerate(step for path in paths for step in path)]
    numbers = iter(range(len(nodes)))
    trajectories = [
        {"steps": [step[0] for step in path], "nodes": [next(numbers) for _ in path], "end": "eos",
         "scores": [step[2] for step in path] if read else []}
        for path, read in zip(paths, scored, strict=True)
    ]  # fmt: skip
    return Record("", {}, {}, 1, 1, 1, 1, trajectories=trajectories, tree={"nodes": nodes})


STEP = st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.sampled_from([0.0, 0.5]))
PATHS = st.lists(st.lists(STEP, max_size=3), max_size=5).flatmap(
    lambda paths: st.tuples(st.just(paths), st.lists(st.booleans(), min_size=len(paths), max_size=len(paths)))
)


@given(PATHS)
def test_steps_that_paths_share_stand_once_and_lose_nothing(drawn):
    paths = record(*drawn)
    steps = Steps.of(paths)
    keys = list(zip(steps.parent, steps.tokens, (s if s == s else None for s in steps.score), strict=True))
    assert all(parent < at for at, parent in enumerate(steps.parent)) and len(keys) <= sum(map(len, drawn[0]))
    for leaf, tokens, scores in zip(steps.leaf, paths.step_tokens(), paths.step_scores(), strict=True):
        found = []
        while leaf >= 0:
            found.append(keys[leaf])
            leaf = keys[leaf][0]
        found.reverse()
        assert tuple(each[1] for each in found) == tokens
        assert tuple(each[2] for each in found if each[2] is not None) == scores


@given(PATHS, PATHS)
@settings(max_examples=50)
def test_scores_of_samples_are_kept_on_their_steps_or_not_at_all(drawn, _):
    paths, read = drawn
    steps = Steps.of(record(paths, [False] * len(paths)))
    scored = record(paths, read)
    found = steps.scored_by(scored)
    if found is None:
        return
    for leaf, scores in zip(steps.leaf, scored.step_scores(), strict=True):
        got = []
        while leaf >= 0:
            got.append(found[leaf])
            leaf = steps.parent[leaf]
        assert not got or (math.isnan(got[0]) and not scores) or tuple(reversed(got)) == scores
