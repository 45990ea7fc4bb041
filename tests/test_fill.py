"""Filling a store with the experiments: what is wanted, in which order, and by which processes."""

import pandas
import pytest

from ttslib import fill as program
from ttslib.paper import EXPERIMENTS, experiment
from ttslib.profiles import get_profile


def test_all_that_a_profile_draws_is_wanted_once():
    smoke, full = get_profile("smoke"), get_profile("full")
    every = program.wanted([], smoke)
    assert len(set(every)) == len(every)
    paper = {run for each in EXPERIMENTS.values() if not each.whole for run in each.runs(smoke)}
    assert set(every) == paper | set(smoke.lead_runs())
    assert set(experiment("fig10").runs(full)) <= set(program.wanted([], full))
    assert program.wanted(["table6"], smoke) == experiment("table6").runs(smoke)
    with pytest.raises(ValueError, match="Unknown experiment 'fig99'"):
        program.wanted(["fig99"], smoke)


def test_workers_begin_with_different_policies_and_do_everything_together():
    runs = program.wanted(["fig7"], get_profile("smoke"))
    first, second = (program.share(runs, worker, 2) for worker in (0, 1))
    assert set(first) == set(second) == set(runs) and first[0].policy != second[0].policy
    halves = [[run.policy for run in each[: len(runs) // 2]] for each in (first, second)]
    assert len(set(halves[0]) & set(halves[1])) <= 1
    assert program.share(runs, 0, 1) == runs


def test_nothing_is_started_where_nothing_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(program.subprocess, "Popen", None)
    monkeypatch.setattr(program, "missing", lambda runs, store: pandas.DataFrame({"missing": [0]}))
    assert program.main(["table6", "--profile", "smoke", "--store", str(tmp_path)]) == 0
    monkeypatch.setattr(program, "beside", lambda runs, archive: [])
    assert program.main(["table6", "--profile", "smoke", "--store", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["fig99"], "Unknown experiment 'fig99'"), (["--profile", "huge"], "Unknown profile 'huge'"),
     (["--policy", "GPT-9=x"], "Unknown role among the policies 'GPT-9'")],
)  # fmt: skip
def test_what_cannot_be_filled_is_said_before_anything_starts(arguments, said, tmp_path, capsys):
    assert program.main([*arguments, "--store", str(tmp_path / "store")]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "store").exists()
