"""Audits: a random part of an archive is computed again and compared.

Run: python -m pytest tests/test_audit.py
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedPRM
from test_archive import filled
from test_runner import TWENTY, Scripted, grid

from ttslib import archive, audit, provenance
from ttslib.cells import cells_of

RUNS = grid(asked=TWENTY[:5])
pytestmark = pytest.mark.filterwarnings("ignore:FLOPs are unknown")


class Other(Scripted):
    """Its PRMs score everything a little higher, or much."""

    def __init__(self, by):
        super().__init__()
        self.by = by

    def load_prm(self, name, **options):
        return self._load("prm", name, Higher(self.by))


class Higher(ScriptedPRM):
    def __init__(self, by):
        super().__init__()
        self.by = by

    async def score(self, paths):
        return [[score + self.by for score in path] for path in await super().score(paths)]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    filled(folder / "store", RUNS)
    archive.write(folder / "store", folder / "archive", profile="nano")
    return archive.Archive(folder / "archive")


def audited(shipped, path, executor, share=0.3):
    drawn = audit.drawn(shipped, RUNS, share)
    return audit.audit(shipped, drawn, path, executor=executor, progress=False)


def test_the_same_code_computes_the_same_to_the_bit(shipped, tmp_path):
    compared, table = audited(shipped, tmp_path, Scripted(), share=1.0)
    assert all(each.like and each.identical for each in compared)
    assert len(compared) == table.cells.sum() == len({cell.key for run in RUNS for cell in cells_of(run)})
    assert (table.different == 0).all() and (table.archived == table.recomputed).all() and (table.difference == 0).all()
    assert (table.low <= 0).all() and (table.high >= 0).all() and (table.equal_answers == 1).all()
    said, code = audit.said(compared)
    assert code == 0 and "0 different" in said and "none differs" in said


@pytest.mark.parametrize(("by", "close"), [(1e-6, True), (1e-2, False)])
def test_last_bits_of_scores_are_no_difference_and_more_is(by, close, shipped, tmp_path):
    compared, table = audited(shipped, tmp_path, Other(by), share=1.0)
    assert not all(each.identical for each in compared) and all(each.close for each in compared) == close
    assert table.apart.max() == pytest.approx(by)
    said, code = audit.said(compared)
    assert code == (0 if close else 1) and ("does not hold what" in said) == (not close)


def test_other_hardware_is_judged_by_accuracies(shipped, tmp_path, monkeypatch):
    monkeypatch.setattr("ttslib.executors.searches.hardware", lambda: "another machine")
    compared, _ = audited(shipped, tmp_path, Other(1e-2))
    assert not any(each.like for each in compared)
    said, code = audit.said(compared)
    assert code == 0 and "judge by the accuracies" in said


@given(st.floats(0.01, 1), st.integers(0, 3), st.none() | st.integers(1, 9))
def test_what_is_drawn_is_in_the_archive_and_as_much_as_was_asked_for(shipped, share, seed, limit):
    runs = audit.drawn(shipped, RUNS, share, seed, limit)
    keys = [cell.key for run in runs for cell in cells_of(run)]
    total = len({cell.key for run in RUNS for cell in cells_of(run)})
    assert len(shipped.status(keys)) == len(set(keys)) == len(keys) == min(max(1, round(share * total)), limit or total)
    assert audit.drawn(shipped, RUNS, share, seed, limit) == runs


def test_what_cannot_be_drawn_is_said(shipped, tmp_path, capsys):
    for share in (0.0, 1.5):
        with pytest.raises(ValueError, match="share of cells"):
            audit.drawn(shipped, RUNS, share)
    with pytest.raises(ValueError, match="holds no cell"):
        audit.drawn(shipped, [replace(RUNS[0], seed=7)], 1.0)
    assert audit.main(["--archive", str(tmp_path)]) == 2 and "cannot be read" in capsys.readouterr().err


def test_hardware_is_named():
    assert provenance.hardware() and provenance.hardware() == provenance.hardware()
