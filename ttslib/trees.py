"""A picture of one problem's search tree: every step that was sampled, its score, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from textwrap import fill, shorten
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from ttslib.plots import PALETTE, Picture, figure, look, rendered
from ttslib.search.tree import Node, Trajectory, Tree

if TYPE_CHECKING:
    from ttslib.records import Record
    from ttslib.results import Results

_COLOURS = matplotlib.colormaps["viridis"]
_CHOSEN = PALETTE["vermillion"]
_DROPPED = "#b8b8b8"
LABELS = 20
"""Steps that are named beside a tree at most."""
READABLE = 10.0
"""Inches up to which small digits can be read in a picture that is shown 900 pixels wide."""
MARKS = {True: "\u2713", False: "\u2717", None: "?"}


def as_tree(source: Tree | Mapping) -> Tree:
    """The tree of a record: a `Tree`, what `Tree.to_json` made, or a mapping that holds one under "tree"."""
    if isinstance(source, Tree):
        return source
    return as_tree(source["tree"]) if "tree" in source else Tree.from_json(source)


def draw(source: Tree | Mapping, chosen: Trajectory | Iterable[int] | None = None, *, title: str = "",
         answers: Mapping[int, tuple[str, bool | None]] | None = None, about: str = "", axes: Axes | None = None,
         scores: bool | None = None) -> Picture:  # fmt: skip
    """Draw the search tree from the problem (top) down, one level a step.

    A node's fill is its PRM score (hollow: never scored). Kept nodes are large, dropped ones small; a square
    ends its path. The chosen path is drawn in colour, and "x2" beside a node counts identical siblings.

    Args:
        chosen: the trajectory whose answer won the vote, or the ids of its nodes.
        answers: node that ends a path -> the path's answer and whether it is right (None: undecided), written below it.
        about: a sentence below the tree.
        axes: draw into these instead of a figure of its own; no colour bar or legend is added then.
        scores: write the score into each kept node; by default if there is room.

    Raises ValueError if the tree is empty or `chosen` names a node that it does not have.
    """
    tree = as_tree(source)
    if not tree.nodes:
        raise ValueError("The tree has no nodes; pass an empty Tree to the search, then draw it.")
    winners = list(chosen.nodes if isinstance(chosen, Trajectory) else chosen or ())
    if any(not 0 <= node < len(tree.nodes) for node in winners):
        raise ValueError(f"chosen={winners} names a node outside this tree of {len(tree.nodes)} nodes.")
    places = layout(tree)
    width = max(x for x, _ in places.values()) - min(x for x, _ in places.values()) + 1
    depth = max(node.depth for node in tree.nodes)
    own = axes is None
    if own:
        picture, axes = figure(min(max(0.36 * width + 1.6, 5.0), 15.0), min(0.75 * depth + 1.4, 12.0))
    else:
        picture = axes.figure
    roomy = axes.figure.get_figwidth() <= READABLE and depth <= 12 if scores is None else scores
    _edges(axes, tree, places, set(winners))
    for node in tree.nodes:
        _node(axes, node, places[node.id], node.id in winners, roomy)
    axes.plot(0, 0, marker="o", markersize=8, color="black", zorder=5)
    axes.annotate("problem", (0, 0), (8, 3), textcoords="offset points", fontsize=9)
    axes.set_ylim(-depth - 0.6, 0.5)
    _levels(axes, depth, depth)
    axes.set_xticks([])
    axes.grid(False)
    axes.tick_params(length=0)
    axes.set_title(title, parse_math=False)
    axes.set_xlabel(about, labelpad=_answers(axes, answers or {}, places), fontsize=9, parse_math=False)
    for side in axes.spines.values():
        side.set_visible(False)
    if own:
        _legend(picture, [axes], bool(winners), any(node.score is None for node in tree.nodes))
    return picture


def draw_run(run: Results, vote: str, place: int = 0, *, title: str = "", axes: Axes | None = None) -> Picture:
    """The tree of one problem with the path that `vote` chose, the answer of each path, and what happened in words.

    `title` is by default method, N and M; the question stands below it, unless `axes` are given. A failed cell is drawn
    as far as it came, or as its reason in words.
    """
    record = run.records[place]
    if not title:
        title = f"{look(record.cell['method']).label}, N = {record.N}" + (f", M = {record.M}" if record.M > 1 else "")
    title += " (failed)" if record.failed else ""
    if record.search_tree().nodes:
        title, width = (title, 44) if axes else (f"{title}\n{question(record)}", 76)
        return draw(record.tree, run.chosen(vote)[place], answers=answers(run, place), axes=axes, title=title,
                    about=fill(story(run, vote, place), width))  # fmt: skip
    picture, axes = (axes.figure, axes) if axes else figure(5.0, 2.0)
    axes.set_title(title)
    axes.set_axis_off()
    axes.text(0.5, 0.5, fill(record.reason, 48), transform=axes.transAxes, ha="center", va="center", fontsize=9)
    return picture


def question(record: Record, width: int = 70) -> str:
    """The question in at most `width` characters, and the gold answer."""
    asked = shorten(record.problem["question"], width, placeholder=" ...")
    return f"{asked} (answer: {shorten(record.problem['answer'], 20, placeholder=' ...')})"


def answers(run: Results, place: int = 0) -> dict[int, tuple[str, bool | None]]:
    """Node that ends a path -> the path's answer, and whether it is right (None: that could not be decided)."""
    graded = run.graded(place)
    paths = zip(run.records[place].paths(), graded.answers, strict=True)
    return {path.nodes[-1]: (answer or "none", graded.verdicts[answer]) for path, answer in paths if path.nodes}


