"""Measuring nano models, their cards, and the zoo's tables and figures, on scripted models whose numbers are known.

Run: python -m pytest tests/test_nano_report.py
"""

import json
import math
import random
from dataclasses import replace

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from ttslib import plots
from ttslib.nano import measure, report, step_statistics
from ttslib.nano.benchmark import nanomath
from ttslib.nano.cards import card, percent, policy_weaknesses
from ttslib.nano.mistakes import mistake
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES, check_steps
from ttslib.policies import Step
from ttslib.usage import Usage

LIMIT, SAMPLES = 13, 20
CHECKED = [name for name, spec in POLICIES.items() if spec.style in STYLES][:2]
THINKING = next(name for name, spec in POLICIES.items() if spec.style not in STYLES)
JUDGES = list(PRMS)[:2]
WORKED = {worked.question: worked for worked in nanomath()}


class Slipping:
    """A policy that writes the worked solution, with a slip half of the time; it finds right ones likelier."""

    revision, separator, backend = "r1", SEPARATOR, "scripted"

    def __init__(self, name):
        spec = POLICIES[name]
        self.name, self.style, self.usage = name, spec.style if spec.style in STYLES else spec.family, Usage()

    async def sample(self, path, *, n, seed, temperature, stop=None, max_tokens=0, top_p=1.0):
        self.usage.add(tokens=7 * n, calls=1)
        return [self._solution(WORKED[path.problem.question], random.Random(seed + i)) for i in range(n)]

    def _solution(self, worked, rng):
        right = rng.random() < 0.5
        if not right:
            place, facts = rng.randrange(len(worked.facts)), list(worked.facts)
            facts[place] = mistake(facts[place], worked.question, rng)
            worked = replace(worked, facts=tuple(facts), answer=mistake(worked.answer, worked.question, rng))
        return Step(SEPARATOR.join(STYLES[self.style](worked)), (1,) * 7, "eos", -1.0 if right else -2.0)


class Judge:
    """A PRM that knows the worked solution: 0.9 for right steps, 0.1 for all others; or the reverse."""

    name, revision, backend = "judge", "r1", "scripted"

    def __init__(self, style, good=0.9):
        self.style, self.good, self.usage = style, good, Usage()

    async def score(self, paths):
        self.usage.add(tokens=len(paths), calls=1)
        return [self._scores([step.text.strip() for step in path.steps], path.problem.question) for path in paths]

    def _scores(self, steps, question):
        first = check_steps(steps, WORKED[question], self.style)
        return [self.good if first < 0 or depth < first else 1 - self.good for depth in range(len(steps))]


def folder(zoo, name, width=4):
    place = zoo / name
    place.mkdir(parents=True)
    (place / "config.json").write_text(json.dumps({"model_type": "llama"}))
    save_file({"model.embed_tokens.weight": np.full((10, width), len(name), np.float32)}, place / "model.safetensors")
    amount = "tokens" if name in POLICIES else "solutions"
    curve = [{amount: 1000 * i, "loss": 2 / i, "seconds": 60.0 * i, "accuracy": i / 20} for i in range(1, 11)]
    spec = vars((POLICIES | PRMS)[name])
    (place / "training.json").write_text(json.dumps({"spec": spec, "machine": "a test", "curve": curve}))
    return place


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Three policies, two PRMs that know their first policy's style, all measured, and one policy that is not."""
    zoo = tmp_path_factory.mktemp("zoo")
    places = {name: folder(zoo, name, 4 + at) for at, name in enumerate([*CHECKED, THINKING, *JUDGES])}
    folder(zoo, next(name for name in POLICIES if name not in places))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "load", lambda place: Slipping(place.name))
        patch.setattr(measure, "processbench_f1", lambda prm: None)
        for name, good in zip(JUDGES, (0.9, 0.1), strict=True):
            style = POLICIES[CHECKED[0]].style
            patch.setattr(measure, "load_prm", lambda *_, good=good, style=style, **__: Judge(style, good))
            policies = [places[CHECKED[0]], places[THINKING]]
            write(places[name], measure.measure_prm(places[name], policies, zoo / "store", LIMIT, SAMPLES))
        for name in (*CHECKED, THINKING):
            write(places[name], measure.measure_policy(places[name], zoo / "store", LIMIT, SAMPLES))
    return zoo


