"""Measuring nano models, their cards, and the zoo's tables and figures, on scripted models whose numbers are known.

Run: python -m pytest tests/test_nano_report.py
"""

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import ttslib as tts
from ttslib import plots, stats
from ttslib.executors import LocalExecutor
from ttslib.nano import figures, measure, report, step_statistics
from ttslib.nano.benchmark import nanomath
from ttslib.nano.cards import card, percent, policy_weaknesses
from ttslib.nano.mistakes import mistake
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES, check_steps
from ttslib.nano.zoo import MEASURED
from ttslib.paper.published import MATH_F1
from ttslib.policies import Policy, Step
from ttslib.prms.base import PRM, Unread
from ttslib.processbench import LabelledSolution, load_processbench
from ttslib.zoo import weights_hash

LIMIT, SAMPLES = 13, 20
CHECKED = [name for name, spec in POLICIES.items() if spec.style in STYLES][:2]
THINKING = next(name for name, spec in POLICIES.items() if spec.style not in STYLES)
JUDGES = list(PRMS)[:2]
pytestmark = pytest.mark.filterwarnings("ignore:FLOPs are unknown")  # scripted policies tell no prompt
WORKED = {worked.question: worked for worked in nanomath()}


class Slipping(Policy):
    """A policy that writes the worked solution, with a slip half of the time; it finds right ones likelier."""

    revision, separator, backend = "r1", SEPARATOR, "scripted"

    def __init__(self, name):
        spec = POLICIES[name]
        self.name, self.style = name, spec.style if spec.style in STYLES else spec.family

    async def _sample(self, path, draw):
        self.usage.add(tokens=7 * draw.n, calls=1)
        return [self._solution(WORKED[path.problem.question], random.Random(draw.seed + i)) for i in range(draw.n)]

    def _solution(self, worked, rng):
        right = rng.random() < 0.5
        if not right:
            place, facts = rng.randrange(len(worked.facts)), list(worked.facts)
            facts[place] = mistake(facts[place], worked.question, rng)
            worked = replace(worked, facts=tuple(facts), answer=mistake(worked.answer, worked.question, rng))
        return Step(SEPARATOR.join(STYLES[self.style](worked)), (1,) * 7, "eos", -1.0 if right else -2.0)


class Judge(PRM):
    """A PRM that knows the worked solution: 0.9 for right steps, 0.1 for all others; or the reverse."""

    name, revision, backend = "judge", "r1", "scripted"

    def __init__(self, style, good=0.9):
        self.style, self.good = style, good

    async def score(self, paths):
        self.usage.add(tokens=len(paths), calls=1)
        return [self._scores([step.text.strip() for step in path.steps], path.problem.question) for path in paths]

    def _scores(self, steps, question):
        first = check_steps(steps, WORKED[question], self.style)
        return [self.good if first < 0 or depth < first else 1 - self.good for depth in range(len(steps))]


class Scripted(LocalExecutor):
    """In place of the models in the folders: policies that slip, PRMs that know their first policy's style."""

    def load_policy(self, name, **options):
        return Slipping(Path(name).name)

    def load_prm(self, name, **options):
        good = dict(zip(JUDGES, (0.9, 0.1), strict=True))
        return Judge(POLICIES[CHECKED[0]].style, good[Path(name).name])


def folder(zoo, name, width=4):
    place = zoo / name
    place.mkdir(parents=True)
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": width,
              "num_hidden_layers": 1, "num_attention_heads": 1}  # fmt: skip
    config |= {"prm_format": PRMS[name].format} if name in PRMS else {}
    (place / "config.json").write_text(json.dumps(config))
    save_file({"model.embed_tokens.weight": np.full((10, width), len(name), np.float32)}, place / "model.safetensors")
    amount = "tokens" if name in POLICIES else "solutions"
    curve = [{amount: 1000 * i, "loss": 2 / i, "seconds": 60.0 * i, "accuracy": i / 20} for i in range(1, 11)]
    spec = vars((POLICIES | PRMS)[name])
    (place / "training.json").write_text(json.dumps({"spec": spec, "machine": "a test", "curve": curve}))
    return place