def story(run: Results, vote: str, place: int = 0) -> str:
    """What happened to one problem, in a sentence."""
    graded, answer = run.graded(place), run.outcomes(vote)[place].answer
    steps, dropped = run.records[place].sampled()
    right = [graded.verdicts[each] for each in graded.answers].count(True)
    said = {True: "right", False: "wrong", None: "undecided"}
    chosen = f"{shorten(answer, 30, placeholder=' ...')}, {said[graded.verdicts[answer]]}" if answer else "nothing"
    return (
        f"{steps} steps sampled, {sum(dropped.values())} of them dropped; {right} of {len(graded.answers)} solutions "
        f"right; {vote} chooses {chosen}."
    )


def rows(run: Results, place: int = 0) -> list[dict]:
    """The nodes behind `draw_run` with the answers of paths, or one row with the reason where there are none."""
    record = run.records[place]
    nodes = (record.tree or {}).get("nodes")
    if not nodes:
        return [{"error": record.reason}]
    found = answers(run, place)
    return [node | dict(zip(("answer", "right"), found.get(node["id"], (None, None)), strict=True)) for node in nodes]


def side_by_side(runs: Mapping[str, Results], vote: str, place: int = 0) -> Picture:
    """The trees of several methods on one problem in one picture, each with the path that `vote` chose.

    `runs`: method -> its results; `place`: which of their problems.
    """
    picture, axes = figure(READABLE / 3 * len(runs), 4.8, columns=len(runs))
    panels = np.atleast_1d(axes)
    for panel, run in zip(panels, runs.values(), strict=True):
        draw_run(run, vote, place, axes=panel)
    depths = [max((node.depth for node in run.records[place].search_tree().nodes), default=0) for run in runs.values()]
    for panel, depth in zip(panels, depths, strict=True):
        if depth:
            panel.set_ylim(bottom=-max(depths) - 0.6)
            _levels(panel, depth, max(depths))
    picture.suptitle(question(next(iter(runs.values())).records[place]), fontsize=10, parse_math=False)
    _legend(picture, list(panels), chosen=True, unscored=False)
    return picture


def svg(picture: Picture) -> str:
    """The picture as SVG text."""
    return rendered(picture, "svg").decode()


def layout(tree: Tree) -> dict[int, tuple[float, float]]:
    """Node id -> (x, y); y is minus the depth, x at least 1 from the next node of the level.

    The problem itself is at (0, 0). Levels keep the order of their parents, so edges never cross; within that
    order every node stands as near to its place below its parent as the gaps allow (see `spread`).
    """
    places: dict[int, tuple[float, float]] = {}
    level = [node for node in tree.nodes if node.parent is None]
    children: dict[int, list[Node]] = {}
    for node in tree.nodes:
        if node.parent is not None:
            children.setdefault(node.parent, []).append(node)
    groups = {None: level}
    while level:
        wanted, gaps, previous = [], [], None
        for parent, group in groups.items():
            middle = 0.0 if parent is None else places[parent][0]
            for at, node in enumerate(group):
                wanted.append(middle + at - (len(group) - 1) / 2)
                gaps.append(0.0 if previous is None else _gap(previous, node))
                previous = node
        for node, x in zip(level, spread(wanted, gaps), strict=True):
            places[node.id] = (x, -float(node.depth))
        groups = {node.id: children[node.id] for node in level if node.id in children}
        level = [node for group in groups.values() for node in group]
    return places


