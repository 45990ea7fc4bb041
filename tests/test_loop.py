"""`loop.run`: a plain blocking call wherever it is made, that can be interrupted."""

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import ExitStack

import pytest
from scripted import ScriptedPolicy, ScriptedPRM, problems

import ttslib as tts
from ttslib import loop
from ttslib.policies import Path, Step
from ttslib.prms import load_prm
from ttslib.problems import Problem
from ttslib.runner import solve
from ttslib.usage import Metered, Usage, counting, current


async def double(x):
    await asyncio.sleep(0)
    return 2 * x


def test_without_a_loop():
    assert loop.run(double(3)) == 6


def test_inside_a_running_loop_in_one_thread():
    async def where():
        return threading.current_thread().name

    async def notebook():
        return loop.run(double(3)), loop.run(where()), loop.run(where())

    value, first, second = asyncio.run(notebook())
    assert value == 6
    assert first == second != threading.current_thread().name


def test_errors_come_through_both_ways():
    async def fails():
        raise KeyError("x")

    async def notebook():
        loop.run(fails())

    with pytest.raises(KeyError):
        loop.run(fails())
    with pytest.raises(KeyError):
        asyncio.run(notebook())


def in_notebook(coroutine):
    """`loop.run` where a loop already runs in the thread."""

    async def cell():
        return loop.run(coroutine)

    return asyncio.run(cell())


@pytest.mark.parametrize("place", [loop.run, in_notebook])
def test_a_blocking_call_inside_a_search_is_refused(place):
    async def search():
        return loop.run(double(1))

    async def beside():
        return await asyncio.to_thread(loop.run, double(1))

    async def deeper():
        return await asyncio.create_task(search())

    for each in (search, beside, deeper):
        with pytest.raises(RuntimeError, match="await"):
            place(each())
    assert place(double(2)) == 4


# -- several threads -------------------------------------------------------------------------------


def in_threads(*calls, seconds=60):
    """The results of the calls, or what they raised, each in a thread of its own; a call that hangs fails the test."""
    found = [None] * len(calls)

    def work(place):
        try:
            found[place] = calls[place]()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    assert not any(thread.is_alive() for thread in threads), "a call hangs"
    return found


@pytest.mark.parametrize("places", [(loop.run, loop.run), (loop.run, in_notebook), (in_notebook, in_notebook)])
def test_calls_of_several_threads_take_turns(places):
    running, most = [], []

    async def search(x):
        running.append(x)
        await asyncio.sleep(0.01)
        most.append(len(running))
        running.remove(x)
        if x % 3 == 0:
            raise KeyError(x)
        return x

    found = in_threads(*(lambda x=x: places[x % 2](search(x)) for x in range(8)))
    assert most == [1] * 8
    assert [each if isinstance(each, int) else str(each) for each in found] == ["0", 1, 2, "3", 4, 5, "6", 7]


def test_solve_in_two_threads_gives_what_it_gives_one_after_the_other(tmp_path):
    class Shared(ScriptedPolicy):
        """Like an engine: it wakes nobody but its own loop."""

        waiting, pump = (), None

        async def sample(self, path, **options):
            if self.pump is None or self.pump.done():
                self.waiting = []
                self.pump = asyncio.create_task(self._serve())
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn
            return await super().sample(path, **options)

        async def _serve(self):
            while self.waiting:
                await asyncio.sleep(0)
                self.waiting.pop().set_result(None)

    policy, prm = Shared(), ScriptedPRM()

    def call(name, method):
        store = tmp_path / name
        results = solve(problems(6), policy, prm, method=method, n=8, store=store, progress=False)
        return [record.trajectories for record in results]

    alone = [call("a", "beam_search"), call("b", "dvts")]
    assert in_threads(lambda: call("c", "beam_search"), lambda: call("d", "dvts")) == alone
    assert in_threads(*[lambda: call("e", "dvts")] * 4) == [alone[1]] * 4


WAITING = """
    import asyncio, os, signal, threading, time
    from ttslib import loop
    signal.signal(signal.SIGINT, signal.default_int_handler)
    async def search(started):
        started.set()
        await asyncio.sleep(1.5)
        return 7
    started = threading.Event()
    other = threading.Thread(target=lambda: loop.run(search(started)))
    other.start()
    started.wait()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    try:
        loop.run(search(threading.Event()))
    except KeyboardInterrupt:
        print("interrupted", time.monotonic() - begin < 1.2 and other.is_alive())
    print(loop.run(search(threading.Event())))
    other = threading.Thread(target=lambda: loop.run(search(started)))
    started.clear(), other.start(), started.wait()
    if os.fork() == 0:
        print("child", loop.run(search(threading.Event())), flush=True)
        os._exit(0)
    os.wait()
"""