def labelled():
    """Worked solutions in the style that the judges know, and the same with a slip."""
    for place in range(8):
        pair = report.right_and_wrong(CHECKED[0], place)
        slip = [a == b for a, b in zip(*(each.steps for each in pair), strict=True)].index(False)
        for each, label in zip(pair, (-1, slip), strict=True):
            yield LabelledSolution(each.id, each.question, each.steps, label)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Three policies, two PRMs that know their first policy's style, all measured, and one policy that is not."""
    zoo = tmp_path_factory.mktemp("zoo")
    places = {name: folder(zoo, name, 4 + at) for at, name in enumerate([*CHECKED, THINKING, *JUDGES])}
    folder(zoo, next(name for name in POLICIES if name not in places))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "load_processbench", lambda name: list(labelled()))
        for name in JUDGES:
            policies = [places[CHECKED[0]], places[THINKING]]
            write(places[name], measure.measure_prm(places[name], policies, zoo / "store", LIMIT, Scripted()))
    for name in (*CHECKED, THINKING):
        write(places[name], measure.measure_policy(places[name], zoo / "store", LIMIT, SAMPLES, Scripted()))
    return zoo


def write(place, found):
    (place / MEASURED).write_text(json.dumps(found, allow_nan=False))


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
    first, other = (report.measured(zoo)[name]["processbench"] for name in JUDGES)
    assert first["f1"]["value"] == first["right"]["value"] == 1 and first["threshold"] == 0.5
    assert other["f1"]["value"] == 0 and "left_out" not in first
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


def test_frames_have_every_spec_and_every_measured_model(zoo):
    models = report.models(zoo).set_index("model")
    assert list(models.index) == [*POLICIES, *PRMS]
    assert models.minutes[CHECKED[1]] == 10 and np.isnan(models.minutes[list(PRMS)[-1]])
    assert models.amount[CHECKED[1]] == models.amount[JUDGES[0]] == 10_000 and models.parameters[CHECKED[0]] == 40
    table = report.accuracies(zoo)
    assert set(table.model) == {*CHECKED, THINKING} and len(table) == 3 * 5
    assert table.parameters.tolist()[:5] == [40] * 5
    groups = report.subgroups(zoo)
    groups = groups[groups.model == CHECKED[0]].groupby("by").group.agg(set)
    assert groups["subject"] == {w.subject for w in nanomath()[:LIMIT]}
    assert groups["level"] == {str(w.level) for w in nanomath()[:LIMIT]}
    prms = report.prm_accuracies(zoo)
    auc = prms[prms.quantity == "AUC"]
    assert list(zip(auc.prm, auc.policy, auc.value, strict=True)) == [
        (JUDGES[0], CHECKED[0], 1.0), (JUDGES[1], CHECKED[0], 0.0)
    ]  # fmt: skip
    bins = report.calibration(zoo)
    assert set(bins.prm) == set(JUDGES) and set(bins.policy) == {CHECKED[0]}
    first = report.first_errors(zoo)
    assert list(first.prm) == [name for name in JUDGES for _ in range(3)] and first.value[:3].tolist() == [1.0] * 3
    assert first.published[0] == MATH_F1[PRMS[JUDGES[0]].stands_for]


def test_figures_are_drawn_and_say_where_they_come_from(zoo, tmp_path):
    curves, table, bins = report.curves(zoo), report.accuracies(zoo), report.calibration(zoo)
    trained, origin = figures.training_origin("smoke", zoo), figures.origin("smoke", table.model, zoo)
    quantities = ["greedy", "mean pass@1", "majority@16", "pass@16"]
    for name, picture, data, about in (
        ("curves", figures.curve_figure(curves), curves, trained),
        ("sizes", figures.size_figure(table, quantities), table, origin),
        ("calibration", figures.calibration_figure(bins), bins, figures.origin("smoke", bins.prm, zoo)),
    ):
        assert len(plots.save(picture, tmp_path, name, data, about)) == 4
    assert trained["trained"] == {"tokens": 4 * 10_000, "solutions": 2 * 10_000}
    # Greedy and samples: SAMPLES + 1 solutions of 7 tokens a problem and policy.
    assert origin["tokens"]["policy"] == 3 * LIMIT * (SAMPLES + 1) * 7 and origin["failed"] == 0


