"""The nano zoo in tables and figures: from the specs, and from training.json and measured.json beside the weights."""

from ttslib.nano.report.figures import calibration_figure, curve_figure, looks, origin, size_figure, training_origin
from ttslib.nano.report.problems import examples, right_and_wrong, solutions
from ttslib.nano.report.tables import (
    accuracies,
    against_larger,
    agreement,
    by_group,
    calibration,
    curves,
    first_errors,
    matrix,
    measured,
    models,
    parameters,
    prm_accuracies,
    shown,
    trained,
)

__all__ = [
    "accuracies", "against_larger", "agreement", "by_group", "calibration", "calibration_figure",
    "curve_figure", "curves", "examples", "first_errors", "looks", "matrix", "measured", "models", "origin",
    "parameters", "prm_accuracies", "right_and_wrong", "shown", "size_figure", "solutions", "trained",
    "training_origin",
]
