"""Solutions as pictures: each step with its label and the score that a PRM gave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten, wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ttslib.plots import PALETTE, Picture, figure

LOOKS = {
    "right": (PALETTE["blue"], ""), "wrong": (PALETTE["vermillion"], "////"), "after a wrong step": ("#bbbbbb", "...."),
}  # fmt: skip
"""Label of a step -> colour and hatching of its bar."""
WIDTH = 62  # characters of a line
SHOWN = 8  # steps of a solution at most


@dataclass(frozen=True)
class Annotated:
    """A solution with what is known of its steps.

    Attributes:
        title: what the panel is about.
        question: shown in short.
        steps, scores: texts, and one score in [0, 1] for each.
        first: index of the first wrong step, -1 if all are right.
        step: the step to look at.
    """

    title: str
    question: str
    steps: tuple[str, ...]
    scores: tuple[float, ...]
    first: int
    step: int

    def __post_init__(self):
        if not self.steps or len(self.steps) != len(self.scores):
            raise ValueError(f"A solution has one score a step; got {len(self.steps)} and {len(self.scores)}.")

    def label(self, place: int) -> str:
        """Of a step: "right", "wrong" or "after a wrong step"."""
        return "right" if self.first < 0 or place < self.first else "wrong" if place == self.first else [*LOOKS][2]

    @property
    def places(self) -> range:
        """The steps that are shown: all, or those around the one to look at."""
        count = len(self.steps)
        start = min(max(0, self.step - SHOWN // 2), max(0, count - SHOWN))
        return range(start, min(count, start + SHOWN))


def draw(solutions: Sequence[Annotated], *, low: float, high: float) -> Picture:
    """A panel for each solution: its steps from top to bottom, with a bar as long as the score.

    Dashed lines stand at `low` and `high`, and a triangle at the step to look at. Raises ValueError without a solution.
    """
    if not solutions:
        raise ValueError("There is no solution to draw.")
    lines = [[_lines(each.steps[place]) for place in each.places] for each in solutions]
    heights = [sum(map(len, each)) + 0.6 * len(each) + 5 for each in lines]
    picture, panels = figure(8.6, 0.17 * sum(heights) + 0.5, rows=len(solutions))
    panels = np.atleast_1d(panels)
    panels[0].get_gridspec().set_height_ratios(heights)
    for axes, each, texts in zip(panels, solutions, lines, strict=True):
        _panel(axes, each, texts, low, high)
    patches = [Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=label)
               for label, (colour, hatch) in LOOKS.items()]  # fmt: skip
    picture.legend(handles=patches, loc="outside lower center", ncols=3, frameon=False, title="Score of a step that is")
    return picture


def _lines(text: str) -> list[str]:
    return wrap(shorten(" ".join(text.split()), 2 * WIDTH - 4, placeholder=" …"), WIDTH) or [""]


def _question(each: Annotated) -> list[str]:
    """At most two lines, and how many steps are not shown."""
    left = len(each.steps) - len(each.places)
    more = f"   ({left} of {len(each.steps)} steps not shown)" if left else ""
    return wrap(shorten(" ".join(each.question.split()), 170, placeholder=" …") + more, 100) or [""]


def _panel(axes: Axes, each: Annotated, texts: list[list[str]], low: float, high: float) -> None:
    ends = np.cumsum([len(lines) + 0.6 for lines in texts])
    for lines, end, place in zip(texts, ends, each.places, strict=True):
        middle = end - (len(lines) + 0.6) / 2
        colour, hatch = LOOKS[each.label(place)]
        axes.barh(middle, each.scores[place], height=0.8, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
        axes.text(each.scores[place] + 0.01, middle, f"{each.scores[place]:.2f}", va="center", fontsize=9,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
        axes.text(-0.06, middle, "\n".join(lines), va="center", ha="right", fontsize=8.5, parse_math=False,
                  fontweight="bold" if place == each.step else "normal")  # fmt: skip
        if place == each.step:
            axes.plot(-0.03, middle, marker=">", color="black", markersize=5, clip_on=False)
    for threshold in (low, high):
        axes.axvline(threshold, color="#555555", linestyle="--", linewidth=0.9, zorder=0)
    axes.set_title("\n".join([each.title, *_question(each)]), loc="right", fontsize=9, parse_math=False)
    axes.set(xlim=(0, 1.12), ylim=(ends[-1], 0), xticks=(0, 0.5, 1), yticks=[])
    axes.tick_params(labelsize=8)
    axes.grid(False)
    axes.spines["left"].set_visible(True)
