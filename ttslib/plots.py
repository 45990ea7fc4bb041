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
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

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
DASHES = {"majority": (4, 2), "pass@k": (1, 1)}
"""Dashes of references where many small panels leave the markers small; the others are solid."""
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


def curves(
    axes: Axes, table: pandas.DataFrame, x: str = "N", by: str = "quantity", *, small: bool = False
) -> dict[str, Any]:
    """Draw a curve for each value of the column `by` in its `look`, in the order of the table: accuracy against `x`.

    `table` has value, low and high in [0, 1]; rows without a value are not drawn. Points stand at their x; where curves
    share it, the bars of their intervals stand a little beside. small: thinner, with dashes for references, for a grid
    of panels. Returns name -> line. Raises ValueError for a value of `by` without a `look`.
    """
    import seaborn

    looks = {name: look(name) for name in table[by].unique()}
    table = table.dropna(subset=["value"])
    looks = {name: looks[name] for name in table[by].unique()}
    if not looks:
        return {}
    seaborn.lineplot(
        table.assign(percent=100 * table.value), x=x, y="percent", hue=by, style=by, hue_order=[*looks],
        style_order=[*looks], palette={name: each.colour for name, each in looks.items()},
        markers={name: each.marker for name, each in looks.items()},
        dashes={name: DASHES.get(name, "") if small else "" for name in looks}, estimator=None, errorbar=None,
        legend=False, ax=axes, linewidth=1.2 if small else 1.6, markersize=4.5 if small else 6,
    )  # fmt: skip
    lines = dict(zip(looks, axes.lines[-len(looks) :], strict=True))
    for at, (name, line) in enumerate(lines.items()):
        line.set_label(looks[name].label)
        rows = table[table[by] == name]
        bars = axes.vlines(rows[x], 100 * rows.low, 100 * rows.high, colors=looks[name].colour,
                           alpha=0.5 if small else 0.7, linewidth=0.8 if small else 1.1)  # fmt: skip
        if x == "N":
            _beside([bars], (2 if small else 3) * (at - (len(lines) - 1) / 2))
    return lines


def _beside(bars: Iterable[Any], points: float) -> None:
    for each in bars:
        axes = each.axes
        each.set_transform(axes.transData + ScaledTranslation(points / 72, 0, axes.figure.dpi_scale_trans))


def accuracy_level(axes: Axes, row: Any, name: str, *, label: str | None = None) -> None:
    """Draw what has no budget (CoT, mean pass@1) as a level with its interval as a band: `row.value`, `.low`, `.high`.
    """
    drawn = look(name)
    axes.axhline(100 * row.value, color=drawn.colour, linestyle="--", linewidth=1.2, label=label or drawn.label)
    axes.axhspan(100 * row.low, 100 * row.high, color=drawn.colour, alpha=0.08, linewidth=0)


def estimates(
    axes: Axes, places: Iterable[float], rows: pandas.DataFrame, name: str | None = None, *, label: str | None = None,
    scale: float = 100.0, flat: bool = False, beside: float = 0.0, **style: Any,
) -> None:  # fmt: skip
    """Draw estimates as markers with their intervals, in the look of `name` if it is given: `rows` has value, low and
    high.

    `places` are along x, or along y with `flat`. `scale` makes percent of shares; `beside`: points by which the bars
    stand to the right of their markers; `style` goes to matplotlib's errorbar. Where there are no ends there is no bar.
    Raises ValueError for a name without a `look`.
    """
    drawn = look(name) if name else Look(label or "", PALETTE["black"], "o")
    value, low, high = (scale * rows[column].to_numpy(float) for column in ("value", "low", "high"))
    spans = np.nan_to_num(np.array([value - low, high - value]))
    options = {"color": drawn.colour, "marker": drawn.marker, "linestyle": "", "capsize": 2.5, "elinewidth": 1,
               "linewidth": 1.2, "markersize": 5.5, "label": label or drawn.label} | style  # fmt: skip
    if flat:
        axes.errorbar(value, np.array([*places], float), xerr=spans, **options)
    else:
        _, caps, bars = axes.errorbar(np.array([*places], float), value, yerr=spans, **options)
        _beside([*caps, *bars], beside)


def accuracy_lines(
    axes: Axes, table: pandas.DataFrame, by: str = "quantity", levels: Sequence[str] = ("cot", "mean")
) -> None:
    """Draw accuracy against the budget for each value of the column `by`, in the order of the table.

    Those named in `levels` are drawn as levels, from their smallest N, the others as `curves`. Raises ValueError for a
    value without a `look`.
    """
    leveled = table[by].isin(levels)
    curves(axes, table[~leveled], by=by)
    for name, part in table[leveled].groupby(by, sort=False):
        accuracy_level(axes, part.sort_values("N").iloc[0], name)
    axes.set_ylim(bottom=0)


