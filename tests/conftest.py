"""What every test shares. The marker ``engine`` (pyproject.toml) is for tests that start vLLM."""

from __future__ import annotations

import importlib.util

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the engine tests where there is no vLLM (macOS, Windows, processors without AVX2), and say so."""
    if importlib.util.find_spec("vllm") is not None:
        return
    skip = pytest.mark.skip(reason="vLLM has no wheel for this machine; the transformers backend is tested")
    for item in items:
        if item.get_closest_marker("engine"):
            item.add_marker(skip)