def test_ctrl_c_ends_the_wait_for_a_turn_and_a_forked_child_does_not_wait():
    command = [sys.executable, "-c", textwrap.dedent(WAITING)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("interrupted True\n7\nchild 7\n", "")


def use(model):
    """One request of each kind of model."""
    path = Path(Problem("p", "What is 3 + 4?", "7"))
    if hasattr(model, "sample"):
        return model.sample(path, n=2, seed=1, max_tokens=40)
    return model.score([Path(path.problem, (Step("3+4=7\n\n"),))])


@pytest.fixture(scope="module", params=["transformers", pytest.param("vllm", marks=pytest.mark.engine)])
def models(request, policy_of):
    return policy_of("nano-llama-1m", request.param), load_prm("nano-prm-shepherd", backend=request.param)


def test_a_model_in_use_by_another_threads_loop_says_so_at_once(models):
    for model in models:
        held, refused = threading.Event(), threading.Event()

        async def first(model=model, held=held, refused=refused):
            task = asyncio.create_task(use(model))
            for _ in range(2):  # turns until every kind of model has queued its request, and none has served it
                await asyncio.sleep(0)
            held.set()
            assert refused.wait(60)  # its loop does nothing meanwhile, but it is at work
            return await task

        def second(model=model, held=held, refused=refused):
            assert held.wait(60)
            try:
                return asyncio.run(use(model))
            finally:
                refused.set()

        alone = asyncio.run(use(model))
        found, error = in_threads(lambda first=first: asyncio.run(first()), second)
        assert found == alone
        assert isinstance(error, RuntimeError) and "\n" not in str(error)
        assert f"{model.name} is in use by another thread's event loop" in str(error)
        # A loop that has ended holds nothing, whichever thread it was in.
        assert in_threads(lambda model=model: asyncio.run(use(model))) == [alone] == [asyncio.run(use(model))]


def test_solve_with_real_models_in_two_threads(models, tmp_path):
    def call(name, method):
        results = solve(tts.load_problems("nanomath", limit=4), *models, method=method, n=4, store=tmp_path / name,
                        progress=False)  # fmt: skip
        return [record.trajectories for record in results]

    alone = [call("a", "beam_search"), call("b", "best_of_n")]
    both = in_threads(lambda: call("c", "beam_search"), lambda: call("d", "best_of_n"), seconds=120)
    assert [[steps_of(record) for record in each] for each in both] == [[steps_of(r) for r in each] for each in alone]
    same_store = in_threads(*[lambda: call("e", "beam_search")] * 2, seconds=120)
    assert same_store[0] == same_store[1]
    assert [steps_of(record) for record in same_store[0]] == [steps_of(record) for record in alone[0]]


def steps_of(trajectories):
    return [path["steps"] for path in trajectories]


INTERRUPTED = """
    import asyncio, os, signal, sys
    from ttslib import loop
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    async def search():
        if "at once" in sys.argv:
            os.kill(os.getpid(), signal.SIGINT)
        print("started", flush=True)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            print("cleaned up", flush=True)
    async def cell():
        loop.run(search())
    try:
        asyncio.run(cell()) if "notebook" in sys.argv else loop.run(search())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.fixture
def interrupted():
    """Starts a process that runs a search in the places named, and ends it with the test."""
    with ExitStack() as ends:

        def start(*places):
            command = [sys.executable, "-c", textwrap.dedent(INTERRUPTED), *places]
            process = ends.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            ends.callback(process.kill)
            assert process.stdout.readline() == "started\n"
            return process

        yield start


@pytest.mark.parametrize("place", ["script", "notebook"])
def test_ctrl_c_cancels_and_cleans_up(interrupted, place):
    process = interrupted(place)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("cleaned up\ninterrupted\n", None)
    assert process.returncode == 0


@pytest.mark.parametrize("attempt", range(5))
def test_ctrl_c_while_the_worker_thread_is_being_started(interrupted, attempt):
    process = interrupted("notebook", "at once")
    assert process.communicate(timeout=30) == ("cleaned up\ninterrupted\n", None)
    assert process.returncode == 0


def test_usage_is_counted_apart_for_searches_that_run_at_once():
    class Model:
        separator = "\n"

        def __init__(self):
            self.usage = Usage()

        async def sample(self, tokens):
            await asyncio.gather(self._part(tokens), self._part(tokens))
            return await asyncio.to_thread(current) is current()

        async def _part(self, tokens):
            await asyncio.sleep(0.001)
            self.usage.add(tokens)

    model, cells = Model(), [Usage(), Usage()]

    async def both():
        return await asyncio.gather(*(Metered(model, cell).sample(10**i) for i, cell in enumerate(cells)))

    assert loop.run(both()) == [True, True]
    assert cells == [Usage(2, 2), Usage(20, 2)]
    assert model.usage == Usage(22, 4)
    assert Metered(model, cells[0]).separator == "\n"


def test_a_task_that_serves_several_searches_names_the_one_it_counts_for():
    mine, other, total = Usage(), Usage(), Usage()
    with counting(other):
        total.add(5, cell=mine)
    assert (mine, other, total) == (Usage(5, 1), Usage(), Usage(5, 1))
