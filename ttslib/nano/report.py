"""The zoo's models, their training and what was measured of them, as tidy frames; and worked solutions to look at.

Frames are read from the specs, and from training.json and measured.json beside the weights. `zoo` is the folder that
holds the models' folders; a model that is not there is left out. Columns value, low, high and n are those of an
`Estimate`, in [0, 1].
"""

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pandas

from ttslib.checkpoint import tensors
from ttslib.nano.benchmark import nanomath
from ttslib.nano.mistakes import mistake
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.nano.subjects import Worked
from ttslib.nano.thinking import thinking_steps
from ttslib.nano.zoo import MEASURED, TRAINED
from ttslib.paper.published import MATH_F1
from ttslib.problems import Problem, load_problems
from ttslib.zoo import ZOO, weights_hash


def trained(zoo: Path = ZOO) -> dict[str, Path]:
    """Name -> folder of the models of the specs that are there, policies first, in the order of the specs."""
    places = {name: zoo / name for name in (*POLICIES, *PRMS)}
    return {name: folder for name, folder in places.items() if (folder / TRAINED).is_file()}


def measured(zoo: Path = ZOO) -> dict[str, dict]:
    """Name -> measured.json of the models that have one.

    Raises ValueError if one of them was measured with other weights than those that lie there.
    """
    found = {}
    for name, folder in trained(zoo).items():
        if (folder / MEASURED).is_file():
            found[name] = _json(folder / MEASURED)
            if found[name]["revision"] != weights_hash(folder):
                raise ValueError(f"{name} has changed since it was measured: run python -m ttslib.nano.measure again.")
    return found


def models(zoo: Path = ZOO) -> pandas.DataFrame:
    """One row a spec: model, stands for, kind, form (step style of a policy, format of a PRM); and of those that are
    there: architecture, parameters, amount (tokens that a policy was trained on, solutions of a PRM), minutes.

    A matrix that is embedding and output at once counts once.
    """
    rows = []
    for name, spec in (POLICIES | PRMS).items():
        kind, form = ("policy", "style") if name in POLICIES else ("PRM", "format")
        row = {"model": name, "stands for": spec.stands_for, "kind": kind, "form": getattr(spec, form)}
        if folder := trained(zoo).get(name):
            last = _json(folder / TRAINED)["curve"][-1]
            row |= {"architecture": _json(folder / "config.json")["model_type"],
                    "parameters": sum(tensors(folder).values()), "amount": _amount(last),
                    "minutes": last["seconds"] / 60}  # fmt: skip
        rows.append(row)
    return pandas.DataFrame(rows)


def curves(zoo: Path = ZOO) -> pandas.DataFrame:
    """The learning curves: model, kind, amount as in `models`, loss, accuracy (of a PRM), seconds."""
    return pandas.DataFrame([
        {"model": name, "kind": "policy" if name in POLICIES else "PRM", "amount": _amount(point)}
        | {key: point.get(key) for key in ("loss", "accuracy", "seconds")}
        for name, folder in trained(zoo).items() for point in _json(folder / TRAINED)["curve"]
    ])  # fmt: skip


def accuracies(zoo: Path = ZOO) -> pandas.DataFrame:
    """One row for each measured policy and quantity: model, style, parameters, quantity, value, low, high, n."""
    return _table([
        {"model": name, "style": POLICIES[name].style, "parameters": sum(tensors(zoo / name).values()),
         "quantity": quantity} | estimate
        for name, found in measured(zoo).items() if name in POLICIES
        for quantity, estimate in found["accuracy"].items()
    ], "policy", zoo)  # fmt: skip


def subgroups(zoo: Path = ZOO) -> pandas.DataFrame:
    """Mean pass@1 of each measured policy by level and by subject: model, by ("level", "subject"), group, value ..."""
    return _table([
        {"model": name, "by": by, "group": group} | estimate
        for name, found in measured(zoo).items() if name in POLICIES
        for by in ("level", "subject") for group, estimate in found[f"{by}s"].items()
    ], "policy", zoo)  # fmt: skip


