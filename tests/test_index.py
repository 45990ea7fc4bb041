"""The pages over the figures: every picture with its caption and origin, and the map from the paper."""

import json

import pytest

from ttslib import index
from ttslib.paper import EXPERIMENTS
from ttslib.provenance import provenance


def figure(root, notebook, name, profile="nano", **more):
    folder = root / notebook
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("png", "svg", "csv"):
        (folder / f"{name}.{kind}").write_text("")
    about = provenance(profile, []) | {"tokens": {"policy": 1234, "prm": 5}, "wall_seconds": 90.0, "cells": 7} | more
    (folder / f"{name}.json").write_text(json.dumps(about))
    cells = [{"cell_type": "markdown", "source": [f"# {notebook[:2]} · A title\n", "\n", "Text."]}]
    (folder / f"{notebook}.ipynb").write_text(json.dumps({"cells": cells}))


def test_every_experiment_of_the_paper_has_its_place():
    assert set(index.REPRODUCED) == set(EXPERIMENTS)


def test_the_index_shows_every_picture_with_its_caption_and_links(tmp_path):
    figure(tmp_path, "04_policy_prm_grid", "accuracy_against_budget", caption="What it shows. How to read it.")
    figure(tmp_path, "04_policy_prm_grid", "other", failed=2)
    text = index.index(tmp_path)
    assert "## [04 · A title](04_policy_prm_grid/04_policy_prm_grid.ipynb)" in text
    assert "What it shows. How to read it." in text and "2 cells failed" in text
    assert 'src="04_policy_prm_grid/other.png"' in text and "1,234 policy and 5 PRM tokens" in text
    rows = [line for line in text.splitlines() if line.startswith("| Figure 4:")]
    assert len(rows) == 1 and "(04_policy_prm_grid/accuracy_against_budget.png)" in rows[0]
    assert "| done | not filled | not run |" in rows[0]
    assert "| Table 6: " in text and "| Figures 13-18: " in text


def test_the_map_stands_in_the_readme_of_the_package(tmp_path):
    figure(tmp_path / "figures", "04_policy_prm_grid", "accuracy_against_budget")
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{index.FROM}\nold\n{index.TO}\n\nEnd.\n")
    for _ in range(2):
        assert readme in index.write(tmp_path / "figures")
        text = readme.read_text()
        assert text.startswith("# Title") and text.endswith(f"{index.TO}\n\nEnd.\n") and "old" not in text
        assert "(figures/04_policy_prm_grid/accuracy_against_budget.png)" in text and text.count("| Figure 4:") == 1


def test_the_checklist_says_what_was_run_and_on_what(tmp_path):
    figure(tmp_path, "07_policy_size", "methods_against_budget", models={"nano-x": "abc"}, seeds=[0, 1])
    text = index.checklist(tmp_path)
    assert "`nano-x` | `abc`" in text and "0, 1" in text and "90 s" in text


def test_verdicts_are_told_by_the_experiments_that_the_claims_rest_on(tmp_path):
    figure(tmp_path, "16_verdicts", "verdicts")
    (tmp_path / "16_verdicts" / "verdicts.csv").write_text(
        "claim,claim_verdict\n"
        + "".join(f"{number},{'holds' if number == 7 else 'undecided'}\n" for number in range(1, 25))
    )
    told = index.claim_verdicts(tmp_path)
    assert told["fig3"] == "1 holds" and told["fig4"] == "3 undecided" and "fig2" not in told


def test_a_folder_without_figures_and_a_broken_file_are_said(tmp_path, capsys):
    assert index.main([str(tmp_path)]) == 2 and "run `make figures` first" in capsys.readouterr().err
    figure(tmp_path, "04_policy_prm_grid", "a")
    (tmp_path / "04_policy_prm_grid" / "a.json").write_text("{")
    with pytest.raises(ValueError, match="a.json cannot be read"):
        index.write(tmp_path)
    figure(tmp_path, "04_policy_prm_grid", "a")
    assert index.main([str(tmp_path)]) == 0 and (tmp_path / "README.md").is_file()
