"""What `import ttslib` asks of a system and does to a process: nothing that only POSIX has, no variable, no engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import POLICY_NAMES

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE), *filter(None, sys.path)])}
# What these tests themselves were started with, or have set by now, would hide what is set.
BARE = {name: value for name, value in ENVIRONMENT.items() if not name.startswith(("VLLM_", "OMP_", "TORCH_"))}

NOT_POSIX = """
import os, sys
sys.modules["fcntl"] = None
for name in ("fork", "register_at_fork", "sched_getaffinity"):
    if hasattr(os, name):
        delattr(os, name)
import ttslib as tts
from scripted import ScriptedPolicy, ScriptedPRM, problems

def solve():
    return tts.solve(problems(5), ScriptedPolicy("side"), ScriptedPRM(), method="beam_search", n=8, store="store",
                     progress=False)

assert list(solve()) == list(solve())
print(len(open("side").readlines()), len(solve()), os.listdir("store/owners"))
"""


def test_a_search_runs_without_what_only_posix_has(tmp_path):
    command = [sys.executable, "-W", "ignore:only soft file lock", "-c", NOT_POSIX]
    done = subprocess.run(command, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout == "5 5 []\n", done.stderr


LEAVES_ALONE = """
import os, sys
before = dict(os.environ)
import ttslib
assert dict(os.environ) == before, {name for name in os.environ if os.environ[name] != before.get(name)}
print(*sorted({"torch", "vllm", "transformers", "pandas", "matplotlib", "pyarrow", "sympy"} & set(sys.modules)))
"""


def test_importing_sets_no_variable_and_loads_no_engine():
    done = subprocess.run([sys.executable, "-c", LEAVES_ALONE], env=BARE, capture_output=True, text=True)
    assert done.stdout == "\n", done.stderr


@pytest.mark.engine
def test_settings_of_engines_stand_before_they_are_imported_and_never_over_the_users(model_path):
    """Nor does an engine on a CPU say anything on the terminal that is no error."""
    program = "\n".join([
        "import os, sys, ttslib",
        f"policy = ttslib.load_policy({str(model_path(POLICY_NAMES[0]))!r}, backend='vllm', prompt='nano')",
        "print(os.environ['OMP_WAIT_POLICY'], os.environ['VLLM_ENABLE_V1_MULTIPROCESSING'])",
        "from vllm import envs",
        "print(envs.VLLM_ENABLE_V1_MULTIPROCESSING, envs.VLLM_LOGGING_LEVEL, envs.VLLM_CPU_KVCACHE_SPACE)",
    ])  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], env=BARE | {"VLLM_CPU_KVCACHE_SPACE": "2"},
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout == "passive 0\nFalse ERROR 2\n", done.stderr
    assert done.stderr == ""
