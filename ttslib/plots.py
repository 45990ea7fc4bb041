"""The style of the figures, and how one is saved with the numbers behind it and where they came from."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from ttslib.provenance import check_provenance
from ttslib.results import QUANTITIES
from ttslib.search import METHODS, Look

if TYPE_CHECKING:
    import pandas

# Okabe and Ito (2008): eight colours that stay apart under the common kinds of colour blindness.
PALETTE = {
    "black": "#000000", "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73",
    "yellow": "#F0E442", "blue": "#0072B2", "vermillion": "#D55E00", "purple": "#CC79A7",
}  # fmt: skip
REFERENCES = {
    "majority": Look("Majority", "orange", "s"),
    "pass@k": Look("pass@k", "purple", "v"),
    "mean": Look("Mean pass@1", "#777777", "P"),
}
"""How references that are no search methods are drawn."""
STYLE = {
    "font.size": 10, "axes.titlesize": 10, "axes.labelsize": 10, "legend.fontsize": 9, "xtick.labelsize": 9,
    "ytick.labelsize": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
    "lines.linewidth": 1.6, "lines.markersize": 5.5, "savefig.dpi": 200, "figure.dpi": 110,
    "svg.hashsalt": "ttslib", "svg.fonttype": "path",
}  # fmt: skip


def quantity(method: str, vote: str) -> str:
    """What a figure calls the rows of that method and vote: "majority", "pass@k", "mean", or the method."""
    if vote in QUANTITIES:
        return vote
    return "majority" if (method, vote) == ("best_of_n", "majority_vote") else method


def look(name: str) -> Look:
    """One colour and one marker for a method (its own `look`) or quantity in all figures, so that none depends on
    colour alone.

    Raises ValueError for a name that has no look.
    """
    if name not in METHODS and name not in REFERENCES:
        known = ", ".join([*METHODS, *REFERENCES])
        raise ValueError(f"No look for {name!r}: give one of {known}, or register the method.")
    found = METHODS[name].look if name in METHODS else REFERENCES[name]
    return replace(found, colour=PALETTE.get(found.colour, found.colour))


class Picture(Figure):
    """A figure that a notebook shows by itself and that no global state keeps alive.

    Attributes:
        saved: the PNG that `save` wrote, which is also what is shown then.
    """

    saved: bytes | None = None

    def _repr_png_(self) -> bytes:
        return self.saved or rendered(self, "png")


def figure(
    width: float = 6.4, height: float = 4.0, columns: int = 1, rows: int = 1, **layout: Any
) -> tuple[Picture, Any]:
    """A styled figure (inches) and its axes: one, or an array of rows x columns as matplotlib gives it.

    `layout` goes to `Figure.subplots` (sharey, height_ratios, ...).
    """
    with matplotlib.rc_context(STYLE):
        made = Picture(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(made)
        return made, made.subplots(rows, columns, squeeze=True, **layout)


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
    axes: Axes, rows: pandas.DataFrame, name: str, *, label: str | None = None, shift: float = 0.0
) -> None:
    """Draw one method or quantity: `rows` has N, value, low and high (in [0, 1]), as `stats.estimate` gives them.

    `shift` moves the line along x by that many powers of two, so that error bars of several stay apart. Raises
    ValueError for a name without a `look`.
    """
    drawn, rows = look(name), rows.sort_values("N")
    values = 100 * rows.value
    axes.errorbar(
        rows.N * 2.0**shift, values, yerr=[values - 100 * rows.low, 100 * rows.high - values],
        label=label or drawn.label, color=drawn.colour, marker=drawn.marker, capsize=2.5, elinewidth=1, alpha=0.95,
        linewidth=1.6, markersize=5.5,
    )  # fmt: skip


def accuracy_level(axes: Axes, row: Any, name: str, *, label: str | None = None) -> None:
    """Draw what has no budget (CoT, mean pass@1) as a level with its interval as a band: `row.value`, `.low`, `.high`.
    """
    drawn = look(name)
    axes.axhline(100 * row.value, color=drawn.colour, linestyle="--", linewidth=1.2, label=label or drawn.label)
    axes.axhspan(100 * row.low, 100 * row.high, color=drawn.colour, alpha=0.08, linewidth=0)


def accuracy_lines(
    axes: Axes, table: pandas.DataFrame, by: str = "quantity", levels: Sequence[str] = ("cot", "mean")
) -> None:
    """Draw accuracy against the budget for each value of the column `by`, in the order of the table.

    Those named in `levels` are drawn as levels, from their smallest N. Markers of lines that share a budget stand a
    little apart, so that their intervals can be read. Raises ValueError for a value without a `look`.
    """
    parts = dict(iter(table.groupby(by, sort=False)))
    lines = [name for name in parts if name not in levels]
    for at, name in enumerate(lines):
        accuracy_line(axes, parts[name], name, shift=0.07 * (at - (len(lines) - 1) / 2))
    for name in (each for each in parts if each in levels):
        accuracy_level(axes, parts[name].sort_values("N").iloc[0], name)
    axes.set_ylim(bottom=0)


def heading(frame: pandas.DataFrame) -> str:
    """What a figure of these rows is about: data set, problems, and the models by their short names."""
    benchmarks, policies, prms = (_named(frame[column]) for column in ("dataset", "policy", "prm"))
    count = len(frame.drop_duplicates(["benchmark", "problem"]))
    about = [*([benchmarks] if benchmarks else []), f"{count} problems"]
    return f"{', '.join(about)}: {' with '.join(each for each in (policies, prms) if each)}"


def _named(column: pandas.Series) -> str:
    return ", ".join(Path(name).name for name in column.unique() if name)


def legend(axes: Axes, length: float = 2.0) -> None:
    """A legend to the right of the axes, where it covers no data, in the order of the last points.

    `length` of the lines in it, in font sizes: longer ones tell more dash patterns apart.
    """
    handles, labels = axes.get_legend_handles_labels()

    def last(handle: Any) -> float:
        line = handle[0] if isinstance(handle, tuple) else handle
        return -float(line.get_ydata()[-1])

    order = sorted(range(len(labels)), key=lambda at: last(handles[at]))
    axes.legend([handles[at] for at in order], [labels[at] for at in order], loc="center left",
                bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=9, handlelength=length)  # fmt: skip


def rendered(picture: Figure, kind: str) -> bytes:
    """The figure as the bytes of a "png" or "svg" file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        stamp = {"Date": None} if kind == "svg" else {"Software": None}
        picture.savefig(buffer, format=kind, bbox_inches="tight", metadata=stamp)
    return buffer.getvalue()


def save(
    picture: Picture, folder: str | Path, name: str, data: Any, provenance: Mapping[str, Any]
) -> list[Path]:
    """Write NAME.png, NAME.svg, NAME.csv (the numbers shown) and NAME.json (their origin) into `folder`.

    Args:
        data: rows as mappings with the same keys, or a pandas DataFrame. Numbers are written with 12 significant
            digits, beyond which processors differ; what has no value is left empty.
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
    writer = csv.DictWriter(table, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _written(value) for key, value in row.items()} for row in rows)
    parts = {
        "png": rendered(picture, "png"),
        "svg": rendered(picture, "svg"),
        "csv": table.getvalue().encode(),
        "json": (json.dumps(dict(provenance), indent=2, default=str) + "\n").encode(),
    }
    picture.saved = parts["png"]
    paths = []
    for kind, content in parts.items():
        paths.append(folder / f"{name}.{kind}")
        paths[-1].write_bytes(content)
    return paths


def _written(value: Any) -> Any:
    if value is None or value != value:
        return ""
    return f"{value:.12g}" if isinstance(value, Real) and not isinstance(value, Integral) else value
