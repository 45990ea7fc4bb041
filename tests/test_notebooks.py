"""The notebooks: their form, that they run headlessly from nothing and again from the store, and on any benchmark.

Run: python -m pytest tests/test_notebooks.py
"""

import json
import linecache
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from papermill import PapermillExecutionError
from scripted import ScriptedPolicy, ScriptedPRM

from ttslib import execute as program
from ttslib import index, lab, runner
from ttslib.executors import LocalExecutor, placement
from ttslib.executors.hardware import NO_GPU
from ttslib.paper import EXPERIMENTS
from ttslib.policies.base import Step

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUICKSTART, METHODS = NOTEBOOKS[:2]
# Copies of the real benchmarks, where the checkout has them beside it; they are no part of the package.
COPIES = ROOT.parent / "shared" / "data"


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


def execute(notebook, folder, *more, **environment):
    """Runs a notebook, or with "" all of them, at the profile smoke; the folder of its figures."""
    path = f"notebooks/{notebook}.ipynb" if notebook else "notebooks"
    command = [sys.executable, "-m", "ttslib.execute", path, "--profile", "smoke",
               "--figures", str(folder / "figures"), "--store", str(folder / "store"), *more]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "figures" / notebook


def figures_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")
            if path.suffix in (".png", ".svg", ".csv", ".json")}  # fmt: skip


@pytest.mark.engine
@pytest.mark.first
@pytest.mark.timeout(1800)
def test_every_notebook_runs_and_runs_again_from_its_records(tmp_path):
    folder = execute("", tmp_path, "--workers", "2")
    made = figures_in(folder)
    drawn = [place for each, place in index.REPRODUCED.items() if not EXPERIMENTS[each].whole]
    assert {f"{notebook}/{name}.png" for notebook, name in drawn} <= made.keys()
    for path in NOTEBOOKS:
        own = {name.partition(".")[0] for name in made if name.startswith(path.stem)}
        assert own and all(f"{name}.{kind}" in made for name in own for kind in ("png", "svg", "csv", "json"))
        for name in own:
            about = json.loads(made[f"{name}.json"])
            assert about["profile"] == "smoke" and about["caption"].count(".") >= 2, name
            assert not about.get("failed")
            assert all(re.fullmatch("[0-9a-f]{12}", tag) for tag in about["models"].values())
        text = (folder / path.stem / path.name).read_text()
        assert str(ROOT) not in text, "an executed notebook names its machine's paths"
    assert "| Table 6: " in (folder / "README.md").read_text() and (folder / "CHECKLIST.md").is_file()
    # Again nothing is loaded, nor what could load it imported.
    for name in ("torch", "transformers", "vllm"):
        (tmp_path / "engines" / name).mkdir(parents=True)
        (tmp_path / "engines" / name / "__init__.py").write_text(f"raise AssertionError('{name} was imported')")
    for notebook in ("00_quickstart", "02_nano_zoo", "16_verdicts"):
        execute(notebook, tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path / "engines"), str(ROOT)]))
    assert figures_in(folder) == made


@pytest.mark.engine
@pytest.mark.first
@pytest.mark.parametrize(
    ("notebook", "benchmark", "more"),
    [("00_quickstart", "aime24", ["-p", "N", "4"]), ("01_tts_methods", "math500", [])],
)
def test_a_notebook_runs_on_a_real_benchmark(notebook, benchmark, more, tmp_path):
    """A problem and the longest, which is more than a nano model can read."""
    copy = COPIES / f"{benchmark}.jsonl"
    if not copy.is_file():
        pytest.skip("no copies of the benchmarks beside the checkout")
    lines = copy.read_text(encoding="utf-8").splitlines()
    few = tmp_path / f"{benchmark}.jsonl"
    few.write_text("\n".join([lines[2], max(lines, key=lambda line: len(json.loads(line)["problem"]))]))
    folder = execute(notebook, tmp_path, "-p", "DATASET", str(few), *more)
    assert len(list(folder.glob("*.svg"))) == {"00_quickstart": 3, "01_tts_methods": 2}[notebook]
    said = (folder / f"{notebook}.ipynb").read_text()
    assert "cells failed" in said and benchmark in said