def write(place, found):
    (place / measure.MEASURED).write_text(json.dumps(found, allow_nan=False))


def test_a_policy_is_measured_in_numbers(zoo):
    found = report.measured(zoo)[CHECKED[0]]
    assert found["problems"] == LIMIT and found["samples"] == SAMPLES
    assert list(found["accuracy"]) == ["greedy", "mean pass@1", "majority@16", "pass@16", f"pass@{SAMPLES}"]
    for name in ("levels", "subjects"):
        total = sum(each["value"] * each["n"] for each in found[name].values())
        assert total / LIMIT == pytest.approx(found["accuracy"]["mean pass@1"]["value"], abs=1e-5)
        assert sum(each["n"] for each in found[name].values()) == LIMIT
    assert 0.3 < found["accuracy"]["mean pass@1"]["value"] < 0.7
    assert found["ends"]["boxed"]["value"] == 1 and found["tokens"]["value"] == 7
    assert found["greedy_right"].count("1") / LIMIT == pytest.approx(found["accuracy"]["greedy"]["value"], abs=1e-5)


def test_a_prm_that_knows_all_is_perfect_and_its_reverse_is_not(zoo):
    good, bad = (report.measured(zoo)[name]["policies"][CHECKED[0]] for name in JUDGES)
    assert good["auc"]["value"] == 1 and bad["auc"]["value"] == 0
    assert good["accuracy"]["BoN@16 (prm_last_max)"] == good["accuracy"]["pass@16"]
    assert bad["accuracy"]["BoN@16 (prm_min_max)"]["value"] < good["accuracy"]["majority@16"]["value"]
    assert good["accuracy"]["likelihood@16"] == good["accuracy"]["pass@16"]
    gap = good["accuracy"]["BoN@16 (prm_last_max)"]["value"] - good["accuracy"]["majority@16"]["value"]
    assert good["minus_majority"]["prm_last_max"]["value"] == pytest.approx(gap, abs=1e-5)
    assert good["minus_likelihood"]["prm_last_max"]["value"] == 0
    assert [(each["score"], each["value"]) for each in good["calibration"]] == [(0.1, 0), (0.9, 1)]
    thinking = report.measured(zoo)[JUDGES[0]]["policies"][THINKING]
    assert thinking["auc"] is None and thinking["calibration"] is None and thinking["accuracy"]["pass@16"]["n"] == LIMIT


scores = st.lists(st.floats(0, 1), min_size=1, max_size=5)
known = st.lists(
    st.lists(scores.flatmap(lambda s: st.tuples(st.just(tuple(map(str, range(len(s))))), st.just(s),
                                                st.integers(-1, len(s) - 1))), max_size=4),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(deadline=None)  # a bootstrap in each example, beside whatever else the machine does
@given(known)
def test_auc_turns_round_with_the_scores(known):
    turned = [[(steps, [-score for score in s], first) for steps, s, first in samples] for samples in known]
    found, other = step_statistics.auc_within(known), step_statistics.auc_within(turned)
    assert math.isnan(found.value) and math.isnan(other.value) or found.value + other.value == pytest.approx(1)
    assert math.isnan(found.value) or found.low - 1e-9 <= found.value <= found.high + 1e-9


@settings(deadline=None)
@given(known)
def test_calibration_counts_every_step_once(known):
    bins = step_statistics.calibration(known)
    steps = [(score, first < 0 or at < first) for samples in known for _, s, first in samples
             for at, score in enumerate(s)]  # fmt: skip
    assert len(bins) <= step_statistics.BINS and sum(each["steps"] for each in bins) == len(steps)
    right = sum(each["steps"] * each["value"] for each in bins)
    assert right == pytest.approx(sum(each for _, each in steps), abs=1e-3)
    assert [each["score"] for each in bins] == sorted(each["score"] for each in bins)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda p: (min(p), max(p))), max_size=20))
