"""A dry run beside failed cells, and of problems given one by one.

Run: python -m pytest tests/test_dry_run.py
"""

from dataclasses import asdict

import ttslib as tts
from ttslib.cells import cells_of
from ttslib.records import Record, Store


def test_failed_cells_are_missing_where_they_would_be_run_again(tmp_path):
    run = tts.Run("cot", "nano-llama-0.1m", None, "nanomath", limit=3)
    with Store(tmp_path) as store:
        cell = cells_of(run)[0]
        store.put(Record(
            key=cell.key, cell=dict(cell.content), problem=asdict(cell.problem), **asdict(cell.shape), trajectories=[],
            error={"type": "OSError", "message": "gone", "where": ""},
        ))  # fmt: skip
    kept, again = (tts.run(run, store=tmp_path, dry_run=True, retry_failed=each) for each in (False, True))
    assert (kept.missing.tolist(), again.missing.tolist()) == ([2], [3])
    assert again.policy_tokens[0] == 3 / 2 * kept.policy_tokens[0] > 0


def test_problems_given_one_by_one_have_no_benchmark(tmp_path):
    run = tts.Run("cot", "nano-llama-0.1m", None, [tts.Problem("mine", "What is 1 + 1?", "2")])
    planned = tts.run(run, store=tmp_path, dry_run=True)
    assert (planned.benchmark.tolist(), planned.missing.tolist()) == ([""], [1])
