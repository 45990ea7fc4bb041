"""The store: whole records or none, claims that die with their owner, errors in words."""

import ctypes
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib.canonical import canonical_json
from ttslib.records import (
    CorruptRecord,
    Record,
    Store,
    StoreError,
    StoreFull,
    cell_key,
    policy_tokens,
)

HOLD = """
import sys
from ttslib.records import Store
store = Store(sys.argv[1])
print(*(store.claim(key) for key in sys.argv[2:]), flush=True)
sys.stdin.read()
"""


def record(name="a", **changes) -> Record:
    cell = {"method": "beam_search", "seed": 0, "problem": {"id": name}}
    values = {
        "key": cell_key(cell),
        "cell": cell,
        "problem": {"id": name},
        "N": 16,
        "M": 4,
        "kept": 4,
        "subtrees": 1,
    }
    return Record(**values | changes)


def hold(path, *keys):
    """Another process that claims `keys` and stays."""
    command = [sys.executable, "-c", HOLD, str(path), *keys]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().split()


def test_key_is_content():
    assert cell_key({"a": 1, "b": [1.5, "x"]}) == cell_key({"b": [1.5, "x"], "a": 1})
    assert cell_key({"a": 1}) != cell_key({"a": 2})
    with pytest.raises(ValueError):
        cell_key({"a": float("nan")})


