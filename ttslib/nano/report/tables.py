"""The zoo's models, their training and what was measured of them, as tables.

`zoo` is the folder that holds the models' folders; a model that is not there is left out. Columns value, low and high
lie in [0, 1].
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas

from ttslib import stats
from ttslib.checkpoint import tensors
from ttslib.nano.cards import percent
from ttslib.nano.measure import MEASURED
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.paper.published import MATH_F1
from ttslib.results import Results
from ttslib.zoo import ZOO, weights_hash


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
                "stands for": original or "–", "published F1, MATH subset": MATH_F1.get(original, "–"),
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


def against_larger(run: Results, name: str, vote: str, times: float = 10, zoo: Path = ZOO) -> pandas.DataFrame:
    """A run of the policy `name` on the first problems of NanoMATH-500 beside policies at least `times` as large.

    One row for each that is measured: how many times larger it is, its greedy accuracy and the run's by the rule `vote`
    on the same problems, and their paired difference in points (positive: the run is better).
    """
    size, rows = parameters(zoo / name), {}
    for other, found in measured(zoo).items():
        larger = parameters(zoo / other) / size
        if other not in POLICIES or larger < times:
            continue
        theirs = [None if digit == "-" else float(digit) for digit in found["greedy_right"][: len(run)]]
        rows[other] = {
            "times larger": round(larger, 1), "problems": len(run),
            "its greedy": percent(vars(stats.accuracy(theirs))), name: percent(vars(run.accuracy(vote))),
            "difference": percent(vars(stats.paired_difference(run.correct(vote), theirs)), ""),
        }
    return pandas.DataFrame.from_dict(rows, orient="index")
