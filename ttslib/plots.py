"""The style of the figures, and how one is saved with the numbers behind it and where they came from."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from ttslib.provenance import check_provenance

if TYPE_CHECKING:
    from ttslib.results import Results

# Okabe and Ito (2008): eight colours that stay apart under the common kinds of colour blindness.
PALETTE = {
    "black": "#000000", "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73",
    "yellow": "#F0E442", "blue": "#0072B2", "vermillion": "#D55E00", "purple": "#CC79A7",
}  # fmt: skip
# One colour and one marker per method everywhere, so that no figure depends on colour alone.
LOOKS = {
    "cot": ("CoT (greedy)", PALETTE["black"], "x"),
    "majority": ("Majority", PALETTE["orange"], "s"),
    "best_of_n": ("BoN", PALETTE["blue"], "o"),
    "beam_search": ("Beam search", PALETTE["vermillion"], "^"),
    "dvts": ("DVTS", PALETTE["green"], "D"),
    "pass@k": ("pass@k", PALETTE["purple"], "v"),
    "mean": ("Mean pass@1", "#777777", "P"),
}
STYLE = {
    "font.size": 10, "axes.titlesize": 10, "axes.labelsize": 10, "legend.fontsize": 9, "xtick.labelsize": 9,
    "ytick.labelsize": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
    "lines.linewidth": 1.6, "lines.markersize": 5.5, "savefig.dpi": 200, "figure.dpi": 110,
    "svg.hashsalt": "ttslib", "svg.fonttype": "path",
}  # fmt: skip


class Picture(Figure):
    """A figure that a notebook shows by itself and that no global state keeps alive."""

    def _repr_png_(self) -> bytes:
        return rendered(self, "png")


def figure(width: float = 6.4, height: float = 4.0, columns: int = 1, rows: int = 1) -> tuple[Picture, Any]:
    """A styled figure (inches) and its axes: one, or an array of rows x columns as matplotlib gives it."""
    with matplotlib.rc_context(STYLE):
        made = Picture(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(made)
        return made, made.subplots(rows, columns, squeeze=True)


def accuracy_axes(axes: Axes, budgets: Iterable[int], title: str = "") -> Axes:
    """Prepare axes for accuracy in percent against the budget N, on a log2 scale with a tick per budget."""
    budgets = sorted(set(budgets))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(budgets))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(budgets, [str(n) for n in budgets])
    axes.set_xlim(budgets[0] / 1.35, budgets[-1] * 1.35)
    axes.set(xlabel="Budget N", ylabel="Accuracy (%), 95 % interval", title=title)
    return axes


def accuracy_line(
    axes: Axes, points: Mapping[int, Any], method: str, *, label: str | None = None, shift: float = 0.0
):
    """Draw one method: `points` maps N to an Estimate (value, low, high in [0, 1]).

    `shift` moves the line along x by that many powers of two, so that error bars of several methods stay
    apart. Raises ValueError for a method that has no entry in `LOOKS`.
    """
    if method not in LOOKS:
        raise ValueError(f"No look for method {method!r}; use one of {', '.join(LOOKS)}, or add it to LOOKS.")
    name, colour, marker = LOOKS[method]
    budgets = sorted(points)
    values = [100 * points[n].value for n in budgets]
    below = [value - 100 * points[n].low for n, value in zip(budgets, values, strict=True)]
    above = [100 * points[n].high - value for n, value in zip(budgets, values, strict=True)]
    return axes.errorbar(
        [n * 2**shift for n in budgets], values, yerr=[below, above], label=label or name, color=colour,
        marker=marker, capsize=2.5, elinewidth=1, alpha=0.95, linewidth=1.6, markersize=5.5,
    )  # fmt: skip


def accuracy_level(axes: Axes, estimate: Any, method: str, *, label: str | None = None) -> None:
    """Draw a method without a budget (CoT, mean pass@1) as a level with its interval as a band."""
    name, colour, _ = LOOKS[method]
    axes.axhline(100 * estimate.value, color=colour, linestyle="--", linewidth=1.2, label=label or name)
    axes.axhspan(100 * estimate.low, 100 * estimate.high, color=colour, alpha=0.08, linewidth=0)


def accuracy_figure(table: Any, title: str = "") -> Picture:
    """Accuracy (%) against N for the rows of `tables.budgets`: a line for each method, a level for CoT and the mean.

    Markers of methods that share a budget stand a little apart, so that their intervals can be read.
    """
    picture, axes = figure(8.2, 4.6)
    accuracy_axes(axes, table.N, title)
    lines = [method for method in LOOKS if method in set(table.method) - {"cot", "mean"}]
    for at, method in enumerate(lines):
        rows = table[table.method == method]
        shift = 0.07 * (at - (len(lines) - 1) / 2)
        accuracy_line(axes, {row.N: row for row in rows.itertuples()}, method, shift=shift)
    for method in ("cot", "mean"):
        accuracy_level(axes, next(table[table.method == method].itertuples()), method)
    axes.set_ylim(bottom=0)
    legend(axes)
    return picture


def heading(run: Results, benchmark: str) -> str:
    """What a figure of `run` is about: benchmark, problems, and the models by their short names."""
    cell = run.records[0].cell
    models = [Path(cell[part]["name"]).name for part in ("policy", "prm") if cell[part]]
    return f"{benchmark}, {len(run)} problems: {' with '.join(models)}"


def legend(axes: Axes) -> None:
    """A legend to the right of the axes, where it covers no data, in the order of the last points."""
    handles, labels = axes.get_legend_handles_labels()

    def last(handle: Any) -> float:
        line = handle[0] if isinstance(handle, tuple) else handle
        return -float(line.get_ydata()[-1])

    order = sorted(range(len(labels)), key=lambda at: last(handles[at]))
    axes.legend([handles[at] for at in order], [labels[at] for at in order], loc="center left",
                bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=9)  # fmt: skip


def rendered(picture: Figure, kind: str) -> bytes:
    """The figure as the bytes of a "png" or "svg" file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        stamp = {"Date": None} if kind == "svg" else {"Software": None}
        picture.savefig(buffer, format=kind, bbox_inches="tight", metadata=stamp)
    return buffer.getvalue()


def save(
    picture: Figure, folder: str | Path, name: str, data: Any, provenance: Mapping[str, Any]
) -> list[Path]:
    """Write NAME.png, NAME.svg, NAME.csv (the numbers shown) and NAME.json (their origin) into `folder`.

    Args:
        data: rows as mappings with the same keys, or a pandas DataFrame.
        provenance: as `provenance.provenance()` makes it.

    Returns the four paths. Raises ValueError if the name is no plain file name, if there is no data, or if
    the provenance lacks an entry.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise ValueError(f"{name!r} is no plain file name; use letters, digits, '_', '-' and '.'.")
    check_provenance(provenance, name)
    rows = data.to_dict("records") if hasattr(data, "to_dict") else list(data)
    if not rows:
        raise ValueError(f"There is no data behind figure {name}; pass the rows that it shows.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.DictWriter(
        table, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    parts = {
        "png": rendered(picture, "png"),
        "svg": rendered(picture, "svg"),
        "csv": table.getvalue().encode(),
        "json": (json.dumps(dict(provenance), indent=2, default=str) + "\n").encode(),
    }
    paths = []
    for kind, content in parts.items():
        paths.append(folder / f"{name}.{kind}")
        paths[-1].write_bytes(content)
    return paths
