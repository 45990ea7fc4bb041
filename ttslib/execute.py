"""Executes the notebooks headlessly with papermill; each writes its executed copy and figures to figures/NN_name/.

    python -m ttslib.execute notebooks --profile nano
    python -m ttslib.execute notebooks/01_tts_methods.ipynb --profile smoke
    python -m ttslib.execute notebooks --profile smoke -p DATASET problems.jsonl -p SEED 1

Running again recomputes no search: the notebooks read what the store already holds. A folder of notebooks is filled
first (see `ttslib.fill`), on a CPU two of them run at a time, and the index of the figures is written last.
"""

import argparse
import ast
import logging
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from ttslib import index
from ttslib.archive import is_archive
from ttslib.fill import default_workers, fill, threads_each
from ttslib.lab import KERNEL, own_kernel
from ttslib.profiles import get_profile
from ttslib.runner import TALLY

OWN = {"PROFILE": "--profile", "FIGURES": "--figures", "STORE": "--store"}


def notebooks_in(path: Path) -> list[Path]:
    """The notebook `path`, or the numbered notebooks of that folder in order. Raises ValueError if there is none."""
    found = [path] if path.suffix == ".ipynb" and path.is_file() else sorted(path.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ValueError(f"No notebook at {path}.")
    return found


def parameters_of(notebook: Path) -> set[str]:
    """The names that the notebook's cell tagged `parameters` assigns."""
    import nbformat

    cells = nbformat.read(notebook, as_version=4).cells
    source = "\n".join(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    names = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def chosen(given: Sequence[Sequence[str]], notebooks: Sequence[Path]) -> dict[str, Any]:
    """(name, value) pairs of the command line as parameters: a value that is a Python literal is taken as that.

    Raises ValueError for a name that no notebook has, and for those that have an option of their own.
    """
    known = set().union(*map(parameters_of, notebooks))
    for name, _ in given:
        if name in OWN:
            raise ValueError(f"{name} is given as {OWN[name]}.")
        if name not in known:
            raise ValueError(f"No notebook here has a parameter {name!r}: give one of {', '.join(sorted(known))}.")
    return {name: _literal(value) for name, value in given}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def execute(
    notebook: Path, profile: str, figures: Path, store: Path, parameters: Mapping[str, Any] | None = None
) -> str:
    """Runs one notebook at `profile` and says how long it took, and how many cells of its searches it computed and
    read; papermill's error passes through.

    It runs on this interpreter, whatever kernel it names and whatever kernels are installed, if that is within
    `lab.own_kernel()`.

    Of `parameters` it gets those that it has; a value that is a file or folder, also behind "ROLE=", is seen from the
    notebook's folder.
    """
    import papermill

    from ttslib.kernels import QuietKernels

    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of parameters whose line it does not understand
    folder, here = figures / notebook.stem, notebook.parent
    folder.mkdir(parents=True, exist_ok=True)
    own = {name: value for name, value in (parameters or {}).items() if name in parameters_of(notebook)}
    own = {name: _seen_from(here, value) for name, value in own.items()}
    start = time.perf_counter()
    papermill.execute_notebook(
        str(notebook), str(folder / notebook.name), progress_bar=False, kernel_name=KERNEL, language="python",
        kernel_manager_class=QuietKernels,
        resources={"metadata": {"path": str(here)}},  # `cwd` would move this process, where others run too
        # Relative, as in JupyterLab: an executed notebook should not tell where its machine keeps things.
        parameters={
            "PROFILE": profile, "FIGURES": os.path.relpath(folder, here), "STORE": os.path.relpath(store, here),
            **own,
        },
    )  # fmt: skip
    said = re.findall(TALLY.format(r"([\d,]+)", r"([\d,]+)"), _drop_stderr(folder / notebook.name))
    computed, read = said[-1] if said else ("0", "0")
    return f"{time.perf_counter() - start:.0f} s, {computed} cells computed, {read} read"


def execute_all(notebooks: Sequence[Path], workers: int, *arguments: Any) -> list[Path]:
    """`execute` each, several at a time, with its other arguments; those in which a cell raised.

    A line says of each that it is done, or what was raised: the executed notebook shows where. Another error passes
    through, and then none is started that has not begun.
    """
    from papermill import PapermillExecutionError

    failed = []
    with own_kernel(), ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(execute, notebook, *arguments): notebook for notebook in notebooks}
        try:
            for done in as_completed(running):
                try:
                    print(f"{running[done].name}: {done.result()}", flush=True)
                except PapermillExecutionError as error:
                    print(f"{running[done].name}: {error.ename}: {error.evalue}", file=sys.stderr, flush=True)
                    failed.append(running[done])
        finally:
            pool.shutdown(cancel_futures=True)
    return failed


def _seen_from(folder: Path, value: Any) -> Any:
    """The value, with what is a path here as a path from `folder`."""
    if not isinstance(value, str) or not value:
        return value
    if Path(value).exists():
        return os.path.relpath(value, folder)
    return re.sub(r"(?<==)[^,=]+", lambda player: _seen_from(folder, player[0].strip()), value)


def _drop_stderr(executed: Path) -> str:
    """Takes out what libraries log (progress, warnings with paths of this machine): it is no part of the record, and
    errors raise. Gives it back."""
    import nbformat

    notebook, said = nbformat.read(executed, as_version=4), []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            said += [output.text for output in cell.outputs if output.get("name") == "stderr"]
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(notebook, executed)
    return "".join(said)


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 0 when every notebook ran, 1 when a cell raised, 2 for what cannot be run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--profile", default="nano")
    parser.add_argument("--figures", type=Path, default=Path("figures"))
    parser.add_argument("--store", type=Path, help="default: the archive of the profile if there is one, else results")
    parser.add_argument("--workers", type=int, help="processes that compute, and notebooks that run, at a time")
    parser.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                        help="set a parameter of the notebooks")  # fmt: skip
    options = parser.parse_args(arguments)
    os.environ |= {"TTSLIB_QUIET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    try:
        get_profile(options.profile)
        found = notebooks_in(options.path)
        parameters = chosen(options.parameter, found)
        others = {name.lower(): parameters.get(name) for name in ("POLICY", "PRM", "DATASET", "CAST")}
        profile = get_profile(options.profile, **others)
        if profile.gpu:
            from ttslib.executors.placement import check_gpu

            check_gpu(profile)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    archive = Path("archive") / options.profile
    store = options.store or (archive if is_archive(archive) else Path("results"))
    if len(found) > 1 and not is_archive(store):  # each model is loaded once for all of them
        try:
            fill((), options.profile, store, workers=options.workers, **others)
        except (ValueError, RuntimeError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    workers = min(options.workers or default_workers(profile), len(found))
    os.environ |= threads_each(profile, workers) | {"TTSLIB_TALLY": "1"}
    failed = execute_all(found, workers, options.profile, options.figures, store, parameters)
    if len(failed) < len(found) > 1:
        print(*index.write(options.figures), sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
