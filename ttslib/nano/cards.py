"""The model card of a nano model, written from its training.json and measured.json.

    python -m ttslib.nano.cards runs/zoo/nano-qwen-3m          # writes README.md beside the weights
"""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

SATURATED, MANY_CUT, BLIND, OFF = 0.05, 0.02, 0.7, 0.15


def card(training: dict, measured: dict) -> str:
    """Markdown: what the model is and stands for, its training, what was measured, weaknesses, intended use.

    A "note" in `measured` says of numbers that were not measured as `ttslib.nano.measure` does it how they came to be.
    """
    spec = training["spec"]
    policy = "style" in spec
    body = _policy_tables(measured) if policy else _prm_tables(measured)
    found = list(policy_weaknesses(measured) if policy else prm_weaknesses(spec, measured))
    weak = [f"- {each}" for each in found or ["None that these numbers show."]]
    boot = "that of tokens" if policy else "those of AUC and calibration"
    note = [measured["note"]] if "note" in measured else []
    return "\n".join([
        f"# {spec['name']}", "", *_what(spec), "", "## Training", "", *_training(training), "",
        f"## Measured on the first {measured['problems']} problems of NanoMATH-500", "",
        f"95 % intervals over problems, {boot} by bootstrap; T = 0.7, and 0 for greedy.", *note, "", *body, "",
        "## Known weaknesses", "", "Read off the numbers above by a fixed rule.", "", *weak, "",
        "## Intended use", "",
        "The study of test-time scaling on NanoMATH and NanoAIME, on machines that hold no larger model. It knows no "
        "other problems, and no language beyond their solutions.",
    ]) + "\n"  # fmt: skip


def percent(estimate: dict | None, unit: str = " %") -> str:
    """"45.3 % [41.0, 49.5]"; a dash where nothing was measured."""
    if not estimate or estimate["value"] is None or math.isnan(estimate["value"]):
        return "–"
    value, low, high = (100 * estimate[key] for key in ("value", "low", "high"))
    return f"{value:.1f}{unit} [{low:.1f}, {high:.1f}]"


def policy_weaknesses(measured: dict) -> Iterator[str]:
    """Subjects clearly below the mean, hard levels, solutions that never end, no room for test-time scaling."""
    accuracy, levels = measured["accuracy"], list(measured["levels"].values())
    mean = accuracy["mean pass@1"]
    weak = [name for name, each in measured["subjects"].items() if each["n"] > 1 and each["high"] < mean["low"]]
    if weak:
        yield f"mean pass@1 is clearly below its mean in {', '.join(weak)}"
    if levels[-1]["high"] < levels[0]["low"]:
        yield f"from the easiest to the hardest level mean pass@1 falls: {percent(levels[0])} to {percent(levels[-1])}"
    if (cut := measured["ends"]["length"])["value"] > MANY_CUT:
        yield f"{percent(cut)} of the samples run into the token limit without an answer"
    best = max(accuracy, key=lambda name: int(name[5:]) if name.startswith("pass@") else 0)
    if accuracy[best]["value"] - mean["value"] < SATURATED:
        yield f"{best} is hardly above mean pass@1, so choosing among its samples can gain little"


def prm_weaknesses(spec: dict, measured: dict) -> Iterator[str]:
    """Policies on which it does not beat majority voting or the likelihood, is blind, or is badly calibrated."""
    for name, found in measured["policies"].items():
        best = max(found["minus_majority"], key=lambda rule: found["minus_majority"][rule]["value"])
        for other in ("majority", "likelihood"):
            gap = found[f"minus_{other}"][best]
            if gap["low"] <= 0:
                verdict = "falls below" if gap["high"] < 0 else "is not clearly above"
                yield f"{name}: BoN ({best}) {verdict} {other}, difference {percent(gap, '')} points"
        if found["auc"] and found["auc"]["value"] is not None and found["auc"]["value"] < BLIND:
            yield f"{name}: it hardly tells a first wrong step from a right one (AUC {found['auc']['value']:.2f})"
        worst = max(found["calibration"] or [], key=lambda each: abs(each["score"] - each["value"]), default=None)
        if worst and abs(worst["score"] - worst["value"]) > OFF:
            yield f"{name}: of steps scored about {worst['score']:.2f}, {percent(worst)} are right"
    strange = [name for name, found in measured["policies"].items() if not found["calibration"]]
    if strange:
        yield f"{', '.join(strange)}: steps cannot be checked, so only the answers were"