def test_a_ratio_lies_in_its_interval(parts):
    found = step_statistics.ratio(parts)
    assert found.n == sum(bool(below) for _, below in parts)
    if found.n:
        assert found.value == pytest.approx(sum(a for a, _ in parts) / sum(b for _, b in parts))
        assert 0 <= found.low <= found.value + 1e-9 and found.value <= found.high + 1e-9 <= 1 + 2e-9


def test_cards_say_what_was_measured_and_what_is_weak(zoo):
    def of(name):
        parts = (json.loads((zoo / name / f"{part}.json").read_text()) for part in ("training", "measured"))
        return card(*parts)

    mean = report.measured(zoo)[CHECKED[0]]["accuracy"]["mean pass@1"]
    assert f"| mean pass@1 | {percent(mean)} |" in of(CHECKED[0]) and "10,000" in of(CHECKED[0])
    assert "NanoMATH" in of(CHECKED[0])
    assert "AUC 0.00" in of(JUDGES[1]) and "AUC 0" not in of(JUDGES[0])
    assert f"{THINKING}: steps cannot be checked" in of(JUDGES[0])
    assert percent(None) == "–" and percent({"value": 0.5, "low": 0.25, "high": 1.0}) == "50.0 % [25.0, 100.0]"


def test_weaknesses_are_read_off_the_numbers():
    def about(value):
        return {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 100}

    fine = {
        "accuracy": {"mean pass@1": about(0.5), "pass@16": about(0.8), "pass@64": about(0.9)},
        "levels": {"1": about(0.5), "5": about(0.5)}, "subjects": {"sets": about(0.5)}, "ends": {"length": about(0)},
    }  # fmt: skip
    weak = {
        "accuracy": {"mean pass@1": about(0.88), "pass@16": about(0.9), "pass@64": about(0.91)},
        "levels": {"1": about(0.9), "5": about(0.7)}, "subjects": {"sets": about(0.5), "units": about(0.9)},
        "ends": {"length": about(0.1)},
    }  # fmt: skip
    assert list(policy_weaknesses(fine)) == []
    found = list(policy_weaknesses(weak))
    assert len(found) == 4 and found[0].endswith("in sets") and found[3].startswith("pass@64")


def test_tables_have_every_spec_and_every_measured_model(zoo):
    models = report.models(zoo)
    assert list(models.index) == [*POLICIES, *PRMS]
    assert models.loc[CHECKED[1], "minutes"] == "10" and models.loc[list(PRMS)[-1], "minutes"] == ""
    table = report.accuracies(zoo)
    assert set(table.model) == {*CHECKED, THINKING} and len(table) == 3 * 5
    assert table.parameters.tolist()[:5] == [40] * 5
    wide = report.shown(table, "model", ["greedy", "pass@16"])
    assert list(wide.columns) == ["greedy", "pass@16"] and set(wide.index) == {*CHECKED, THINKING}
    assert report.by_group("subjects", zoo).shape == (len({w.subject for w in nanomath()[:LIMIT]}), 3)
    prms = report.prm_accuracies(zoo)
    assert report.matrix(prms, "AUC").to_dict() == {CHECKED[0]: {JUDGES[0]: 100.0, JUDGES[1]: 0.0}}
    assert set(report.calibration(CHECKED[0], zoo).prm) == set(JUDGES)
    assert report.first_errors(zoo).empty


