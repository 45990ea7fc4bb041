"""`loop.run`: a plain blocking call wherever it is made, that can be interrupted."""

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import ExitStack

import pytest

from ttslib import loop
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


def test_a_blocking_call_inside_a_search_is_refused():
    async def search():
        return loop.run(double(1))

    async def notebook():
        return loop.run(search())

    with pytest.raises(RuntimeError, match="await"):
        asyncio.run(notebook())


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