def _what(spec: dict) -> Iterator[str]:
    if "style" in spec:
        yield (f"A {spec['family']}-architecture policy with `{spec['style']}` steps, trained from scratch on "
               "generated NanoMATH problems.")
    else:
        start = spec.get("checker") or spec.get("base")
        yield f"A process reward model in the `{spec['format']}` input format, started from the network of {start}."
    if stands_for := spec.get("stands_for"):
        yield f"In this package it stands for {stands_for}."


def _training(training: dict) -> Iterator[str]:
    spec, last = training["spec"], training["curve"][-1]
    if "style" in spec:
        yield "- data: problems of the training split as they are generated, each with its one worked solution"
        yield f"- tokens: {last['tokens']:,}, questions included"
    else:
        sampled = f" and on solutions sampled from {' and '.join(spec['rollouts'])}" if spec["rollouts"] else ""
        yield f"- data: step labels on slips made on purpose{sampled}"
        yield f"- labels of sampled solutions: {spec.get('labels', 'exact').replace('_', ' ')}"
        yield f"- solutions: {last['solutions']:,}"
    yield f"- time: {last['seconds'] / 60:.0f} min ({training['machine']})"
    yield f"- loss: {training['curve'][0]['loss']} at the start, {last['loss']} at the end"
    left_out = {"name", "stands_for", "tokens", "solutions", "rollouts", "styles", "labels", "base", "checker", "style",
                "format"}  # fmt: skip
    yield "- " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in spec.items() if key not in left_out)
    yield "- the test split, from which NanoMATH-500 and NanoAIME-30 come, is in none of it"


def _policy_tables(measured: dict) -> Iterator[str]:
    yield from _rows("accuracy", measured["accuracy"])
    ends, tokens = measured["ends"], measured["tokens"]
    yield f"| solutions that end in a box | {percent(ends['boxed'])} |"
    yield f"| tokens a solution | {tokens['value']:.1f} [{tokens['low']:.1f}, {tokens['high']:.1f}] |"
    for name in ("levels", "subjects"):
        yield ""
        yield from _rows(f"mean pass@1 by {name[:-1]}", measured[name])


def _rows(title: str, found: dict[str, dict]) -> Iterator[str]:
    yield f"| {title} | |"
    yield "|---|---|"
    yield from (f"| {name} | {percent(each)} |" for name, each in found.items())


def _prm_tables(measured: dict) -> Iterator[str]:
    policies = measured["policies"]
    yield "| | " + " | ".join(policies) + " |"
    yield "|---" * (len(policies) + 1) + "|"
    columns = [
        {"AUC at the first wrong step, in 100": percent(found["auc"], "")}
        | {name: percent(each) for name, each in found["accuracy"].items()}
        | {f"BoN ({rule}) minus majority, points": percent(gap, "") for rule, gap in found["minus_majority"].items()}
        for found in policies.values()
    ]  # fmt: skip
    for row in columns[0]:
        yield f"| {row} | " + " | ".join(column[row] for column in columns) + " |"
    yield ""
    yield ("The AUC compares a first wrong step with right steps of the same problem and depth. Likelihood takes the "
           "sample with the greatest sum of log-probabilities under the policy itself.")
    if bench := measured.get("processbench"):
        yield ""
        yield (f"NanoProcessBench: F1 {percent(bench['f1'])}. Of the wrong solutions the first wrong step is found in "
               f"{percent(bench['wrong'])}, of the right ones none in {percent(bench['right'])}.")


if __name__ == "__main__":
    for place in map(Path, sys.argv[1:]):
        parts = (json.loads((place / f"{name}.json").read_text(encoding="utf-8")) for name in ("training", "measured"))
        (place / "README.md").write_text(card(*parts), encoding="utf-8")
