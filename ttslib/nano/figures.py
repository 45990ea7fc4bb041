"""The zoo's figures, drawn from the frames of `report`, and where their numbers come from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from ttslib import plots
from ttslib.nano.report import curves, measured, trained
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.provenance import provenance
from ttslib.zoo import ZOO, weights_hash

# One colour and one marker for each step style, in the order in which the specs name them.
COLOURS = ("vermillion", "blue", "green", "orange", "purple", "sky", "black")
MARKERS = "osD^vPX"


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


def curve_figure(table: pandas.DataFrame, columns: int = 7) -> plots.Picture:
    """A panel for each model: the loss of a policy against tokens, in the colour of its step style, or the accuracy of
    a PRM on the deciding steps against solutions. In grey behind it: all others of its kind.
    """
    table = table.assign(percent=100 * table.accuracy.astype(float))
    kinds = [("policy", "loss", 1e6, "Training tokens (millions)", "Loss"),
             ("PRM", "percent", 1e3, "Solutions (thousands)", "Right (%)")]  # fmt: skip
    models = {kind: list(table[table.kind == kind].model.unique()) for kind, *_ in kinds}
    heights = {kind: -(-len(names) // columns) for kind, names in models.items()}
    picture, panels = plots.figure(9.4, 1.35 * sum(heights.values()) + 0.5, columns=columns, rows=sum(heights.values()))
    blocks = np.split(np.atleast_2d(panels), [heights["policy"]])
    for (kind, value, unit, across, up), block in zip(kinds, blocks, strict=True):
        parts = {name: table[table.model == name] for name in models[kind]}
        for at, axes in enumerate(block.flat):
            if at >= len(parts):
                axes.set_axis_off()
                continue
            for other in parts.values():
                axes.plot(other.amount / unit, other[value], color="#d0d0d0", linewidth=0.7)
            name = models[kind][at]
            axes.plot(parts[name].amount / unit, parts[name][value], color=_colour(name), linewidth=1.8, label=name)
            axes.set_title(name.removeprefix("nano-").removeprefix("prm-"), fontsize=8.5)
            axes.set_yscale("log" if kind == "policy" else "linear")
            lowest = at + columns >= len(parts)
            axes.tick_params(labelsize=8, labelbottom=lowest, labelleft=at % columns == 0)
            axes.set(xlabel=across if lowest and at % columns == (columns - 1) // 2 else "",
                     ylabel="" if at % columns else up)  # fmt: skip
    return picture


def _colour(name: str) -> str:
    styles = looks(dict.fromkeys(spec.style for spec in POLICIES.values()))
    return styles[POLICIES[name].style][0] if name in POLICIES else plots.PALETTE["black"]


def size_figure(table: pandas.DataFrame, quantities: Sequence[str]) -> plots.Picture:
    """Accuracy against parameters, a panel for each of four quantities, a line for each step style."""
    picture, panels = plots.figure(8.6, 6.4, columns=2, rows=2)
    styles = looks(dict.fromkeys(spec.style for spec in POLICIES.values()))
    for axes, quantity in zip(panels.flat, quantities, strict=True):
        for at, (style, (colour, marker)) in enumerate(styles.items()):
            rows = table[(table["style"] == style) & (table["quantity"] == quantity)].sort_values("parameters")
            if len(rows):
                plots.estimates(axes, rows.parameters / 1e6, rows, label=style, beside=3 * (at - (len(styles) - 1) / 2),
                                color=colour, marker=marker, linestyle="-", linewidth=1.6)
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