# -- any benchmark and any outcome, with scripted models --------------------------------------------

ROWS = [
    {"problem": "What is 1 + 1?", "answer": "2"},
    {"unique_id": "a", "problem": "What is $2^2$?", "answer": "\\frac{8}{2}", "subject": "Algebra", "level": "Level 5"},
    {"unique_id": "b", "problem": "[asy] draw(0); [/asy] " * 300, "answer": "(0, 1]", "level": 1},
    {"id": "2024-I-1", "question": "Find it.", "answer": "025"},
]


class Wrong(ScriptedPolicy):
    """Never right; now and then it says nothing at all, or no answer."""

    def _step(self, path, seed, i, stop):
        step = super()._step(path, seed, i, stop)
        text = ("", "No idea.", "\\boxed{-7}")[i % 3] if "boxed" in step.text else step.text
        return Step(text, step.tokens, step.finish)


class Strict(ScriptedPRM):
    """Reads two steps and no more, as a PRM reads no more than its context."""

    async def score(self, paths):
        if any(len(path.steps) > 2 for path in paths):
            raise ValueError(f"scripted-prm: a path of {paths[0].problem.id} is longer than its context.")
        return await super().score(paths)


class Given(LocalExecutor):
    """Loads these models, whatever is asked for."""

    def __init__(self, policy, prm):
        self.load_policy, self.load_prm = (lambda name, model=model, **options: model for model in (policy, prm))
        super().__init__()


def cells(notebook, tmp_path, monkeypatch, policy, prm, **parameters):
    """Runs the notebook's code on `ROWS` with these models, and shows what each cell shows."""
    data = tmp_path / "mine.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in ROWS))
    monkeypatch.setattr(runner, "HERE", Given(policy, prm))
    monkeypatch.setenv("TTSLIB_QUIET", "1")
    parameters = {"PROFILE": "smoke", "DATASET": str(data), "FIGURES": str(tmp_path / "figures"),
                  "STORE": str(tmp_path / "store"), **parameters}  # fmt: skip
    names = {}
    for place, cell in enumerate(nbformat.read(notebook, as_version=4).cells):
        if cell.cell_type == "code":
            where = f"{notebook.name} {place}"
            linecache.cache[where] = len(cell.source), None, cell.source.splitlines(True), where  # as IPython does
            exec(compile(cell.source, where, "exec"), names)
            if "parameters" in cell.metadata.get("tags", ()):
                names.update(parameters)
            last = cell.source.splitlines()[-1]
            if last.startswith(("tts.tables", "tts.stats")) or last in ("picture", "diagram", "table.round(3)"):
                shown = eval(last, names)
                assert (getattr(shown, "_repr_png_", None) or shown._repr_html_)()
    return names


SEARCHED = {"00_quickstart": 3, "01_tts_methods": 2}


@pytest.mark.parametrize("notebook", NOTEBOOKS[:2], ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("policy", "prm"),
    [(ScriptedPolicy(), ScriptedPRM()), (Wrong(), ScriptedPRM()), (ScriptedPolicy(), Strict()),
     (ScriptedPolicy(raises={"a": ValueError("a fills the context.")}), ScriptedPRM())],
    ids=["right or wrong", "never right", "a PRM that cannot read long paths", "one problem too long"],
)  # fmt: skip
def test_a_notebook_survives_any_outcome(notebook, policy, prm, tmp_path, monkeypatch, capsys):
    cells(notebook, tmp_path, monkeypatch, policy, prm)
    assert len(list((tmp_path / "figures").glob("*.svg"))) == SEARCHED[notebook.stem]
    said = capsys.readouterr().out
    assert "cells failed" in said and ("mine" in said or "2024-I-1" in said)


