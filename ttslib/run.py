"""Executes the notebooks headlessly with papermill; each writes its executed copy and figures to figures/NN_name/.

    python -m ttslib.run notebooks --profile nano
    python -m ttslib.run notebooks/01_tts_methods.ipynb --profile smoke

Running again recomputes no search: the notebooks read what the store already holds.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from ttslib.profiles import get_profile


def notebooks_in(path: Path) -> list[Path]:
    """The notebook `path`, or the numbered notebooks of that folder in order. Raises ValueError if there is none."""
    found = [path] if path.suffix == ".ipynb" and path.is_file() else sorted(path.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ValueError(f"No notebook at {path}.")
    return found


def execute(notebook: Path, profile: str, figures: Path, store: Path) -> float:
    """Runs one notebook at `profile` and returns its seconds; papermill's error passes through."""
    import papermill

    folder, here = figures / notebook.stem, notebook.parent
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    papermill.execute_notebook(
        str(notebook), str(folder / notebook.name), progress_bar=False, cwd=str(here),
        # Relative, as in JupyterLab: an executed notebook should not tell where its machine keeps things.
        parameters={
            "PROFILE": profile, "FIGURES": os.path.relpath(folder, here), "STORE": os.path.relpath(store, here),
        },
    )
    _drop_stderr(folder / notebook.name)
    return time.perf_counter() - start


def _drop_stderr(executed: Path) -> None:
    """What libraries log (progress, warnings with paths of this machine) is no part of the record; errors raise."""
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(notebook, executed)


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 0 when every notebook ran."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--profile", default="nano")
    parser.add_argument("--figures", type=Path, default=Path("figures"))
    parser.add_argument("--store", type=Path, default=Path("results"))
    options = parser.parse_args(arguments)
    os.environ |= {"TTSLIB_QUIET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    try:
        get_profile(options.profile)
        found = notebooks_in(options.path)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for notebook in found:
        print(f"{notebook.name} at profile {options.profile} ...", flush=True)
        print(f"    {execute(notebook, options.profile, options.figures, options.store):.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