def test_figures_are_drawn_and_say_where_they_come_from(zoo, tmp_path):
    curves, table, bins = report.curves(zoo), report.accuracies(zoo), report.calibration(CHECKED[0], zoo)
    trained, origin = report.training_origin("smoke", zoo), report.origin("smoke", table.model, zoo)
    quantities = ["greedy", "mean pass@1", "majority@16", "pass@16"]
    for name, picture, data, about in (
        ("curves", report.curve_figure(curves), curves, trained),
        ("sizes", report.size_figure(table, quantities), table, origin),
        ("calibration", report.calibration_figure(bins), bins, report.origin("smoke", bins.prm, zoo)),
    ):
        assert len(plots.save(picture, tmp_path, name, data, about)) == 4
    assert trained["trained"] == {"tokens": 4 * 10_000, "solutions": 2 * 10_000}
    # Greedy and samples: SAMPLES + 1 solutions of 7 tokens a problem and policy.
    assert origin["tokens"]["policy"] == 3 * LIMIT * (SAMPLES + 1) * 7 and origin["failed"] == 0


def test_every_policy_of_the_specs_has_a_line_of_its_own():
    points = [{"model": name, "kind": "policy", "amount": amount, "loss": 1 / amount, "accuracy": None}
              for name in POLICIES for amount in (1, 2, 3)]  # fmt: skip
    above = report.curve_figure(pandas.DataFrame(points)).axes[0]
    assert {text.get_text() for text in above.get_legend().get_texts()} == {name[5:] for name in POLICIES}
    assert len(set(report.figures.LINES)) == len(report.figures.LINES)


def test_a_greedy_run_is_held_against_the_shipped_verdicts(zoo, tmp_path):
    problems = measure.load_problems("nanomath", limit=LIMIT - 3)
    greedy = measure.solve(problems, Slipping(CHECKED[0]), None, method="cot", store=tmp_path)
    found = report.agreement(CHECKED[0], greedy, zoo)
    assert found["same verdict"] == f"{LIMIT - 3} of {LIMIT - 3}" and found["problems"] == LIMIT - 3


def test_a_run_is_held_against_the_greedy_verdicts_of_larger_policies(zoo, tmp_path):
    problems = measure.load_problems("nanomath", limit=LIMIT - 3)
    run = measure.solve(problems, Slipping(CHECKED[0]), None, method="best_of_n", n=4, store=tmp_path)
    table = report.against_larger(run, CHECKED[0], "majority_vote", times=1.2, zoo=zoo)
    assert list(table.index) == [CHECKED[1], THINKING] and list(table["times larger"]) == [1.2, 1.5]
    theirs = report.measured(zoo)[CHECKED[1]]["greedy_right"][: LIMIT - 3].count("1") / (LIMIT - 3)
    assert table.loc[CHECKED[1], "its greedy"].startswith(f"{100 * theirs:.1f} %")
    gap = 100 * (run.accuracy().value - theirs)
    assert table.loc[CHECKED[1], "difference"].startswith(f"{gap:.1f} [")
    assert report.against_larger(run, CHECKED[0], "majority_vote", zoo=zoo).empty


def test_a_slip_shows_in_the_scores_from_where_it_is():
    table = report.right_and_wrong(Judge(POLICIES[CHECKED[0]].style), CHECKED[0], place=22)
    slip = list(table["right solution"] == table["with a slip"]).index(False)
    assert set(table["its score"]) == {0.9} and list(table["score"]) == [0.9] * slip + [pytest.approx(0.1)] * (
        len(table) - slip
    )


def test_examples_show_every_subject_and_every_style():
    assert set(report.examples().index) == {worked.subject for worked in nanomath()}
    shown = report.solutions(place=22)
    assert set(shown) == {*STYLES, "thinking"} and any(step.startswith("Wait") for step in shown["thinking"])


def test_weights_that_were_not_measured_are_refused(zoo, tmp_path):
    place = folder(tmp_path, CHECKED[0], 9)
    with pytest.raises(ValueError, match="No policy .* has been measured"):
        report.accuracies(tmp_path)
    (place / measure.MEASURED).write_text((zoo / CHECKED[0] / measure.MEASURED).read_text())
    with pytest.raises(ValueError, match="has changed since it was measured"):
        report.measured(tmp_path)