def test_where_every_cell_fails_there_are_no_numbers(tmp_path, monkeypatch, capsys):
    broken = ScriptedPolicy(raises={name: ValueError("too long.") for name in ("row/1", "a", "b", "2024-I-1")})
    names = cells(METHODS, tmp_path, monkeypatch, broken, ScriptedPRM())
    assert names["table"].value.isna().all() and set(names["table"].failed) == {4}
    assert "24 of 24 cells failed, the first: cot" in capsys.readouterr().out
    with pytest.raises(ValueError, match="No problem has a result: 4 of 4 cells failed, .* ValueError: too long."):
        cells(QUICKSTART, tmp_path, monkeypatch, broken, ScriptedPRM())


# -- the interpreter -------------------------------------------------------------------------------


@pytest.fixture(params=["JUPYTER_PATH", "JUPYTER_DATA_DIR", "HOME"])
def decoy(request, tmp_path, monkeypatch):
    """Kernels "python3" and "other" of an interpreter that does not exist, where Jupyter looks for kernels first."""
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    for name in ("JUPYTER_PATH", "JUPYTER_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(request.param, str(tmp_path / "decoy"))
    share = tmp_path / "decoy" / (".local/share/jupyter" if request.param == "HOME" else "")
    for name in ("python3", "other"):
        (share / "kernels" / name).mkdir(parents=True)
        spec = {"argv": [str(tmp_path / "missing"), "-f", "{connection_file}"], "display_name": "x"}
        (share / "kernels" / name / "kernel.json").write_text(json.dumps(spec | {"language": "python"}))
    return tmp_path / "missing"


@pytest.mark.parametrize("kernel", ["python3", "other", "nowhere", None])
def test_a_notebook_runs_on_the_interpreter_that_started_it(kernel, decoy, tmp_path):
    """Whatever kernels there are, and whichever it names."""
    tagged = {"tags": ["parameters"]}
    parameters = nbformat.v4.new_code_cell("PROFILE, FIGURES, STORE = 'nano', '', ''", metadata=tagged)
    asks = nbformat.v4.new_code_cell("import sys; print(sys.executable, PROFILE)")
    about = {"kernelspec": {"name": kernel, "display_name": "x", "language": "R"}} if kernel else {}
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, asks], metadata=about), tmp_path / "00_x.ipynb")
    before = dict(os.environ)
    program.execute_all([tmp_path / "00_x.ipynb"], 1, "smoke", tmp_path / "figures", tmp_path / "store")
    (said,) = nbformat.read(tmp_path / "figures" / "00_x" / "00_x.ipynb", as_version=4).cells[-1].outputs
    assert said.text == f"{sys.executable} smoke\n"
    assert dict(os.environ) == before


COUNTED = """
import sys
sys.path.insert(0, TESTS)
from scripted import ScriptedPolicy, ScriptedPRM, problems
from ttslib import solve
for count in (3, 5):
    solve(problems(count), ScriptedPolicy(), ScriptedPRM(), method="beam_search", n=4, store=STORE)
print("to be seen", file=sys.stderr)
"""


