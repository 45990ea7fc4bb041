"""Solve the lock files anew from the ``.in`` files and write environment.yml; needs ``uv`` on PATH.

    python requirements/relock.py [--upgrade]

Where the CPU build of torch is not on the default index, UV_FIND_LINKS or UV_EXTRA_INDEX_URL says where;
both are ignored for gpu.lock, whose torch must be the CUDA build. Versions stay unless --upgrade is given.
The pins of pyproject.toml are edited by hand; tests/test_environment.py says which ones disagree.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEAD = "# Made by requirements/relock.py from requirements/{name}.in: complete, install with --no-deps.\n"
ONLY_CPU = ("UV_FIND_LINKS", "UV_EXTRA_INDEX_URL", "UV_INDEX")
EVERYWHERE = "(sys_platform == 'darwin' or sys_platform == 'linux' or sys_platform == 'win32')"
CONDA_HEAD = """\
# Made by requirements/relock.py from requirements/cpu.lock: the same pins for conda on Linux, x86-64, AVX2.
# The list is complete; without PIP_NO_DEPS pip would add CUDA packages that break the CPU build of torch:
#
#   PIP_NO_DEPS=1 conda env create -f environment.yml && conda activate ttslib && make figures
name: ttslib
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def solve(name: str, *options: str, environment: dict[str, str]) -> list[str]:
    """The lines uv solves ``name.in`` to; CalledProcessError where there is no solution (uv says why)."""
    command = ["uv", "pip", "compile", f"{name}.in", "--python-version=3.11", "--no-header", "--no-annotate"]
    done = subprocess.run(
        [*command, *options], cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return [line for line in done.stdout.splitlines() if line and not line.startswith("#")]


def simple(line: str) -> str:
    """A universal lock's line without the parts of its marker that hold on Python 3.11 everywhere."""
    pin, _, marker = line.partition(" ; ")
    parts = [part for part in marker.split(" and ") if part]
    if "platform_machine" in marker:  # hf-xet has a wheel for every machine that torch has one for
        return pin
    kept = [p for p in parts if p not in ("python_full_version < '3.12'", EVERYWHERE)]
    kept = [p for p in kept if not p.startswith(("implementation_name", "os_name"))]
    if "os_name != 'nt'" in marker:
        kept.append("os_name != 'nt'")
    return f"{pin} ; {' and '.join(kept)}" if kept else pin


def main() -> None:
    """Write cpu.lock, gpu.lock, portable.lock and environment.yml."""
    here = dict(os.environ)
    bare = {key: value for key, value in here.items() if key not in ONLY_CPU}
    cpu_lock = HERE / "cpu.lock"
    keep = [] if "--upgrade" in sys.argv[1:] or not cpu_lock.exists() else cpu_lock.read_text().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"

        def constrain(lines: list[str]) -> list[str]:
            pins.write_text("\n".join(line for line in lines if not line.startswith(("#", "torch=="))) + "\n")
            return ["--constraint", str(pins)]

        overrides = ["--override", "overrides.txt", "--no-config"]
        cpu = solve("cpu", *overrides, *constrain(keep), environment=here)
        asked = "".join((HERE / f"{name}.in").read_text() for name in ("base", "dev"))
        words = re.findall(r"^[a-z][a-z0-9-]*$", asked, re.M)
        direct = [line for line in cpu if line.partition("==")[0] in words]
        target = ["--no-config", "--python-platform", "x86_64-manylinux_2_31"]
        gpu = solve("gpu", *target, *constrain(direct), environment=bare)
        portable = solve("portable", "--universal", *constrain(cpu), environment=here)
        portable = [simple(line) for line in portable]
    for name, lines in (("cpu", cpu), ("gpu", gpu), ("portable", portable)):
        (HERE / f"{name}.lock").write_text(HEAD.format(name=name) + "\n".join(lines) + "\n")
    (HERE.parent / "environment.yml").write_text(CONDA_HEAD + "".join(f"      - {line}\n" for line in cpu))


if __name__ == "__main__":
    main()