def spread(wanted: list[float], gaps: list[float]) -> list[float]:
    """Positions in the given order, gaps[i] or more between i - 1 and i, as near to `wanted` as can be.

    Near in least squares: isotonic regression by pool-adjacent-violators on `wanted` minus the summed gaps.
    """
    offsets, total = [], 0.0
    for gap in gaps:
        total += gap
        offsets.append(total)
    blocks: list[list[float]] = []  # [mean, size]
    for want, offset in zip(wanted, offsets, strict=True):
        blocks.append([want - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, size = blocks.pop()
            blocks[-1][0] = (blocks[-1][0] * blocks[-1][1] + mean * size) / (blocks[-1][1] + size)
            blocks[-1][1] += size
    flat = [mean for mean, size in blocks for _ in range(int(size))]
    return [base + offset for base, offset in zip(flat, offsets, strict=True)]


def _gap(left: Node, right: Node) -> float:
    if left.subtree != right.subtree:
        return 2.0
    return 1.4 if left.kept and right.kept or left.parent != right.parent else 1.0


def _edges(axes: Axes, tree: Tree, places: Mapping[int, tuple[float, float]], winners: set[int]) -> None:
    for node in tree.nodes:
        start = (0.0, 0.0) if node.parent is None else places[node.parent]
        end = places[node.id]
        if node.id in winners:
            look: dict[str, Any] = {"color": _CHOSEN, "linewidth": 2.6, "zorder": 3}
        elif node.kept:
            look = {"color": "#444444", "linewidth": 1.1, "zorder": 2}
        else:
            look = {"color": _DROPPED, "linewidth": 0.7, "zorder": 1, "linestyle": (0, (3, 2))}
        axes.plot([start[0], end[0]], [start[1], end[1]], **look)


def _node(axes: Axes, node: Node, place: tuple[float, float], won: bool, number: bool) -> None:
    large = 18 if number else 10
    axes.plot(
        *place,
        marker="s" if node.end else "o",
        markersize=large if node.kept else 7,
        markerfacecolor="white" if node.score is None else _COLOURS(node.score),
        markeredgecolor=_CHOSEN
        if won
        else "black"
        if node.kept
        else _DROPPED
        if node.score is None
        else "white",
        markeredgewidth=2.4 if won else 0.9,
        linestyle="none",
        zorder=5 if node.kept else 4,
    )
    text = {"ha": "center", "va": "center", "textcoords": "offset points", "zorder": 6}
    if number and node.kept and node.score is not None:
        ink = "white" if node.score < 0.6 else "black"
        axes.annotate(
            f"{node.score:.2f}".removeprefix("0").replace("1.00", "1.0"),
            place,
            (0, -0.5),
            fontsize=7.5,
            color=ink,
            **text,
        )
    if node.copies > 1:
        beside = large / 2 + 4 if node.kept else 8
        patch = {"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.8}
        axes.annotate(f"x{node.copies}", place, (beside, beside), fontsize=7.5, bbox=patch, **text)


def _answers(axes: Axes, answers: Mapping[int, tuple[str, bool | None]], places: Mapping) -> float:
    """Writes the answers below their nodes, upright if all are short, the right ones in bold; the points it takes."""
    cut = {node: (shorten(answer, 12, placeholder="..."), right) for node, (answer, right) in answers.items()}
    texts = {node: f"{answer} {MARKS[right]}" for node, (answer, right) in cut.items()}
    longest = max(map(len, texts.values()), default=0)
    for node, text in texts.items():
        right = answers[node][1]
        axes.annotate(text, places[node], (0, -13), textcoords="offset points", ha="center", va="top", fontsize=8,
                      rotation=90 if longest > 4 else 0, weight="bold" if right else "normal", parse_math=False,
                      color="black" if right else "#555555", zorder=6)  # fmt: skip
    return 5.0 * longest if longest > 4 else 10.0


def _levels(axes: Axes, depth: int, shown: int) -> None:
    """Names the steps down to `depth`; where the picture goes down to many (`shown`), only some of them."""
    named = range(1, depth + 1, max(1, ceil(shown / LABELS)))[::-1]
    axes.set_yticks([-level for level in named], [f"step {level}" for level in named])


def _legend(picture: Picture, panels: Sequence[Axes], chosen: bool, unscored: bool) -> None:
    def mark(label: str, marker: str, size: float, fill: str, edge: str = "black") -> Line2D:
        return Line2D([], [], linestyle="none", marker=marker, markersize=size, markerfacecolor=fill,
                      markeredgecolor=edge, label=label)  # fmt: skip

    handles = [mark("kept", "o", 9, "white"), mark("ended", "s", 9, "white")]
    handles.append(mark("dropped", "o", 6, _DROPPED, "white"))
    if unscored:
        handles.append(mark("not scored", "o", 6, "white", _DROPPED))
    if chosen:
        handles.append(Line2D([], [], color=_CHOSEN, linewidth=2.6, label="chosen path"))
    picture.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9, frameon=False,
                   handletextpad=0.4, columnspacing=1.2)  # fmt: skip
    bar = picture.colorbar(
        ScalarMappable(Normalize(0, 1), _COLOURS), ax=panels, shrink=0.75, aspect=22, pad=0.02
    )
    bar.set_label("PRM score of the step", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