def test_of_a_notebook_one_line_is_said_and_nothing_else(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("TTSLIB_TALLY", "1")
    tagged = {"tags": ["parameters"]}
    parameters = nbformat.v4.new_code_cell("PROFILE, FIGURES, STORE = '', '', ''\nTESTS = ''  # a = b", metadata=tagged)
    cells = [parameters, nbformat.v4.new_code_cell(COUNTED)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "00_x.ipynb")
    given = {"TESTS": str(Path(__file__).parent)}
    for counts in ("5 cells computed, 0 read", "0 cells computed, 5 read"):
        program.execute_all([tmp_path / "00_x.ipynb"], 1, "smoke", tmp_path, tmp_path / "store", given)
        said = capfd.readouterr()
        assert re.fullmatch(rf"00_x.ipynb: \d+ s, {counts}\n", said.out) and said.err == ""
    assert not nbformat.read(tmp_path / "00_x" / "00_x.ipynb", as_version=4).cells[-1].outputs


def test_jupyterlab_opens_notebooks_on_the_interpreter_that_started_it(decoy, monkeypatch):
    found = []

    def kernel():
        found.append(KernelSpecManager().get_kernel_spec("python3").argv[0])

    monkeypatch.setattr("jupyterlab.labapp.main", kernel)
    for start in (kernel, lab.main, kernel):
        start()
    assert found == [str(decoy), sys.executable, str(decoy)]
    assert "-m ttslib.lab --notebook-dir=." in (ROOT / "Makefile").read_text()


# -- the command line ------------------------------------------------------------------------------


def test_notebooks_run_side_by_side_and_one_that_fails_does_not_stop_the_others(monkeypatch, capsys):
    both, begun = threading.Barrier(2, timeout=60), []

    def run(notebook, *arguments):
        begun.append((notebook.name, *arguments))
        both.wait() if len(begun) <= 2 else time.sleep(0.1)
        if notebook.stem == "b":
            raise PapermillExecutionError(1, 1, "", "ValueError", "no run of it is there", [])
        if notebook.stem == "c" and len(begun) > 2:
            raise OSError("no room")
        return "1 s"

    monkeypatch.setattr(program, "execute", run)
    names = [Path(f"{letter}.ipynb") for letter in "abcdefgh"]
    assert program.execute_all([names[0], names[2]], 2, "smoke") == []
    assert sorted(begun) == [("a.ipynb", "smoke"), ("c.ipynb", "smoke")]
    assert sorted(capsys.readouterr().out.split("\n")) == ["", "a.ipynb: 1 s", "c.ipynb: 1 s"]
    begun.clear()
    assert program.execute_all([names[0], names[1], names[3]], 2, "smoke") == [names[1]]
    said = capsys.readouterr()
    assert "d.ipynb: 1 s" in said.out and said.err == "b.ipynb: ValueError: no run of it is there\n"
    begun.clear()
    with pytest.raises(OSError, match="no room"):
        program.execute_all(names, 2, "smoke")
    assert len(begun) < len(names)


def test_parameters_are_those_of_the_tagged_cell(tmp_path, monkeypatch):
    assert {"PROFILE", "POLICY", "PRM", "DATASET", "STORE", "N", "M"} <= program.parameters_of(QUICKSTART)
    assert "policy" not in program.parameters_of(QUICKSTART)
    given = [["DATASET", "here.jsonl"], ["SEED", "1"], ["POLICY", "nano-qwen-3m"]]
    assert program.chosen(given, NOTEBOOKS) == {"DATASET": "here.jsonl", "SEED": 1, "POLICY": "nano-qwen-3m"}
    for name, words in [("DATSET", "No notebook here has a parameter 'DATSET'"), ("STORE", "given as --store")]:
        with pytest.raises(ValueError, match=words):
            program.chosen([[name, "x"]], NOTEBOOKS)


def test_a_notebook_gets_its_own_parameters_and_sees_files_from_its_folder(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr("papermill.execute_notebook", lambda *_, parameters, **__: asked.update(parameters))
    monkeypatch.setattr(program, "_drop_stderr", lambda executed: "")
    (tmp_path / "mine.jsonl").write_text("")
    monkeypatch.chdir(tmp_path)
    program.execute(METHODS, "smoke", tmp_path, tmp_path, {"DATASET": "mine.jsonl", "PRM": "nano-prm-shepherd", "N": 8})
    assert (METHODS.parent / asked["DATASET"]).resolve() == tmp_path / "mine.jsonl"
    assert asked["PRM"] == "nano-prm-shepherd" and "N" not in asked and asked["PROFILE"] == "smoke"
    program.execute(METHODS, "smoke", tmp_path, tmp_path, {"DATASET": "MATH-500=nanoaime, AIME24= mine.jsonl"})
    first, second = asked["DATASET"].split(",")
    assert first == "MATH-500=nanoaime"
    assert (METHODS.parent / second.partition("=")[2]).resolve() == tmp_path / "mine.jsonl"


def test_without_a_gpu_profile_paper_is_one_sentence_before_anything_starts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(placement, "gpus_visible", lambda: NO_GPU)
    assert program.main(["notebooks", "--profile", "paper", "--figures", str(tmp_path), "--store", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and "needs a GPU, and torch sees none here" in err
    assert list(tmp_path.iterdir()) == []
