"""The nano zoo in tables and figures: from the specs, and from training.json and measured.json beside the weights.

`zoo` is the folder that holds the models' folders; a model that is not there is left out. Columns value, low and high
lie in [0, 1].
"""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from ttslib import loop, plots
from ttslib.checkpoint import tensors
from ttslib.nano.benchmark import nanomath
from ttslib.nano.cards import percent
from ttslib.nano.measure import MEASURED
from ttslib.nano.mistakes import mistake
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.nano.subjects import Worked
from ttslib.nano.thinking import thinking_steps
from ttslib.policies import Path as Steps
from ttslib.policies import Step
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.provenance import provenance
from ttslib.results import Results
from ttslib.zoo import ZOO, weights_hash

# One colour and one marker for each step style, in the order in which the specs name them.
COLOURS = ("vermillion", "blue", "green", "orange", "purple", "sky", "black")
MARKERS = "osD^vPX"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 3)))

# F1 on the MATH subset of ProcessBench: Table 3 of arXiv 2412.06559, Table 7 of arXiv 2501.07301.
PUBLISHED_F1 = {
    "Math-Shepherd-PRM-7B": 29.5, "RLHFlow-PRM-Mistral-8B": 33.4, "RLHFlow-PRM-Deepseek-8B": 33.8,
    "Skywork-PRM-1.5B": 48.0, "Skywork-PRM-7B": 53.6, "Qwen2.5-Math-PRM-7B": 77.6, "Qwen2.5-Math-PRM-72B": 80.6,
}  # fmt: skip


def trained(zoo: Path = ZOO) -> dict[str, Path]:
    """Name -> folder of the models of the specs that are there, policies first, in the order of the specs."""
    places = {name: zoo / name for name in (*POLICIES, *PRMS)}
    return {name: folder for name, folder in places.items() if (folder / "training.json").is_file()}


def measured(zoo: Path = ZOO) -> dict[str, dict]:
    """Name -> measured.json of the models that have one.

    Raises ValueError if one of them was measured with other weights than those that lie there.
    """
    found = {}
    for name, folder in trained(zoo).items():
        if (folder / MEASURED).is_file():
            found[name] = json.loads((folder / MEASURED).read_text(encoding="utf-8"))
            if found[name]["revision"] != weights_hash(folder):
                raise ValueError(f"{name} has changed since it was measured: run python -m ttslib.nano.measure again.")
    return found


def models(zoo: Path = ZOO) -> pandas.DataFrame:
    """One row a spec: what it stands for in the paper, how it is built, its size and training; empty if not there."""
    rows = []
    for name, spec in (POLICIES | PRMS).items():
        row = {"model": name, "stands for": getattr(spec, "stands_for", "") or "–",
               "kind": "policy" if name in POLICIES else "PRM",
               "style or format": spec.style if name in POLICIES else spec.format}
        if folder := trained(zoo).get(name):
            network = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
            last = json.loads((folder / "training.json").read_text(encoding="utf-8"))["curve"][-1]
            amount = f"{last['tokens'] / 1e6:.1f} M tokens" if "tokens" in last else f"{last['solutions']:,} solutions"
            row |= {"architecture": network, "parameters": f"{parameters(folder) / 1e6:.2f} M", "trained on": amount,
                    "minutes": f"{last['seconds'] / 60:.0f}"}
        rows.append(row)
    return pandas.DataFrame(rows).fillna("").set_index("model")


def parameters(folder: Path) -> int:
    """Of all tensors of a model; a matrix that is embedding and output at once counts once."""
    return sum(tensors(folder).values())


def curves(zoo: Path = ZOO) -> pandas.DataFrame:
    """The learning curves: model, kind, amount (tokens of a policy, solutions of a PRM), loss, accuracy (of a PRM)."""
    rows = []
    for name, folder in trained(zoo).items():
        for point in json.loads((folder / "training.json").read_text(encoding="utf-8"))["curve"]:
            amount = point.get("tokens", point.get("solutions"))
            rows.append({"model": name, "kind": "policy" if name in POLICIES else "PRM", "amount": amount}
                        | {key: point.get(key) for key in ("loss", "accuracy", "seconds")})
    return pandas.DataFrame(rows)