def verdicts(zoo: Path = ZOO) -> pandas.DataFrame:
    """How each measured policy did greedily on each problem, in the columns of a frame of results (see `frames`):
    policy, method, N, seed, benchmark, problem, vote, right, failed, undecided."""
    problems = [problem.id for problem in load_problems("nanomath")]
    one = {"method": "cot", "N": 1, "seed": 0, "benchmark": ""}
    return _table([
        {"policy": name, **one, "problem": problem, "vote": "majority_vote",
         "right": None if digit == "-" else float(digit), "failed": False, "undecided": digit == "-"}
        for name, found in measured(zoo).items() if name in POLICIES
        for problem, digit in zip(problems, found["greedy_right"], strict=False)  # fewer, if fewer were measured
    ], "policy", zoo)  # fmt: skip


def prm_accuracies(zoo: Path = ZOO) -> pandas.DataFrame:
    """One row for each measured PRM, policy and quantity: prm, policy, quantity, value, low, high, n.

    Quantities: "AUC", the accuracies, "RULE minus majority" and "RULE minus likelihood".
    """
    rows = []
    for name, found in measured(zoo).items():
        for policy, on in found["policies"].items() if name in PRMS else ():
            quantities = ({"AUC": on["auc"]} if on["auc"] else {}) | on["accuracy"]
            for other in ("majority", "likelihood"):
                quantities |= {f"{rule} minus {other}": gap for rule, gap in on[f"minus_{other}"].items()}
            rows += [{"prm": name, "policy": policy, "quantity": key} | each for key, each in quantities.items()]
    return _table(rows, "PRM", zoo)


def first_errors(zoo: Path = ZOO) -> pandas.DataFrame:
    """Of each measured PRM on NanoProcessBench: prm, stands for, published (F1 in percent of that one on the MATH
    subset), quantity ("f1", or accuracy on solutions that are "wrong" or "right"), value, low, high, n.
    """
    return _table([
        {"prm": name, "stands for": PRMS[name].stands_for, "published": MATH_F1.get(PRMS[name].stands_for),
         "quantity": quantity} | found["processbench"][quantity]
        for name, found in measured(zoo).items() if name in PRMS
        for quantity in ("f1", "wrong", "right")
    ], "PRM", zoo)  # fmt: skip


def calibration(zoo: Path = ZOO) -> pandas.DataFrame:
    """Deciles of the scores of each measured PRM on the steps of each policy: prm, policy, score, steps, value, low,
    high, n."""
    return _table([
        {"prm": name, "policy": policy} | each
        for name, found in measured(zoo).items() if name in PRMS
        for policy, on in found["policies"].items() for each in on["calibration"] or []
    ], "PRM", zoo)  # fmt: skip


def solutions(place: int = 0) -> dict[str, list[str]]:
    """Style -> steps of the worked solution of one problem of NanoMATH-500, the long chain of thought last.

    The chain has a slip that is noticed and mended, if the problem has an equation to slip in.
    """
    worked = nanomath()[place]
    tries = ([step for step, _ in thinking_steps(worked, random.Random(seed))] for seed in range(200))
    plain = [step for step, _ in thinking_steps(worked)]
    chain = next((steps for steps in tries if len(steps) == len(plain) + 2), plain)
    return {style: write(worked) for style, write in STYLES.items()} | {"thinking": chain}


def right_and_wrong(policy: str, place: int = 0, seed: int = 0) -> tuple[Problem, Problem]:
    """One problem of NanoMATH-500 with its worked solution, and with the same and a slip in the middle, for the method
    "read".

    Both are in the step style of `policy`; in the plain one of its family if it thinks.
    """
    worked, spec = nanomath()[place], POLICIES[policy]
    style = spec.style if spec.style in STYLES else spec.family
    slip, facts = len(worked.facts) // 2, list(worked.facts)
    facts[slip] = mistake(facts[slip], worked.question, random.Random(seed))
    changed = Worked(worked.subject, worked.level, worked.question, worked.answer, tuple(facts))

    def given(name: str, steps: Iterable[str]) -> Problem:
        return Problem(f"nanomath/{place:03d}/{name}", worked.question, worked.answer, worked.subject, worked.level,
                       tuple(step + SEPARATOR for step in steps))  # fmt: skip

    return given("right", STYLES[style](worked)), given("slip", STYLES[style](changed))


def _json(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8"))


def _amount(point: dict) -> int:
    return point.get("tokens", point.get("solutions"))


def _table(rows: list[dict], what: str, zoo: Path) -> pandas.DataFrame:
    if not rows:
        raise ValueError(f"No {what} in {zoo} has been measured: run python -m ttslib.nano.measure on its folder.")
    return pandas.DataFrame(rows)
