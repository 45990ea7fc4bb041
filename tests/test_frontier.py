"""Table 4: the printed numbers, and what they leave out.

Run: python -m pytest tests/test_frontier.py
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib import flops
from ttslib.frontier import MATH, PRM_ROLE, PROBLEMS, Spending, as_printed, break_even, corrected, training_tokens_of
from ttslib.nano import specs
from ttslib.paper import published, roles


def test_the_rows_of_table_4_to_the_printed_digits():
    printed = published.table4()
    computed = as_printed()
    assert list(computed.model) == list(printed.model) and len(computed) == 4
    for column in ("pretraining_flops", "inference_flops", "total_flops"):
        assert [f"{value:.2e}" for value in computed[column]] == [f"{value:.2e}" for value in printed[column]], column


def test_the_ratios_of_table_4():
    small, large, distilled, r1 = as_printed().total_flops
    assert round(large / small) == 225 and round(r1 / distilled) == 79


def test_what_a_correction_adds_up_to_is_what_searches_count():
    """By the same functions as the FLOPs of records."""
    for model, spent in corrected().items():
        [row] = [row for row in published.table4.rows if row[0] == model]
        size = roles.POLICIES.get(model)
        if size is None:
            continue
        samples = {"Llama-3.2-3B": 256, "R1-Distill-Qwen-7B": 32}[model]
        context = MATH.prompt + row[-1] / samples / 2
        search = flops.search_flops(size, row[-1], context=context, prompts=1, prompt=MATH.prompt)
        assert spent.generation + spent.reading + spent.attention == pytest.approx(search.policy)
        assert search.prompt < 0.01 * search.policy
        assert (spent.prm > 0) == (model in PRM_ROLE) == (spent.prm_training > 0)
        assert spent.total(PROBLEMS) == pytest.approx(spent.start + PROBLEMS * spent.each)


def test_experts_count_by_what_a_token_meets():
    spent = corrected()["DeepSeek-R1"]
    printed = as_printed().set_index("model").loc["DeepSeek-R1"]
    assert spent.training / printed.pretraining_flops == pytest.approx(37 / 671)
    assert PROBLEMS * spent.generation / printed.inference_flops == pytest.approx(37 / 671)


def test_reading_a_path_anew_costs_more_than_each_step_once():
    once, anew = (corrected(reread=reread)["Llama-3.2-3B"] for reread in (False, True))
    assert 4 < anew.prm / once.prm < 12
    assert (once.generation, once.attention) == (anew.generation, anew.attention)
    # 256 paths of 8 steps of 50 tokens, each read behind 250 of the prompt; attention adds some.
    tokens = 256 * sum(250 + 1.2 * 102_300 / 256 * depth / 8 for depth in range(1, 9))
    weights = 2 * roles.PRMS["Qwen2.5-Math-PRM-72B"].parameters * tokens
    assert weights < anew.prm < 1.05 * weights


def test_training_tokens():
    assert training_tokens_of("meta-llama/Llama-3.2-3B-Instruct") == 9e12
    assert training_tokens_of("Qwen/Qwen2.5-Math-PRM-72B") == 18e12
    assert training_tokens_of("RLHFlow/Llama3.1-8B-PRM-Mistral-Data") == 15e12
    assert training_tokens_of("nano-llama-3m") == specs.POLICIES["nano-llama-3m"].tokens
    assert training_tokens_of("nano-prm-qwen-l") > training_tokens_of("nano-prm-qwen-m") > 6_000_000
    assert math.isnan(training_tokens_of("peiyi9979/math-shepherd-mistral-7b-prm"))
    assert math.isnan(training_tokens_of("somebody/else"))


def spending(start, each):
    return Spending(start, 0.0, each, 0.0, 0.0, 0.0)


@given(*[st.floats(1, 1e6)] * 4)
def test_break_even(start_a, each_a, start_b, each_b):
    small, large = spending(start_a, each_a), spending(start_b, each_b)
    count = break_even(small, large)
    if 0 < count < 1e9:
        assert small.total(count) == pytest.approx(large.total(count))
        assert small.total(2 * count) > large.total(2 * count)
    elif count == math.inf:
        assert all(small.total(many) < large.total(many) for many in (0, 1, 1e6))
    elif count == 0:
        assert small.start >= large.start
