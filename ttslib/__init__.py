"""Test-time scaling, reproducibly: policies, process reward models, search, voting, grading, records.

    import ttslib as tts
    problems = tts.load_problems("nanomath", limit=20)
    policy, prm = tts.load_policy("nano-qwen-3m"), tts.load_prm("nano-prm-qwen-m")
    tts.solve(problems, policy, prm, method="beam_search", n=16).accuracy(vote="prm_last_vote")
"""

import importlib

from ttslib import grading, paper, search, sentences, stats, voting
from ttslib.policies import load_policy
from ttslib.prms import load_prm
from ttslib.problems import Problem, load_problems
from ttslib.profiles import get_profile
from ttslib.runner import free, run, solve
from ttslib.runs import ModelSpec, Run

__version__ = "0.1.0"
__all__ = [
    "ModelSpec", "Problem", "Run", "difficulty", "frames", "free", "gains", "get_profile", "grading", "load_policy",
    "load_prm", "load_problems", "paper", "plots", "run", "search", "solve", "stats", "strategy", "tables", "trees",
    "voting",
]  # fmt: skip

sentences.install()


def __getattr__(name: str):
    """What works on frames and figures loads pandas and matplotlib when it is first used."""
    if name in ("difficulty", "frames", "gains", "plots", "strategy", "tables", "trees"):
        return importlib.import_module(f"ttslib.{name}")
    raise AttributeError(f"module 'ttslib' has no attribute {name!r}")