def accuracies(zoo: Path = ZOO) -> pandas.DataFrame:
    """One row for each measured policy and quantity: model, style, parameters, quantity, value, low, high, n."""
    return _table([
        {"model": name, "style": POLICIES[name].style, "parameters": parameters(zoo / name), "quantity": quantity}
        | estimate
        for name, found in measured(zoo).items() if name in POLICIES
        for quantity, estimate in found["accuracy"].items()
    ], "policy", zoo)  # fmt: skip


def by_group(kind: str, zoo: Path = ZOO) -> pandas.DataFrame:
    """Mean pass@1 by "levels" or "subjects": a row for each, a column for each measured policy, in percent."""
    return pandas.DataFrame({
        name: {group: 100 * estimate["value"] for group, estimate in found[kind].items()}
        for name, found in measured(zoo).items() if name in POLICIES
    })  # fmt: skip


def prm_accuracies(zoo: Path = ZOO) -> pandas.DataFrame:
    """One row for each measured PRM, policy and quantity: prm, policy, quantity, value, low, high, n.

    Quantities: "AUC", the accuracies, "RULE minus majority" and "RULE minus likelihood".
    """
    rows = []
    for name, found in measured(zoo).items():
        if name not in PRMS:
            continue
        for policy, on in found["policies"].items():
            quantities = ({"AUC": on["auc"]} if on["auc"] else {}) | on["accuracy"]
            for other in ("majority", "likelihood"):
                quantities |= {f"{rule} minus {other}": gap for rule, gap in on[f"minus_{other}"].items()}
            rows += [{"prm": name, "policy": policy, "quantity": key} | each for key, each in quantities.items()]
    return _table(rows, "PRM", zoo)


def first_errors(zoo: Path = ZOO) -> pandas.DataFrame:
    """F1 of each measured PRM on NanoProcessBench, beside the published F1 of the PRM that it stands for."""
    rows = {}
    for name, found in measured(zoo).items():
        if name in PRMS and (bench := found["processbench"]):
            original = getattr(PRMS[name], "stands_for", "")
            rows[name] = {key: percent(bench[key]) for key in ("f1", "wrong", "right")} | {
                "stands for": original or "–", "published F1, MATH subset": PUBLISHED_F1.get(original, "–"),
            }
    return pandas.DataFrame.from_dict(rows, orient="index")


def calibration(policy: str, zoo: Path = ZOO) -> pandas.DataFrame:
    """Deciles of the scores of every measured PRM on one policy's steps: prm, score, steps, value, low, high, n."""
    return _table([
        {"prm": name} | each
        for name, found in measured(zoo).items() if name in PRMS and policy in found["policies"]
        for each in found["policies"][policy]["calibration"] or []
    ], f"PRM on {policy}", zoo)  # fmt: skip


def _table(rows: list[dict], what: str, zoo: Path) -> pandas.DataFrame:
    if not rows:
        raise ValueError(f"No {what} in {zoo} has been measured: run python -m ttslib.nano.measure on its folder.")
    return pandas.DataFrame(rows)


def shown(table: pandas.DataFrame, index: str | list[str], quantities: Sequence[str] | None = None) -> pandas.DataFrame:
    """A long table for reading: `index` names the rows, a column each quantity, "45.3 % [41.0, 49.5]" in the cells.

    Rows and columns keep their order; `quantities` chooses columns.
    """
    said = table.assign(said=[percent(row) for row in table.to_dict("records")])
    wide = said.pivot(index=index, columns="quantity", values="said")
    rows = list(dict.fromkeys(table.set_index(index).index))
    return wide.loc[rows, list(quantities or dict.fromkeys(table["quantity"]))].fillna("–")


def matrix(table: pandas.DataFrame, quantity: str) -> pandas.DataFrame:
    """One quantity of `prm_accuracies` in percent (or points): a row for each PRM, a column for each policy."""
    rows = table[table.quantity == quantity].dropna(subset="value")
    wide = rows.assign(value=100 * rows.value).pivot(index="prm", columns="policy", values="value")
    return wide.loc[list(dict.fromkeys(rows.prm)), list(dict.fromkeys(rows.policy))]


# -- problems and solutions ------------------------------------------------------------------------


def examples(level: int = 3) -> pandas.DataFrame:
    """The first problem of each subject and that level in NanoMATH-500, with the number of its steps."""
    found: dict[str, Worked] = {}
    for worked in nanomath():
        if worked.level == level:
            found.setdefault(worked.subject, worked)
    rows = [{"subject": each.subject, "problem": each.question, "answer": each.answer, "facts": len(each.facts)}
            for _, each in sorted(found.items())]  # fmt: skip
    return pandas.DataFrame(rows).set_index("subject")