def test_every_model_has_a_panel_with_its_own_curve_before_the_others():
    points = [{"model": name, "kind": kind, "amount": amount, "loss": 1 / (at + amount), "accuracy": at / 100}
              for kind, models in (("policy", POLICIES), ("PRM", PRMS)) for at, name in enumerate(models)
              for amount in (1, 2, 3)]  # fmt: skip
    names = [*POLICIES, *PRMS]
    panels = [axes for axes in figures.curve_figure(pandas.DataFrame(points)).axes if axes.lines]
    assert [axes.get_title() for axes in panels] == [name.removeprefix("nano-").removeprefix("prm-") for name in names]
    for axes, name in zip(panels, names, strict=True):
        kind, unit = (POLICIES, 1e6) if name in POLICIES else (PRMS, 1e3)
        at = list(kind).index(name)
        *others, own = axes.lines
        assert len(others) == len(kind) and own.get_label() == name
        assert own.get_xdata() == pytest.approx([1 / unit, 2 / unit, 3 / unit])
        values = [1 / (at + 1), 1 / (at + 2), 1 / (at + 3)] if kind is POLICIES else [at] * 3
        assert own.get_ydata() == pytest.approx(values)


def test_shipped_verdicts_are_compared_with_a_run_like_results(zoo, tmp_path):
    problems = tts.load_problems("nanomath", limit=LIMIT - 3)
    greedy = tts.solve(problems, Slipping(CHECKED[0]), method="cot", store=tmp_path, progress=False).frame()
    shipped = report.verdicts(zoo)
    assert stats.estimate(shipped, by="policy").set_index("policy").value[CHECKED[0]] == pytest.approx(
        report.measured(zoo)[CHECKED[0]]["accuracy"]["greedy"]["value"], abs=1e-5
    )
    same = shipped[(shipped.policy == CHECKED[0]) & shipped.problem.isin(greedy.problem)]
    assert same.right.tolist() == greedy.right.tolist() and same.problem.tolist() == greedy.problem.tolist()
    other = shipped[(shipped.policy == THINKING) & shipped.problem.isin(greedy.problem)]
    [gap] = stats.paired(pandas.concat([greedy, other]), policy=(CHECKED[0], THINKING)).itertuples()
    assert gap.value == pytest.approx(greedy.right.mean() - other.right.mean()) and gap.n == LIMIT - 3


def test_a_problem_without_a_verdict_is_undecided(zoo, tmp_path):
    place = folder(tmp_path, CHECKED[0])
    found = json.loads((zoo / CHECKED[0] / MEASURED).read_text())
    write(place, found | {"greedy_right": "1-0", "revision": weights_hash(place)})
    [row] = stats.estimate(report.verdicts(tmp_path)).itertuples()
    assert (row.value, row.n, row.failed, row.undecided) == (0.5, 2, 0, 1)


def test_a_slip_shows_in_the_scores_from_where_it_is(tmp_path):
    given = report.right_and_wrong(CHECKED[0], place=22)
    read = tts.solve(given, None, Judge(POLICIES[CHECKED[0]].style), method="read", store=tmp_path, progress=False)
    right, wrong = (record.paths()[0] for record in read)
    slip = [a == b for a, b in zip(right.steps, wrong.steps, strict=True)].index(False)
    assert set(right.scores) == {0.9}
    assert list(wrong.scores) == [0.9] * slip + [pytest.approx(0.1)] * (len(right.steps) - slip)


def test_a_prm_is_judged_by_the_first_wrong_step_that_it_names(tmp_path):
    solutions = load_processbench("nanoprocessbench", limit=40)
    labels = {each.problem: each.label for each in solutions}

    class Knowing(PRM):
        name = "knowing"

        async def score(self, paths):
            return [self._scores(path, labels[path.problem.question]) for path in paths]

        def _scores(self, path, label):
            if path.problem.id == solutions[0].id:
                return Unread.LONG
            return [0.1 if at == label else 0.9 for at in range(len(path.steps))]

    given = [each.as_problem() for each in solutions]
    read = tts.solve(given, None, Knowing(), method="read", store=tmp_path, progress=False)
    found = measure.first_errors(read, list(labels.values()))
    assert [found[part]["value"] for part in ("f1", "wrong", "right")] == [1.0] * 3
    assert found["left_out"] == 1 and found["threshold"] == 0.5 and found["f1"]["n"] == 39 - 10


def test_solutions_show_every_style():
    shown = report.solutions(place=22)
    assert set(shown) == {*STYLES, "thinking"} and any(step.startswith("Wait") for step in shown["thinking"])


def test_weights_that_were_not_measured_are_refused(zoo, tmp_path):
    place = folder(tmp_path, CHECKED[0], 9)
    with pytest.raises(ValueError, match="No policy .* has been measured"):
        report.accuracies(tmp_path)
    (place / MEASURED).write_text((zoo / CHECKED[0] / MEASURED).read_text())
    with pytest.raises(ValueError, match="has changed since it was measured"):
        report.measured(tmp_path)
