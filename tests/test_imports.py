"""What `import ttslib` asks of a system: nothing that only POSIX has."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE), *filter(None, sys.path)])}

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
