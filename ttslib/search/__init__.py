"""Search methods: each in a file of its own, and in one line here."""

from ttslib.search.beam_search import BeamSearch
from ttslib.search.best_of_n import BestOfN
from ttslib.search.config import SearchConfig
from ttslib.search.cot import CoT
from ttslib.search.dvts import DVTS
from ttslib.search.method import METHODS, Cost, Lengths, Look, Method, Shape, configured, get_method, register
from ttslib.search.read import Read
from ttslib.search.tree import Node, Trajectory, Tree

cot = register(CoT())
best_of_n = register(BestOfN())
beam_search = register(BeamSearch())
dvts = register(DVTS())
read = register(Read())

RULES = 3
"""Counts up when a search finds something else with the same samples; part of every cell's address."""

__all__ = [
    "METHODS", "RULES", "Cost", "Lengths", "Look", "Method", "Node", "SearchConfig", "Shape", "Trajectory", "Tree",
    "beam_search", "best_of_n", "configured", "cot", "dvts", "get_method", "read", "register",
]  # fmt: skip
