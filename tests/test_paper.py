"""The paper as data: every number and setting against the fact sheet, the runs of every experiment counted.

The sheet lies beside the repository; where it is missing, what compares with it is skipped.
Run: python -m pytest tests/test_paper.py
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from ttslib import flops, paper
from ttslib.paper import claims, published, roles
from ttslib.paper.experiments import Experiment, Grid, fitted
from ttslib.problems import SIZES
from ttslib.profiles import PROFILES, get_profile
from ttslib.runs import ModelSpec
from ttslib.voting import RULES

SHEET = Path(__file__).resolve().parents[2] / "shared" / "paper.md"
needs_sheet = pytest.mark.skipif(not SHEET.is_file(), reason="no fact sheet beside the repository")
TABLES = ("fig1", "table1", "table2", "table3", "table4", "table5", "table6", "processbench_f1", "fig12", "prm_cases")
SHORT = {  # how the sheet's tables shorten names
    "Math-Shepherd-7B": "Math-Shepherd-PRM-7B", "RLHFlow-Mistral-8B": "RLHFlow-PRM-Mistral-8B",
    "RLHFlow-Deepseek-8B": "RLHFlow-PRM-Deepseek-8B", "Skywork-1.5B": "Skywork-PRM-1.5B",
    "Skywork-7B": "Skywork-PRM-7B", "R1-Distill-7B": "R1-Distill-Qwen-7B", "R1-Distill-1.5B": "R1-Distill-Qwen-1.5B",
}  # fmt: skip


def section(heading: str) -> str:
    """The text below a heading, up to the next."""
    _, found, rest = SHEET.read_text(encoding="utf-8").partition(heading)
    assert found, f"the sheet has no {heading!r}"
    return re.split(r"\n#", rest)[0]


def table(text: str, place: int = 0) -> list[list[str]]:
    """The rows below the header of the table at `place` in a text, each cell without bold marks."""
    found = re.findall(r"(?:^\|.*\n)+", text + "\n", re.M)[place]
    rows = [[cell.strip().replace("**", "") for cell in line.strip().strip("|").split("|")]
            for line in found.splitlines()]
    return rows[2:]


def number(text: str) -> float:
    return float(re.search(r"[\d.]+(?:e\d+)?", text.replace(",", ""))[0])


def role(name: str) -> str:
    name = name.removesuffix(" (CoT)").removesuffix(" (TTS)").removesuffix(" TTS").removesuffix("-Inst")
    return SHORT.get(name, name)


# --- what was printed -------------------------------------------------------------------------------------------------


@needs_sheet
def test_figure_1():
    rows = table(section("### F1."))
    bars = {
        (panel, benchmark or "MATH-500", role(name), number(value))
        for benchmark, panel, cell in ((("AIME24" if panel in "def" else ""), panel, cell) for _, panel, cell in rows)
        for name, value in (bar.strip().rsplit(" ", 1) for bar in cell.split(";"))
    }
    assert len(bars) == 18
    assert {(row[0], row[1], row[2], row[4]) for row in published.fig1.rows} == bars
    assert all(tts == (model in roles.POLICIES) for _, _, model, tts, _ in published.fig1.rows)


@needs_sheet
def test_table_1():
    (_, *responses), (_, *steps) = table(section("### T1."))
    assert [row[2] for row in published.table1.rows] == [number(cell) for cell in responses]
    assert [row[3] for row in published.table1.rows] == [number(cell) for cell in steps]


@needs_sheet
def test_table_2():
    rows = [(name, float(a), float(b)) for name, a, b in table(section("### T2."))]
    printed = {"majority vote": "majority_vote"} | {rule.replace("_", "-"): rule for rule in RULES}
    assert [(printed[name.lower()], a, b) for name, a, b in rows] == list(published.table2.rows)
    assert {row[0] for row in published.table2.rows} == set(RULES)


@needs_sheet
def test_table_3():
    groups, expected = {"Proprietary (CoT)": "proprietary", "Open (CoT)": "open", "TTS": "tts"}, []
    for group, name, on_math, on_aime, average in table(section("### T3.")):
        current = groups.get(group) or expected[-1][0]
        name, _, n = name.partition(", N=")
        expected.append((current, role(name), int(n) if n else None, float(on_math), float(on_aime), float(average)))
    assert list(published.table3.rows) == expected and len(expected) == 15
    assert all(abs(row[5] - (row[3] + row[4]) / 2) < 0.11 for row in published.table3.rows)


@needs_sheet
def test_table_4():
    rows = [(role(name), *map(float, cells)) for name, *cells in table(section("### T4."))]
    assert [row[:4] for row in published.table4.rows] == rows


def test_the_inputs_of_table_4_give_what_it_prints():
    for _, training, inference, total, parameters, tokens, per_problem in published.table4.rows:
        assert flops.training_flops(parameters, tokens) == pytest.approx(training, rel=0.005)
        assert flops.inference_flops(parameters, 500 * per_problem) == pytest.approx(inference, rel=0.005)
        assert training + inference == pytest.approx(total, rel=0.005)


@needs_sheet
def test_table_5():
    rows = table(section("### T5."))
    expected = [(name, *map(number, cells), cells[-1].startswith(">")) for name, *cells in rows]
    assert list(published.table5.rows) == expected and len(expected) == 10
    assert tuple(row[0] for row in expected) == roles.LLAMA + roles.QWEN


def test_the_gains_of_table_5_follow_from_its_accuracies():
    for _, cot, _, tts, gain, *_ in published.table5.rows:
        assert 100 * (tts - cot) / cot == pytest.approx(gain, abs=0.06)


@needs_sheet
def test_table_6():
    expected = []
    for name, on_math, on_aime, average in table(section("### T6.")):
        policy, _, prm = name.partition(" TTS, ")
        how = "tts" if prm else "cot" if name.endswith("(CoT)") else "long cot"
        prm = f"Qwen2.5-Math-PRM-{prm.removesuffix(' PRM')}" if prm else None
        expected.append((role(policy), how, prm, float(on_math), float(on_aime), float(average)))
    assert list(published.table6.rows) == expected and len(expected) == 10


@needs_sheet
def test_processbench_and_the_fit_of_figure_6():
    text = section("### F6.")
    rows = [(role(name), *map(float, cells)) for name, *cells in table(text)]
    assert list(published.processbench_f1.rows) == [row[:-1] for row in rows]
    assert tuple(published.MATH_F1) == tuple(roles.PRMS)
    assert f"Y = {published.fig6.slope} log(X) + {published.fig6.intercept}" in text
    for prm, *_, predicted in rows:
        assert published.fig6(published.MATH_F1[prm]) == pytest.approx(predicted, abs=0.051)


@needs_sheet
def test_figures_3_and_12_and_the_cases():
    assert f"{published.ABOVE_80} %" in section("### F3.")
    text = section("### F12.")
    assert all(answer in text for _, answer, *_ in published.fig12.rows) and "number_theory/1032" in text
    cases = {place: cells for cells in table(section("### F13-F18.")) for place in re.findall(r"\d+", cells[0])}
    assert set(cases) == {str(row[0]) for row in published.prm_cases.rows}
    for figure, kind, _, benchmark, row, problem, scores in published.prm_cases.rows:
        _, called, _, where, reported = cases[str(figure)]
        assert called.lower() == kind and f"row {row}" in where and problem in where
        assert ("AIME" in where) == (benchmark == "AIME24")
        assert all(f"{score:.2f}" in reported for score in scores)


@pytest.mark.parametrize("name", TABLES)
def test_a_printed_table_is_a_frame_with_its_source(name):
    printed = getattr(published, name)
    frame = printed()
    assert list(frame.columns) == list(printed.columns) and len(frame) == len(printed.rows)
    assert frame.attrs["source"] == printed.source and re.match(r"IMG|TBL|PB|SC|kinds CAP", printed.source)


def test_claims_have_a_question_a_source_and_evidence():
    assert set(claims.QUESTIONS) == {claim.question for claim in claims.CLAIMS} == {f"Q{i}" for i in range(1, 7)}
    for claim in claims.CLAIMS:
        assert claim.text.endswith(".") and claim.source and claim.evidence
        for name in claim.evidence:
            assert paper.experiment(name).question == claim.question


@needs_sheet
def test_each_question_has_the_evidence_that_the_sheet_lists():
    for question, _, evidence in table(SHEET.read_text(encoding="utf-8"), 1):
        assert question in claims.QUESTIONS
        figures, tables = evidence.partition("Table")[::2]
        listed = {f"fig{i}" for i in re.findall(r"\b(\d+)\b(?![ -]*-\d|-)", re.sub(r"13-18|-500|AIME24", "", figures))}
        listed |= {f"table{i}" for i in re.findall(r"\b\d\b", tables.partition("Figs")[0])}
        listed |= {"fig13_18"} if "13-18" in evidence else set()
        assert listed == {each.name for each in paper.EXPERIMENTS.values() if each.question == question}, question


# --- roles and the author's rule --------------------------------------------------------------------------------------


@needs_sheet
def test_roles_are_those_of_the_paper():
    prms = {name: hub_id for name, hub_id, *_ in table(section("### 1.3 PRMs"))}
    assert {name: card.hub_id for name, card in roles.PRMS.items()} == prms
    families = dict(row for row in table(section("### 1.2 Policies")))
    assert families["Llama"] == ", ".join(roles.LLAMA)
    assert families["Qwen2.5"] == ", ".join(name.removeprefix("Qwen2.5-") for name in roles.QWEN)
    assert families["Reasoning"].startswith("DeepSeek-R1-Distill-Qwen-1.5B, -7B") and len(roles.R1) == 2
    assert list(roles.POLICIES) == [*roles.LLAMA, *roles.QWEN, *roles.R1, *roles.MATH] and len(roles.POLICIES) == 13
    data = section("### 1.4 Data")
    assert all(f"{role}: {SIZES[name]} problems" in data for role, name in roles.BENCHMARKS.items())


def test_a_role_and_its_model():
    assert roles.POLICIES["Llama-3.2-1B"].hub_id == "meta-llama/Llama-3.2-1B-Instruct"
    assert roles.POLICIES["R1-Distill-Qwen-7B"].hub_id == "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"
    assert [roles.size(name) for name in roles.QWEN] == [0.5, 1.5, 3, 7, 14, 32, 72]
    assert roles.size("Llama-3.1-405B") == 405
    for name, card in roles.POLICIES.items():
        assert card.parameters == pytest.approx(roles.size(name) * 1e9, rel=0.25)
    with pytest.raises(ValueError, match="'GPT-4o' is not in its name"):
        roles.size("GPT-4o")


@needs_sheet
def test_the_authors_rule():
    methods = {"beam search": "beam_search", "DVTS": "dvts", "BoN": "best_of_n"}
    sizes = {"< 7B": lambda b: b < 7, "7B to 32B": lambda b: 7 <= b <= 32, "> 32B": lambda b: b > 32,
             "< 14B": lambda b: b < 14, ">= 14B": lambda b: b >= 14}  # fmt: skip
    checked = Counter()
    for where, policies, method in table(section("## 3. Author statements")):
        for benchmark in roles.BENCHMARKS if where == "both" else (where,):
            for policy in roles.POLICIES:
                reasons = policy in roles.R1
                if reasons != (policies == "R1-Distill") or not (reasons or sizes[policies](roles.size(policy))):
                    continue
                if method == "DVTS on easy + medium, beam search on hard":
                    expected = {"easy": "dvts", "medium": "dvts", "hard": "beam_search"}
                else:
                    expected = dict.fromkeys(paper.LEVELS, methods[method])
                assert {level: paper.rule(benchmark, policy, level) for level in paper.LEVELS} == expected
                checked[benchmark] += 1
    assert checked == {"MATH-500": 13, "AIME24": 13}


def test_the_rule_asks_for_a_level_only_where_it_matters():
    assert paper.rule("MATH-500", "Llama-3.2-1B") == "beam_search" and paper.rule("AIME24", "Qwen2.5-7B") == "dvts"
    for arguments, says in (
        (("MATH-500", "Qwen2.5-7B"), "needs a level: give easy, medium, hard"),
        (("MATH-500", "Qwen2.5-7B", "simple"), "Unknown level 'simple'"),
        (("AMC23", "Qwen2.5-7B"), "is for MATH-500 and AIME24"),
    ):
        with pytest.raises(ValueError, match=says):
            paper.rule(*arguments)


@needs_sheet
def test_levels_of_difficulty():
    text = section("### 1.8 Difficulty")
    for (name, least), top in zip(paper.THRESHOLDS.items(), (100, 50, 10), strict=True):
        assert f"{name} {100 * least:.0f}-{top} %" in text
    assert [paper.level(value) for value in (1, 0.5, 0.49, 0.1, 0.09, 0)] == [
        "easy", "easy", "medium", "medium", "hard", "hard",
    ]  # fmt: skip


# --- experiments ------------------------------------------------------------------------------------------------------


def runs(name: str, profile: str = "paper"):
    return paper.experiment(name).runs(get_profile(profile))


def parts(name: str, *fields: str) -> set:
    return {tuple(getattr(run, field) for field in fields) for run in runs(name)}


@needs_sheet
def test_budgets_width_and_n_are_those_of_the_sheet():
    setup = dict((row[0], row[1]) for row in table(section("### 1.5 Hyper-parameters")))
    assert setup["Budgets N"].startswith(", ".join(map(str, paper.BUDGETS)) + "; and 512 only for Llama-3.2-1B")
    used = {run for name in paper.EXPERIMENTS for run in runs(name) if run.method in ("beam_search", "dvts")}
    assert {run.n for run in used} == {*paper.BUDGETS, 512}
    assert {run.policy_role for run in used if run.n == 512} == {"Llama-3.2-1B"}
    assert {str(run.width) for run in used} == {setup["Beam width M"].split()[0]}
    kept = [(int(n), int(re.search(r"/ (\d+) /", beam)[1]), int(dvts.split()[0]))
            for n, beam, dvts, _ in table(section("## 2. What the official code"))]
    assert kept == [(n, n // 4, n // 4) for n in paper.BUDGETS]
    assert not any(run.settings for run in used)  # temperature, step and token limits: a search's defaults


POOL, SEARCHED = {"best_of_n"}, {"best_of_n", "beam_search", "dvts"}
PAIR, ALL_TEN = {"Llama-3.1-8B", "Qwen2.5-7B"}, {*roles.LLAMA, *roles.QWEN}
ALL_PRMS, LARGE, QWEN_PRMS = {"", *roles.PRMS}, {"", "Qwen2.5-Math-PRM-72B"}, {*list(roles.PRMS)[5:]}
MATH, AIME, BOTH = {"MATH-500"}, {"AIME24"}, {"MATH-500", "AIME24"}


@pytest.mark.parametrize(
    ("name", "policies", "prms", "methods", "budgets", "benchmarks"),
    [
        ("fig3", {"Qwen2.5-72B"}, {""}, POOL, {256}, MATH),
        ("fig4", PAIR, ALL_PRMS, SEARCHED, {4, 16, 64, 256}, MATH),
        ("fig5", PAIR, ALL_PRMS, SEARCHED, {4, 16, 64, 256}, AIME),
        ("fig6", PAIR, ALL_PRMS, SEARCHED, {4, 16, 64, 256}, MATH),
        ("fig7", {*roles.QWEN}, LARGE, SEARCHED, {4, 16, 64, 256}, MATH),
        ("fig8", {*roles.LLAMA}, LARGE, SEARCHED, {4, 16, 64, 256}, MATH),
        ("fig9", {*roles.QWEN}, LARGE, SEARCHED, {4, 16, 64, 256}, MATH),
        ("fig10", ALL_TEN, ALL_PRMS, SEARCHED, {4, 16, 64, 256}, MATH),
        ("fig11", ALL_TEN, ALL_PRMS, SEARCHED, {4, 16, 64, 256}, AIME),
        ("fig12", {"Llama-3.1-8B"}, {*list(roles.PRMS)[1:3]}, {"beam_search"}, {4, 16, 64, 256}, MATH),
        ("table2", {"Qwen2.5-7B"}, {"Skywork-PRM-7B", "Qwen2.5-Math-PRM-7B"}, {"beam_search", "dvts"}, {256}, MATH),
        ("table5", ALL_TEN, LARGE, {"cot", *SEARCHED}, {1, 4, 16, 64, 256}, MATH),
        ("table6", {"Qwen2.5-7B", "Qwen2.5-Math-7B", "R1-Distill-Qwen-7B"}, {"", *QWEN_PRMS},
         {"cot", "beam_search", "dvts"}, {1, 256}, BOTH),
    ],
)  # fmt: skip
def test_what_each_figure_and_table_is_drawn_from(name, policies, prms, methods, budgets, benchmarks):
    found = runs(name)
    assert {run.policy_role for run in found} == policies and {run.prm_role for run in found} == prms
    assert {run.method for run in found} == methods and {run.n for run in found} == budgets
    assert {run.benchmark for run in found} == benchmarks
    assert all(run.n == 256 for run in found if run.method == "best_of_n")
    assert all((run.prm is None) == (run.prm_role == "") for run in found)


def test_figure_1_and_table_3_use_the_authors_rule():
    searched = {("Llama-3.2-3B", "MATH-500", "beam_search", 256), ("Llama-3.2-3B", "AIME24", "dvts", 256)}
    reasoning = {(policy, benchmark, "best_of_n", 32) for policy in roles.R1 for benchmark in BOTH}
    assert parts("fig1", "policy_role", "benchmark", "method", "n") == searched | reasoning
    small = ("Llama-3.2-1B", "Llama-3.2-3B", "Qwen2.5-0.5B", "Qwen2.5-1.5B")
    expected = {(policy, "MATH-500", "beam_search", 256) for policy in small}
    expected |= {(policy, "AIME24", "dvts", 256) for policy in small}
    expected |= {("Llama-3.2-1B", "MATH-500", "beam_search", 512), ("Llama-3.2-1B", "AIME24", "dvts", 512)}
    assert parts("table3", "policy_role", "benchmark", "method", "n") == expected | reasoning
    assert parts("table4", "policy_role", "benchmark", "method", "n") < expected | reasoning


def test_table_5_uses_the_authors_rule():
    found = parts("table5", "policy_role", "method", "prm_role")
    by_search = {policy: {method for role, method, prm in found if role == policy and prm} for policy in ALL_TEN}
    small = ("Llama-3.2-1B", "Llama-3.2-3B", "Qwen2.5-0.5B", "Qwen2.5-1.5B", "Qwen2.5-3B")
    assert by_search == dict.fromkeys(small, {"beam_search"}) | {
        **dict.fromkeys(("Llama-3.1-8B", "Qwen2.5-7B", "Qwen2.5-14B", "Qwen2.5-32B"), {"beam_search", "dvts"}),
        "Qwen2.5-72B": {"best_of_n"},
    }


# One pool for each policy and benchmark; with each PRM the pool scored, and beam search and DVTS once a budget.
# Budgets: 2 at nano (4, 16), 3 at full (and 64; of the whole grids 2), 4 at paper (and 256). GPT-4o and
# Llama-3.1-405B are cast at nano and full, where they run chain of thought on two benchmarks, and quoted at paper.
COUNTS = {
    "fig1": (2 + 4 + 4, 2 + 4 + 4, 2 + 4),
    "fig2": (0, 0, 0),
    "fig3": (1, 1, 1),
    "fig4": (2 * (1 + 7 * (1 + 2 * 2)), 2 * (1 + 7 * (1 + 2 * 3)), 2 * (1 + 7 * (1 + 2 * 4))),
    "fig5": (2 * (1 + 7 * (1 + 2 * 2)), 2 * (1 + 7 * (1 + 2 * 3)), 2 * (1 + 7 * (1 + 2 * 4))),
    "fig6": (2 * (1 + 7 * (1 + 2 * 2)), 2 * (1 + 7 * (1 + 2 * 3)), 2 * (1 + 7 * (1 + 2 * 4))),
    "fig7": (7 * (1 + 1 + 2 * 2), 7 * (1 + 1 + 2 * 3), 7 * (1 + 1 + 2 * 4)),
    "fig8": (3 * (1 + 1 + 2 * 2), 3 * (1 + 1 + 2 * 3), 3 * (1 + 1 + 2 * 4)),
    "fig9": (7 * (1 + 1 + 2 * 2), 7 * (1 + 1 + 2 * 3), 7 * (1 + 1 + 2 * 4)),
    "fig10": (10 * (1 + 7 * (1 + 2 * 2)), 10 * (1 + 7 * (1 + 2 * 2)), 10 * (1 + 7 * (1 + 2 * 4))),
    "fig11": (10 * (1 + 7 * (1 + 2 * 2)), 10 * (1 + 7 * (1 + 2 * 2)), 10 * (1 + 7 * (1 + 2 * 4))),
    "fig12": (2 * 2, 2 * 3, 2 * 4),
    "fig13_18": (0, 0, 0),
    "table1": (0, 0, 0),
    "table2": (2 * 2, 2 * 2, 2 * 2),
    # Four policies on two benchmarks, the 1B again with twice the largest N, two of R1-Distill, two references.
    "table3": (4 * 2 + 2 + 4 + 4, 4 * 2 + 2 + 4 + 4, 4 * 2 + 2 + 4),
    "table4": (1 + 1 + 1, 1 + 1 + 1, 1 + 1),
    # CoT and pool of ten; five by beam search, four by both searches, one by the scored pool.
    "table5": (10 * 2 + 5 * 2 + 4 * 2 * 2 + 1, 10 * 2 + 5 * 3 + 4 * 2 * 3 + 1, 10 * 2 + 5 * 4 + 4 * 2 * 4 + 1),
    # Two PRMs by beam search and DVTS on MATH-500 and by DVTS on AIME24; CoT of three policies on both.
    "table6": (2 * (2 + 1) + 3 * 2, 2 * (2 + 1) + 3 * 2, 2 * (2 + 1) + 3 * 2),
}


@pytest.mark.parametrize("name", paper.EXPERIMENTS)
def test_runs_are_counted(name):
    assert tuple(len(runs(name, profile)) for profile in ("nano", "full", "paper")) == COUNTS[name]


def test_each_run_is_there_once_and_shared():
    assert set(COUNTS) == set(paper.EXPERIMENTS)
    for name in paper.EXPERIMENTS:
        assert len(set(runs(name))) == len(runs(name))
    assert runs("fig6") == runs("fig4") and set(runs("fig12")) < set(runs("fig4")) < set(runs("fig10"))
    every = {run for name in paper.EXPERIMENTS for run in runs(name)}
    # Figures 10 and 11; CoT of Tables 5 and 6 (10 + 6 - 1 shared); R1-Distill (4); the 1B with 512 (2).
    assert len(every) == 640 + 640 + 15 + 4 + 2
    assert sum(run.size for run in every) == 500 * (640 + 12 + 2 + 1) + 30 * (640 + 3 + 2 + 1)


def test_a_profile_decides_problems_pool_and_budgets():
    full = [run for run in runs("fig4", "full") + runs("table6", "full") if run.benchmark == "MATH-500"]
    assert {(run.method, run.prm_role == "", run.limit) for run in full} == {
        ("best_of_n", True, 500), ("cot", True, 500), ("best_of_n", False, 200), ("beam_search", False, 200),
        ("dvts", False, 200),
    }  # fmt: skip
    assert {run.n for run in full if run.method == "best_of_n"} == {64}
    assert {run.size for run in runs("fig5", "full")} == {30} and {run.size for run in runs("fig5", "nano")} == {12}
    budgets = {"smoke": (4, 8, 8, 8, 16), "full": (4, 16, 64, 64, 128), "paper": (4, 16, 64, 256, 512)}
    for name, expected in budgets.items():
        assert tuple(fitted(n, get_profile(name)) for n in (*paper.BUDGETS, 512)) == expected
    r1 = {(run.n, run.limit) for run in runs("fig1", "smoke") if run.policy_role in roles.R1}
    assert r1 == {(8, 4), (8, 2)} and {run.n for run in runs("fig1", "nano") if run.policy_role in roles.R1} == {32}


def test_roles_are_cast_by_the_profile():
    casts = {"nano": ("nano-llama-0.1m", "nano-prm-qwen-l", "nanomath"),
             "paper": ("meta-llama/Llama-3.2-1B-Instruct", "Qwen/Qwen2.5-Math-PRM-72B", "math500")}  # fmt: skip
    for profile, (policy, prm, problems) in casts.items():
        first = runs("table3", profile)[0]
        assert (first.policy, first.prm, first.problems) == (ModelSpec(policy), ModelSpec(prm), problems)
        assert (first.policy_role, first.prm_role, first.benchmark) == (
            "Llama-3.2-1B", "Qwen2.5-Math-PRM-72B", "MATH-500",
        )  # fmt: skip


def test_two_roles_of_one_model_stay_two_runs():
    same = get_profile("nano", policy={"Llama-3.1-8B": "a/model", "Qwen2.5-7B": "a/model"})
    found = paper.experiment("fig4").runs(same)
    assert len(found) == COUNTS["fig4"][0] and {run.policy.name for run in found} == {"a/model"}


def test_a_reference_model_is_run_where_it_is_cast():
    def references(profile):
        return {run.policy_role for run in paper.experiment("table3").runs(profile) if run.method == "cot"}

    assert references(get_profile("nano")) == {"GPT-4o", "Llama-3.1-405B"}
    assert references(get_profile("paper")) == set()
    assert references(get_profile("paper", policy="o1=an/other")) == {"o1"}


def test_a_grid_may_hold_seeds_and_a_method_of_ones_own():
    mine = Experiment("mine", "a comparison", "", (
        Grid(("Llama-3.2-1B",), ("my_search",), ("MATH-500",), ("Skywork-PRM-7B",), (16,), seeds=(1, 2)),
        Grid(("Llama-3.2-1B",), ("unguided",), ("MATH-500",), budgets=(4, 16)),
    ))  # fmt: skip
    found = mine.runs(get_profile("nano"))
    assert [(run.method, run.prm_role, run.n, run.seed) for run in found] == [
        ("my_search", "Skywork-PRM-7B", 16, 1), ("my_search", "Skywork-PRM-7B", 16, 2), ("unguided", "", 4, 0),
        ("unguided", "", 16, 0),
    ]  # fmt: skip


def test_an_unknown_name_is_one_sentence():
    with pytest.raises(ValueError, match="Unknown experiment 'fig99': did you mean fig9"):
        paper.experiment("fig99")
    wrong = Experiment("wrong", "", "", (Grid(("Llama-9",), ("cot",), ("MATH-500",)),))
    with pytest.raises(ValueError, match="Unknown role among the policies 'Llama-9'"):
        wrong.runs(PROFILES["nano"])
