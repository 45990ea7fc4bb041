"""The zoo's figures, drawn from the frames of `report`, and where their numbers come from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
from matplotlib.colors import to_rgb
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from ttslib import plots
from ttslib.nano.report import curves, measured, trained
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.provenance import provenance
from ttslib.zoo import ZOO, weights_hash

# One colour and one marker for each step style, in the order in which the specs name them.
COLOURS = ("vermillion", "blue", "green", "orange", "purple", "sky", "black")
MARKERS = "osD^vPX"
LINES = ("-", "--", "-.", ":")


def origin(profile: str, names: Sequence[str], zoo: Path = ZOO, **more) -> dict:
    """The provenance of a figure that shows what was measured of these models, as `plots.save` wants it.

    A policy's samples count once, however many PRMs scored them.
    """
    known = measured(zoo)
    parts = [known[name]["provenance"] for name in dict.fromkeys(names)]
    pools = {policy: count for part in parts for policy, count in part["pools"].items()}
    return provenance(profile, []) | {
        "measured_at": sorted({part["commit"] for part in parts}), "measured_with": parts[0]["versions"],
        "models": {name: revision for part in parts for name, revision in part["models"].items()},
        "seeds": sorted({seed for part in parts for seed in part["seeds"]}),
        "wall_seconds": round(sum(part["wall_seconds"] for part in parts), 1),
        "tokens": {"policy": sum(pools.values()), "prm": sum(part["tokens"]["prm"] for part in parts)},
        "cells": sum(part["cells"] for part in parts), "failed": sum(part["failed"] for part in parts),
    } | more  # fmt: skip


def training_origin(profile: str, zoo: Path = ZOO) -> dict:
    """The same for the learning curves: nothing is sampled, so `trained` counts instead of `tokens`."""
    table = curves(zoo).groupby(["kind", "model"])[["amount", "seconds"]].max()
    totals = table.groupby("kind").amount.sum()
    return provenance(profile, []) | {
        "models": {name: weights_hash(folder) for name, folder in trained(zoo).items()},
        "wall_seconds": round(float(table.seconds.sum()), 1),
        "seeds": sorted({spec.seed for spec in (POLICIES | PRMS).values()}),
        "trained": {"tokens": int(totals.get("policy", 0)), "solutions": int(totals.get("PRM", 0))},
    }  # fmt: skip


def looks(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name -> (colour, marker), in the order of the names."""
    return {
        name: (plots.PALETTE[COLOURS[at % len(COLOURS)]], MARKERS[at % len(MARKERS)]) for at, name in enumerate(names)
    }


def lighter(colour: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with a share of white."""
    return tuple(part + share * (1 - part) for part in to_rgb(colour))


def curve_figure(table: pandas.DataFrame) -> plots.Picture:
    """Loss of the policies against tokens, and accuracy of the PRMs on the deciding steps against solutions.

    A colour for each step style of policies, darker in the order of the specs, so with size.
    """
    picture, (above, below) = plots.figure(8.6, 7.2, rows=2)
    styles = looks(dict.fromkeys(spec.style for spec in POLICIES.values()))
    families = {style: [name for name in POLICIES if POLICIES[name].style == style] for style in styles}
    for name, rows in table[table.kind == "policy"].groupby("model", sort=False):
        colour, family = styles[POLICIES[name].style][0], families[POLICIES[name].style]
        place = family.index(name)
        above.plot(rows.amount / 1e6, rows.loss.rolling(5, min_periods=1).mean(),
                   color=lighter(colour, 0.65 * (1 - (place + 1) / len(family))), linestyle=LINES[place % len(LINES)],
                   linewidth=1.4, label=name.removeprefix("nano-"))
    colours = looks(list(PRMS))
    for name, rows in table[table.kind == "PRM"].groupby("model", sort=False):
        below.plot(rows.amount / 1e3, 100 * rows.accuracy.astype(float), color=colours[name][0], linewidth=1.2,
                   marker=colours[name][1], markersize=3.5, markevery=0.12, label=name.removeprefix("nano-prm-"))
    above.set(yscale="log", xlabel="Training tokens (millions)", ylabel="Loss (mean of 5 points)", title="Policies")
    below.set(xlabel="Solutions (thousands)", ylabel="Deciding steps judged right (%)", title="PRMs")
    for axes in (above, below):
        if axes.lines:
            plots.legend(axes, length=4.5)
    return picture


def size_figure(table: pandas.DataFrame, quantities: Sequence[str]) -> plots.Picture:
    """Accuracy against parameters, a panel for each of four quantities, a line for each step style."""
    picture, panels = plots.figure(8.6, 6.4, columns=2, rows=2)
    styles = looks(dict.fromkeys(spec.style for spec in POLICIES.values()))
    for axes, quantity in zip(panels.flat, quantities, strict=True):
        for at, (style, (colour, marker)) in enumerate(styles.items()):
            rows = table[(table["style"] == style) & (table["quantity"] == quantity)].sort_values("parameters")
            if len(rows):
                near = 1.05 ** (at - (len(styles) - 1) / 2)
                gaps = 100 * np.array([rows.value - rows.low, rows.high - rows.value]).clip(0)
                axes.errorbar(rows.parameters / 1e6 * near, 100 * rows.value, yerr=gaps, color=colour, marker=marker,
                              capsize=2.5, elinewidth=1, linewidth=1.6, markersize=5.5, label=style)
        axes.set(xscale="log", ylim=(0, 102), title=quantity, xlabel="Parameters (millions)", ylabel="Accuracy (%)")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    handles, labels = panels.flat[0].get_legend_handles_labels()
    few, many = table.n.min(), table.n.max()
    which = f"{many} problems" if few == many else f"first {few} to {many} problems"
    picture.suptitle(f"NanoMATH-500, {which}, 95 % intervals", fontsize=11)
    picture.legend(handles, labels, title="Step style", loc="outside right center", frameon=False, fontsize=9)
    return picture


def calibration_figure(table: pandas.DataFrame) -> plots.Picture:
    """Share of right steps against the mean score of a decile, a panel for each PRM; calibrated is the diagonal."""
    names = list(dict.fromkeys(table.prm))
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    picture, panels = plots.figure(2.3 * columns + 0.4, 2.4 * rows + 0.3, columns=columns, rows=rows)
    for at, axes in enumerate(np.atleast_1d(panels).flat):
        if at >= len(names):
            axes.set_visible(False)
            continue
        part = table[table.prm == names[at]]
        gaps = 100 * np.array([part.value - part.low, part.high - part.value]).clip(0)
        axes.plot([0, 100], [0, 100], color="#777777", linestyle="--", linewidth=1)
        axes.errorbar(100 * part.score, 100 * part.value, yerr=gaps, color=plots.PALETTE["blue"], marker="o",
                      markersize=4, capsize=2, elinewidth=1, linewidth=1.2)
        axes.set(xlim=(-4, 104), ylim=(-4, 104), title=names[at].removeprefix("nano-prm-"), xticks=(0, 50, 100),
                 yticks=(0, 50, 100))
    picture.suptitle(f"NanoMATH-500, up to {int(table.n.max())} problems a point, 95 % intervals", fontsize=11)
    picture.supxlabel("Score of the step (%), mean of a decile", fontsize=10)
    picture.supylabel("Right steps (%)", fontsize=10)
    return picture
