"""The benchmark: its report, and one small run of all of it."""

import pytest
from test_prms import write_prm

from ttslib.bench import Row, main, table, verdicts
from ttslib.zoo import NANO

ROWS = [
    Row("raw vLLM", 1000, 10.0),
    Row("best_of_n", 1000, 12.5, 2.5, 400),
    Row("beam_search", 500, 8.0, 3.0, 700),
    Row("dvts", 1000, 12.5, 1.0, 300),
]


def test_rates_count_the_time_of_the_prm_and_are_shown_without_it():
    head, raw, best_of_n, beam_search, _ = table(ROWS).splitlines()
    assert len({len(line) for line in (head, raw, best_of_n, beam_search)}) == 1
    assert best_of_n.split() == ["best_of_n", "1,000", "12.5", "2.5", "80", "0.80", "1.00", "0.40"]
    assert beam_search.split() == ["beam_search", "500", "8.0", "3.0", "62", "0.62", "1.00", "1.40"]


def test_every_aim_is_said_to_be_met_or_missed():
    assert [line.split(": ")[-1] for line in verdicts(ROWS)[2:]] == [
        "missed (0.80)", "met (0.62)", "met (0.80)", "missed (1.40)",
    ]


def test_what_cannot_run_is_an_error_in_words(capsys):
    assert main(["--policy", "nano-none"]) == 2
    assert "Unknown policy 'nano-none'" in capsys.readouterr().err


@pytest.mark.engine
@pytest.mark.skipif(not NANO, reason="no nano model is shipped")
def test_a_small_run_prints_its_table_and_writes_nothing(tmp_path, monkeypatch, capsys):
    """The raw call makes as many tokens as Best-of-N did."""
    write_prm(tmp_path / "prm", "two_class")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    policy = next(name for name in NANO if "prm" not in name)
    assert main(["--policy", policy, "--prm", str(tmp_path / "prm"), "--problems", "3", "--n", "4"]) == 0
    printed = capsys.readouterr().out
    tokens = {line.split("  ")[0]: line.split()[-7] for line in printed.splitlines() if line.count("  ") > 7}
    assert tokens["raw vLLM"] == tokens["best_of_n"] != "0"
    assert not list(here.iterdir())
