"""What every test shares. The marker ``engine`` (pyproject.toml) is for tests that start vLLM.

The tests of policies use shipped models. TTSLIB_TEST_ZOO=runs/zoo takes them from there instead, before they ship.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ttslib import torch_settings

torch_settings.apply()  # tests import torch themselves
# A slow machine is no failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
POLICY_NAMES = ("nano-llama-1m", "nano-qwen-1m")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, and skip the engine tests where there is no vLLM (macOS, Windows, processors
    without AVX2), and say so."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    if importlib.util.find_spec("vllm") is not None:
        return
    skip = pytest.mark.skip(reason="vLLM has no wheel for this machine; the transformers backend is tested")
    for item in items:
        if item.get_closest_marker("engine"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def model_path() -> Callable[[str], Path]:
    """The folder of a nano model by its name."""
    from ttslib.zoo import ZOO

    zoo = Path(os.environ.get("TTSLIB_TEST_ZOO", ZOO)).resolve()
    return lambda name: zoo / name


@pytest.fixture(scope="session")
def policy_of(model_path) -> Callable[..., object]:
    """``policy_of(name, backend)``: that nano policy in float32, loaded once for the whole session."""
    from ttslib.policies import load_policy

    @functools.cache
    def load(name: str, backend: str):
        options = {"logprobs": True} if backend == "vllm" else {}
        return load_policy(str(model_path(name)), backend=backend, prompt="nano", dtype="float32", **options)

    return load


@pytest.fixture(autouse=True)
def no_verdicts_from_other_tests() -> Iterator[None]:
    """What grading came to in a store of one test is not looked up by the next."""
    yield
    from ttslib import grading

    grading.remember(None)