def solutions(place: int = 0) -> dict[str, list[str]]:
    """Style -> steps of the worked solution of one problem of NanoMATH-500, the long chain of thought last.

    The chain has a slip that is noticed and mended, if the problem has an equation to slip in.
    """
    worked = nanomath()[place]
    tries = ([step for step, _ in thinking_steps(worked, random.Random(seed))] for seed in range(200))
    plain = [step for step, _ in thinking_steps(worked)]
    chain = next((steps for steps in tries if len(steps) == len(plain) + 2), plain)
    return {style: write(worked) for style, write in STYLES.items()} | {"thinking": chain}


def right_and_wrong(prm: PRM, policy: str, place: int = 0, seed: int = 0) -> pandas.DataFrame:
    """A PRM's scores of the worked solution of one problem, and of the same with a slip in the middle, step by step.

    Both are in the step style of `policy`; in the plain one of its family if it thinks.
    """
    worked, spec = nanomath()[place], POLICIES[policy]
    style = spec.style if spec.style in STYLES else spec.family
    slip, facts = len(worked.facts) // 2, list(worked.facts)
    facts[slip] = mistake(facts[slip], worked.question, random.Random(seed))
    changed = Worked(worked.subject, worked.level, worked.question, worked.answer, tuple(facts))
    problem = Problem(f"nanomath/{place:03d}", worked.question, worked.answer)
    right, wrong = STYLES[style](worked), STYLES[style](changed)
    paths = [Steps(problem, tuple(Step(step + SEPARATOR) for step in steps)) for steps in (right, wrong)]
    scores = loop.run(prm.score(paths))
    return pandas.DataFrame({"right solution": right, "its score": scores[0], "with a slip": wrong, "score": scores[1]})


def agreement(name: str, greedy: Results, zoo: Path = ZOO) -> pandas.Series:
    """A greedy run on the first problems of NanoMATH-500 beside what was measured with the shipped weights."""
    found = measured(zoo)[name]
    now, then = greedy.correct(), found["greedy_right"][: len(greedy)]
    both = [(str(int(new)), old) for new, old in zip(now, then, strict=False) if new is not None and old != "-"]
    return pandas.Series({
        "problems": len(greedy), "accuracy now": percent(vars(greedy.accuracy())),
        "shipped, same problems": f"{100 * np.mean([old == '1' for _, old in both]):.1f} %",
        f"shipped, {found['problems']} problems": percent(found["accuracy"]["greedy"]),
        "same verdict": f"{sum(new == old for new, old in both)} of {len(both)}",
    }, name=name)  # fmt: skip


# -- figures ---------------------------------------------------------------------------------------


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


def curve_figure(table: pandas.DataFrame) -> plots.Picture:
    """Loss of the policies against tokens, and accuracy of the PRMs on the deciding steps against solutions."""
    picture, (above, below) = plots.figure(8.6, 7.2, rows=2)
    styles = looks(dict.fromkeys(spec.style for spec in POLICIES.values()))
    count = dict.fromkeys(styles, 0)
    for name, rows in table[table.kind == "policy"].groupby("model", sort=False):
        style = POLICIES[name].style
        above.plot(rows.amount / 1e6, rows.loss.rolling(5, min_periods=1).mean(), color=styles[style][0],
                   linestyle=LINES[count[style] % len(LINES)], linewidth=1.4, label=name.removeprefix("nano-"))
        count[style] += 1
    colours = looks(list(PRMS))
    for name, rows in table[table.kind == "PRM"].groupby("model", sort=False):
        below.plot(rows.amount / 1e3, 100 * rows.accuracy.astype(float), color=colours[name][0], linewidth=1.2,
                   marker=colours[name][1], markersize=3.5, markevery=0.12, label=name.removeprefix("nano-prm-"))
    above.set(yscale="log", xlabel="Training tokens (millions)", ylabel="Loss (mean of 5 points)", title="Policies")
    below.set(xlabel="Solutions (thousands)", ylabel="Deciding steps judged right (%)", title="PRMs")
    for axes in (above, below):
        if axes.lines:
            plots.legend(axes)
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
    picture.supxlabel("Score of the step (%), mean of a decile", fontsize=10)
    picture.supylabel("Right steps (%)", fontsize=10)
    return picture
