"""Search methods: coroutines over one problem, all with the same signature."""

from ttslib.search.beam_search import beam_search
from ttslib.search.best_of_n import best_of_n
from ttslib.search.cot import cot
from ttslib.search.dvts import dvts
from ttslib.search.tree import Node, Trajectory, Tree

METHODS = {"cot": cot, "best_of_n": best_of_n, "beam_search": beam_search, "dvts": dvts}
RULES = 2
"""Counts up when a search finds something else with the same samples; part of every cell's address."""

__all__ = ["METHODS", "RULES", "Node", "Trajectory", "Tree", "beam_search", "best_of_n", "cot", "dvts"]
