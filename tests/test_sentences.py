"""What a reader of a notebook sees of an error.

Run: python -m pytest tests/test_sentences.py
"""

import subprocess
import sys

import pytest

SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor")
shell.run_cell("import ttslib as tts")
for cell in sys.argv[1:]:
    done = shell.run_cell(cell)
    print("error:", type(done.error_in_exec).__name__)
"""


def shown(*cells):
    """What IPython prints for these cells."""
    done = subprocess.run([sys.executable, "-c", SHELL, *cells], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("cell", "error", "said"),
    [
        ("tts.get_profile('nanoo')", "ValueError", "Unknown profile 'nanoo'"),
        ("tts.get_profile('nano', prm='Qwen2.5-PRM=nano-prm-qwen-m')", "ValueError", "Qwen2.5-PRM"),
        ("tts.load_problems('no such file.jsonl')", "ValueError", "no such file.jsonl"),
        ("tts.run([1])", "ValueError", "run takes an experiment"),
        ("tts.run([], store='setup.cfg/none' * 99)", "StoreError", "none"),
    ],
)
def test_an_error_of_the_package_is_its_sentence(cell, error, said):
    *lines, last = shown(cell)
    assert last == f"error: {error}" and len(lines) == 1
    assert lines[0].startswith(f"{error}: ") and said in lines[0]


def test_the_traceback_can_still_be_seen_and_errors_of_others_keep_theirs():
    lines = shown("tts.get_profile('nanoo')", "%tb", "import json; json.loads('{')", "{}['a']")
    assert sum("Traceback" in line for line in lines) >= 2 and any("profiles.py" in line for line in lines)
    assert any("json.loads" in line for line in lines) and any("KeyError: 'a'" in line for line in lines)


def test_an_accident_within_the_package_keeps_its_traceback():
    lines = shown("tts.trees.as_tree({})")
    assert any("Traceback" in line for line in lines) and any("trees.py" in line for line in lines)
