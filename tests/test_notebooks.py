"""The notebooks: their form, and that they run headlessly from nothing and again from the store.

Run: python -m pytest tests/test_notebooks.py
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(notebook.cells) <= 40
    assert all(len(cell.source.splitlines()) <= 25 for cell in code)
    assert not any(cell.outputs or cell.execution_count for cell in code), "sources carry no outputs"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    assert "versions()" in code[0].source


def execute(notebook, folder):
    command = [sys.executable, "-m", "ttslib.run", f"notebooks/{notebook}.ipynb", "--profile", "smoke",
               "--figures", str(folder / "figures"), "--store", str(folder / "store")]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "figures" / notebook


@pytest.mark.engine
@pytest.mark.parametrize(
    ("notebook", "figures"),
    [("00_quickstart", ["tree_best_of_n", "tree_beam_search", "tree_dvts"]),
     ("01_tts_methods", ["accuracy_against_budget", "methods"]),
     ("02_nano_zoo", ["learning_curves", "accuracy_against_size", "calibration"])],
)  # fmt: skip
def test_a_notebook_runs_and_runs_again_from_its_records(notebook, figures, tmp_path):
    folder = execute(notebook, tmp_path)
    made = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".ipynb"}
    assert set(made) == {f"{name}.{kind}" for name in figures for kind in ("png", "svg", "csv", "json")}
    for name in figures:
        about = json.loads(made[f"{name}.json"])
        assert about["profile"] == "smoke" and about["failed"] == 0
        assert about["tokens"]["policy"] > 0 or about["trained"]["tokens"] > 0
        assert all(re.fullmatch("[0-9a-f]{12}", revision) for revision in about["models"].values())
    text = (folder / f"{notebook}.ipynb").read_text()
    assert str(ROOT) not in text, "an executed notebook names its machine's paths"
    again = execute(notebook, tmp_path)
    assert {path.name: path.read_bytes() for path in again.iterdir() if path.suffix != ".ipynb"} == made