@given(
    st.dictionaries(
        st.text(), st.integers() | st.text() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_canonical_json_is_json(value):
    assert json.loads(canonical_json(value)) == value


def test_round_trip(tmp_path):
    whole = record(
        trajectories=[
            {
                "steps": ["a\n\n", "é"],
                "scores": [0.1, 0.2],
                "end": "boxed",
                "nodes": [0, 1],
                "logprob": -1.0,
                "subtree": 0,
            }
        ],
        policy_usage={"tokens": 5, "calls": 1},
        seconds=0.5,
    )
    with Store(tmp_path / "s") as store:
        assert store.get(whole.key) is None
        store.put(whole)
    with Store(tmp_path / "s") as store:
        assert store.get(whole.key) == whole
        assert list(store.records()) == [whole]
        assert len(store) == 1
        assert store.status([whole.key, "x"]) == {whole.key: ("done", 1)}
    path = whole.paths()[0]
    assert path.text == "a\n\né" and path.scores == (0.1, 0.2)


def test_shared_samples_are_summed_once_and_old_records_have_no_pool():
    usage = {"policy_usage": {"tokens": 5, "calls": 1}}
    pool = record("a", started=1.0, seconds=2.0, **usage)
    scored = [
        record("a", key=name, pool={"key": pool.key, "started": 1.0, "seconds": 2.0}, started=9.0, seconds=1.0, **usage)
        for name in ("x", "y")
    ]
    assert policy_tokens([pool, *scored, record("b", **usage)]) == 10
    assert policy_tokens(scored) == 5 and policy_tokens([]) == 0
    assert pool.spans == [(1.0, 2.0)] and scored[0].spans == [(1.0, 2.0), (9.0, 1.0)]
    assert Record(**{name: value for name, value in vars(pool).items() if name != "pool"}) == pool


def test_a_failure_may_be_replaced_a_result_not(tmp_path):
    good, bad = record(seconds=1.0), record(error={"type": "E", "message": "m", "where": ""})
    with Store(tmp_path) as store:
        store.put(bad)
        assert store.get(bad.key).failed
        store.put(good)
        store.put(bad)
        store.put(replace(good, seconds=9.0))
        assert store.get(good.key) == good


def test_claims(tmp_path):
    with Store(tmp_path) as one, Store(tmp_path) as two:
        key = record().key
        assert one.claim(key) == "mine"
        assert one.claim(key) == two.claim(key) == "busy"
        one.release([key])
        assert two.claim(key) == "mine"
        one.release([key])  # not its own: nothing happens
        assert one.claim(key) == "busy"
        two.put(record())
        assert one.claim(key) == two.claim(key) == "done"


def test_a_failure_is_claimed_again_only_if_nobody_has_tried_since(tmp_path):
    failure = record(error={"type": "E", "message": "m", "where": ""})
    with Store(tmp_path) as store:
        store.put(failure)
        assert store.claim(failure.key) == "done"
        assert store.claim(failure.key, retry_after=1) == "mine"
        store.put(replace(failure, attempts=2))
        assert store.claim(failure.key, retry_after=1) == "done"


def test_claims_of_a_closed_or_killed_owner_are_free_at_once(tmp_path):
    process, answers = hold(tmp_path, "k1", "k2")
    assert answers == ["mine", "mine"]
    with Store(tmp_path) as store:
        assert store.claim("k1") == "busy"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert store.claim("k1") == "mine"
    with Store(tmp_path) as store:
        assert store.claim("k1") == store.claim("k2") == "mine"
        assert [file.name for file in (tmp_path / "owners").iterdir()] == [store.owner]
    process.stdin.close(), process.stdout.close()


def test_a_fork_does_not_keep_its_parents_claims(tmp_path):
    program = (
        "import os, sys, time; from ttslib.records import Store\n"
        "store = Store(sys.argv[1]); store.claim('k')\n"
        "if os.fork() == 0: time.sleep(30)\n"
        "else: print('ready', flush=True); time.sleep(30)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        parent.stdout.readline()
        with Store(tmp_path) as store:
            assert store.claim("k") == "busy"
            parent.kill()
            parent.wait()
            deadline = time.monotonic() + 20  # the child may not have come to its first instruction yet
            while store.claim("k") == "busy" and time.monotonic() < deadline:
                time.sleep(0.05)
            assert time.monotonic() < deadline
    finally:
        os.killpg(parent.pid, signal.SIGKILL)  # the child, which still sleeps
        parent.stdout.close()


def test_many_threads_claim_each_cell_once(tmp_path):
    keys, mine = [f"k{i}" for i in range(20)], []
    stores = [Store(tmp_path) for _ in range(4)]

    def work(store):
        mine.extend(key for key in keys if store.claim(key) == "mine")

    threads = [threading.Thread(target=work, args=(store,)) for store in stores * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert sorted(mine) == sorted(keys)


def _open(path, n):
    with Store(path) as store:
        store.put(record(f"p{n}"))
    return True


def test_processes_that_open_a_new_store_at_once(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert all(pool.starmap(_open, [(tmp_path / "new", n) for n in range(12)]))
    with Store(tmp_path / "new") as store:
        assert len(store) == 12


def test_a_damaged_record_is_named(tmp_path):
    with Store(tmp_path) as store:
        store.put(record("a")), store.put(record("b"))
    with sqlite3.connect(tmp_path / "records.sqlite") as db:
        db.execute("UPDATE records SET body = substr(body, 1, 20) || x'00' WHERE key = ?", (record("a").key,))
    with Store(tmp_path) as store:
        with pytest.raises(CorruptRecord, match=record("a").key) as caught:
            store.get(record("a").key)
        assert "\n" not in str(caught.value) and "of a)" in str(caught.value)
        assert store.get(record("b").key) == record("b")
        store.delete(record("a").key)
        assert store.get(record("a").key) is None


def test_records_that_changed_places_are_noticed(tmp_path):
    with Store(tmp_path) as store:
        store.put(record("a")), store.put(record("b"))
    with sqlite3.connect(tmp_path / "records.sqlite") as db:
        db.execute(
            "UPDATE records SET (checksum, body) ="
            " (SELECT checksum, body FROM records WHERE key = ?) WHERE key = ?",
            (record("b").key, record("a").key),
        )
    with Store(tmp_path) as store, pytest.raises(CorruptRecord):
        store.get(record("a").key)


def test_a_full_disk_loses_nothing(tmp_path):
    noise = os.urandom(200_000).hex()
    with Store(tmp_path) as store:
        store.put(record("a"))
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreFull, match="make room"):
            store.put(record("b", versions={"noise": noise}))
        assert store.get(record("a").key) == record("a")
        assert store.get(record("b").key) is None
        store._db.execute("PRAGMA max_page_count = 1000000")
        store.put(record("b"))
    with Store(tmp_path) as store:
        assert len(store) == 2


def test_a_file_that_may_not_grow(tmp_path):
    """The same from the operating system: a limit on file sizes stands in for a full disk."""
    program = """
import os, resource, signal, sys
from ttslib.records import Store, StoreFull
from test_records import record
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(sys.argv[1])
store.put(record("a"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    store.put(record("b", versions={"noise": os.urandom(300_000).hex()}))
except StoreFull as error:
    print("full:", error)
store.close()
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("full:"), done.stderr
    with Store(tmp_path) as store:
        assert list(store.records()) == [record("a")]


def test_what_is_no_store(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="directory"):
        Store(tmp_path / "file")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "records.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path / "bad")
    Store(tmp_path / "new").close()
    with sqlite3.connect(tmp_path / "new" / "records.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="format 99"):
        Store(tmp_path / "new")


# -- a store that cannot be written to -------------------------------------------------------------

READ = """
import sys
from pathlib import Path
from scripted import ScriptedPolicy, ScriptedPRM, problems
from ttslib.runner import solve
from ttslib.records import Store, StoreError

def tried(what):
    try:
        return what()
    except StoreError as error:
        return str(error)

def run(count):
    settings = {"method": "dvts", "n": 8, "store": store, "progress": False}
    return [each.trajectories for each in solve(problems(count), ScriptedPolicy("side"), ScriptedPRM(), **settings)]

store = sys.argv[1]
before = sorted(Path(store).rglob("*"))
with Store(store) as opened:
    if not opened.read_only:
        sys.exit("can write")
    found = list(opened.records())
    assert len(opened) == len(found) and opened.get(found[0].key) == found[0]
    assert opened.status([found[0].key, "x"]) == {found[0].key: ("done", 1)}
    said = {tried(lambda: opened.put(found[0])), tried(lambda: opened.claim("x")), tried(lambda: opened.release(["x"])),
            tried(lambda: opened.delete(found[0].key)), tried(lambda: run(len(found) + 1))}
assert not Path("side").exists(), "something was sampled"
assert sorted(Path(store).rglob("*")) == before
print(len(found), len(run(len(found))), *said)
"""


def without_root():
    """Takes from root, for whom permissions do not count, the capabilities that make it so (Linux)."""
    if sys.platform == "linux":
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; 24 is PR_CAPBSET_DROP
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
FILL = """
import os, sys
from scripted import ScriptedPolicy, ScriptedPRM, problems
from ttslib.runner import solve
from ttslib.records import Store
for path in sys.argv[1:]:
    store = Store(path)
    solve(problems(5), ScriptedPolicy(), ScriptedPRM(), method="dvts", n=8, store=store, progress=False)
    if path.endswith("closed"):
        store.close()
os._exit(0)
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Folder of two finished stores: that of an owner who closed it, and that of one who was killed, with a WAL."""
    folder = tmp_path_factory.mktemp("filled")
    command = [sys.executable, "-c", FILL, str(folder / "closed"), str(folder / "killed")]
    subprocess.run(command, env=ENVIRONMENT, check=True, timeout=60)
    assert not (folder / "closed" / "records.sqlite-wal").exists()
    assert (folder / "killed" / "records.sqlite-wal").stat().st_size > 0
    return folder


def read(store, *unwritable):
    """What `READ` says of a store of which these files are not writable."""
    for place in unwritable:
        place.chmod(place.stat().st_mode & ~0o222)
    try:
        done = subprocess.run([sys.executable, "-c", READ, str(store)], env=ENVIRONMENT, cwd=store.parent, text=True,
                              preexec_fn=without_root, capture_output=True, timeout=60)  # fmt: skip
    finally:
        for place in unwritable:
            place.chmod(place.stat().st_mode | 0o200)
    if "can write" in done.stderr:
        pytest.skip("permissions do not count for this user")
    return done


@pytest.mark.parametrize(("end", "unwritable"), [
    ("closed", "all"), ("closed", "folder"), ("closed", "records.sqlite"), ("closed", "owners"),
    ("closed", "opening.lock"), ("killed", "all"), ("killed", "records.sqlite*"),
])
def test_a_store_that_cannot_be_written_to_is_read(tmp_path, filled, end, unwritable):
    store = tmp_path / "a #store?"
    shutil.copytree(filled / end, store)
    places = {"all": [store, *store.rglob("*")], "folder": [store]}
    done = read(store, *places.get(unwritable, store.glob(unwritable)))
    assert done.stdout == (
        f"5 5 The store at {store} is read-only: what it holds can be read; to add to it, copy it to a place that can "
        "be written, or give another store.\n"
    ), done.stderr
    with Store(store) as opened:  # and as soon as it can be written to, it is
        assert not opened.read_only and opened.claim("x") == "mine"


def test_records_that_cannot_be_read_where_they_are_are_not_passed_over(tmp_path, filled):
    store = tmp_path / "s"
    shutil.copytree(filled / "killed", store, ignore=shutil.ignore_patterns("*-shm"))
    last = read(store, store, *store.rglob("*")).stderr.splitlines()[-1]
    assert "StoreError: The store at" in last and "newest records are still in records.sqlite-wal" in last
    assert last.endswith("copy the whole folder to a place that can be written.")
    with Store(store) as opened:
        assert len(opened) == 5


def test_a_folder_without_a_store_that_cannot_be_written_to(tmp_path):
    program = "import sys; from ttslib.records import Store; Store(sys.argv[1])"
    (tmp_path / "empty").mkdir(0o555)
    (tmp_path / "half" / "owners").mkdir(0o555, parents=True)
    (tmp_path / "half").chmod(0o555)
    (tmp_path / "closed").mkdir(0o000)
    for name in ("empty", "empty/new", "half", "closed"):
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], preexec_fn=without_root,
                              capture_output=True, text=True, timeout=60)  # fmt: skip
        if not done.returncode:
            pytest.skip("permissions do not count for this user")
        assert done.stderr.splitlines()[-1].startswith("ttslib.records.StoreError: "), done.stderr
