"""What the paper ran, printed and claims: the only copy.

    from ttslib import paper
    paper.experiment("fig4").runs(profile)      # the paper's grid, at a profile's size and with its cast
    paper.published.table5()                    # as printed, a data frame
    paper.rule("MATH-500", "Qwen2.5-7B", "hard")
"""

from ttslib.paper import claims, published, roles
from ttslib.paper.experiments import BUDGETS, EXPERIMENTS, Experiment, Grid, experiment
from ttslib.paper.strategy import LEVELS, THRESHOLDS, level, rule, rule_methods

__all__ = [
    "BUDGETS", "EXPERIMENTS", "LEVELS", "THRESHOLDS", "Experiment", "Grid", "claims", "experiment", "level",
    "published", "roles", "rule", "rule_methods",
]  # fmt: skip