def grid(
    table: pandas.DataFrame, row: str, column: str, rows: Mapping[str, str], columns: Mapping[str, str], *,
    x: str = "N", by: str = "quantity", xlabel: str = "Budget N", title: str = "",
) -> Picture:  # fmt: skip
    """A panel for each value of the columns `row` and `column`: accuracy against `x` for each value of `by`.

    rows, columns: the values in their order, and how the figure calls them. `table` has these columns, and value, low
    and high in [0, 1]. x: "N", on a log2 scale with a tick per budget, or a cost, on a log10 scale; rows without an x
    or a value are not drawn. A panel without rows says "not run". All panels of a row share the accuracy axis. Raises
    ValueError for a value of `by` without a `look`.
    """
    drawn = table.dropna(subset=[x, "value"])
    width, height = 1.2 * len(columns) + 0.9, 1.5 * len(rows) + 0.9
    picture, panels = figure(max(width, 5.0), height, columns=len(columns), rows=len(rows))
    handles: dict[str, Any] = {}
    for line, key in zip(np.reshape(panels, (len(rows), len(columns))), rows, strict=True):
        part = drawn[drawn[row] == key]
        top = min(104.0, 105 * part.high.max()) if len(part) else 104.0
        for axes, other in zip(line, columns, strict=True):
            here = part[part[column] == other]
            if len(here):
                handles |= curves(axes, here, x, by, small=True)
            else:
                axes.text(0.5, 0.5, "not run", transform=axes.transAxes, ha="center", va="center", color="#777777")
            _panel_scale(axes, drawn, x)
            axes.set(xlabel="", ylabel="")
            axes.set_ylim(-0.03 * top, top)
            axes.tick_params(labelsize=8)
            axes.label_outer()
        line[0].set_ylabel(rows[key], fontsize=9)
    for axes, name in zip(np.reshape(panels, (len(rows), len(columns)))[0], columns.values(), strict=True):
        axes.set_title(name, fontsize=8.5)
    np.reshape(panels, (len(rows), len(columns)))[-1][len(columns) // 2].set_xlabel(xlabel)
    picture.supylabel("Accuracy (%), 95 % interval", fontsize=10)
    if title:
        picture.suptitle(title, fontsize=10)
    if handles:
        named = [handles[name] for name in drawn[by].unique()]
        picture.legend(handles=named, loc="outside lower center", ncol=6, frameon=False)
    return picture


def _panel_scale(axes: Axes, drawn: pandas.DataFrame, x: str) -> None:
    if not len(drawn):
        axes.set(xticks=[], yticks=[])
    elif x == "N":
        accuracy_axes(axes, drawn.N)
    else:
        low, high = drawn[x].min() / 1.4, drawn[x].max() * 1.4
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        round_numbers = [at for power in range(-3, 30) for at in (10.0**power, 3 * 10.0**power) if low <= at <= high]
        axes.xaxis.set_major_locator(FixedLocator(round_numbers[:: -(-len(round_numbers) // 4) or 1]))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_locator(NullLocator())


def differences(
    axes: Axes, table: pandas.DataFrame, row: str, column: str, rows: Mapping[str, str], columns: Mapping[str, str], *,
    title: str = "", limit: float = 30.0, intervals: bool = True,
) -> None:  # fmt: skip
    """A heat map of differences in percentage points, in bold where the interval excludes zero.

    rows, columns: as of `grid`; `table` has these columns, and value, low and high in [-1, 1], and one row a cell at
    most: a cell without one, or without a value, shows a dash. Panels above and to the right of others leave the names
    to them. limit: the points at which colours end. intervals: write
    them below the values.
    """
    import seaborn

    cells = table.drop_duplicates([row, column]).set_index([row, column])
    values = np.array([[100 * cells.value.get((one, other), np.nan) for other in columns] for one in rows], float)
    # seaborn.heatmap does the same, but draws the whole figure for each panel to see whether labels overlap.
    axes.pcolormesh(values, cmap=seaborn.color_palette("vlag_r", as_cmap=True), vmin=-limit, vmax=limit,
                    edgecolors="white", linewidth=1)  # fmt: skip
    axes.set_xticks(np.arange(len(columns)) + 0.5, list(columns.values()))
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows.values()))
    axes.spines[:].set_visible(False)
    axes.invert_yaxis()
    for at, one in enumerate(rows):
        for place, other in enumerate(columns):
            value, text, weight = values[at, place], "–", "normal"
            if value == value:
                low, high = (100 * cells[end].loc[one, other] for end in ("low", "high"))
                points = f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"
                text = f"{points}\n[{low:.1f}, {high:.1f}]" if intervals else points
                weight = "bold" if low > 0 or high < 0 else "normal"
            dark = abs(value) > 0.75 * limit
            axes.text(place + 0.5, at + 0.5, text, ha="center", va="center", fontsize=8, weight=weight,
                      color="white" if dark else "black")  # fmt: skip
    axes.tick_params(labelsize=8.5, length=0, labelrotation=0)
    axes.label_outer()
    axes.grid(False)
    axes.set_title(title, fontsize=10, loc="left")


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


def rendered(picture: Figure, kind: str, box: Any = "tight") -> bytes:
    """The figure, or the part within `box` (inches), as the bytes of a "png" or "svg" file; the same figure gives the
    same bytes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        stamp = {"Date": None} if kind == "svg" else {"Software": None}
        picture.savefig(buffer, format=kind, bbox_inches=box, metadata=stamp)
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
    with matplotlib.rc_context(STYLE):
        picture.draw_without_rendering()
        box = picture.get_tightbbox().padded(0.1)
    picture.set_layout_engine("none")  # laid out and measured once, and not again for each draw
    parts = {
        "png": rendered(picture, "png", box),
        "svg": rendered(picture, "svg", box),
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
