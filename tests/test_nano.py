"""NanoMATH and NanoAIME: disjoint splits, exact step labels, answers our own grader accepts, lossless tokenizers."""

import asyncio
import itertools
import random
import re
from dataclasses import replace

import pytest

from ttslib.grading import equivalent, extract_answer
from ttslib.nano.benchmark import nanoaime, nanomath
from ttslib.nano.generator import generate, normalise_question, split_of
from ttslib.nano.mistakes import mistake
from ttslib.nano.prm_data import first_zero, sampled
from ttslib.nano.rollouts import roll_out
from ttslib.nano.styles import SEPARATOR, STYLES, check_steps
from ttslib.nano.subjects import AIME, LEVELS, SUBJECTS
from ttslib.nano.thinking import thinking_steps
from ttslib.nano.tokenizer import FAMILIES, build_tokenizer
from ttslib.nano.train_policy import encode
from ttslib.policies import Step
from ttslib.problems import load_problems

BENCHMARKS = {"nanomath": nanomath, "nanoaime": nanoaime}


@pytest.mark.parametrize(("name", "build"), BENCHMARKS.items())
def test_a_shipped_benchmark_is_what_the_generator_makes(name, build):
    shipped = [(p.question, p.answer, p.subject, p.level) for p in load_problems(name)]
    assert shipped == [(w.question, w.answer, w.subject, w.level) for w in build()]


def test_no_training_question_is_in_a_benchmark():
    test = {normalise_question(p.question) for name in BENCHMARKS for p in load_problems(name)}
    train = {normalise_question(w.question) for w in itertools.islice(generate(0, "train"), 5000)}
    assert len(test) == 530 and not test & train
    assert all(split_of(question) == "test" for question in test)


def test_every_subject_and_level_is_covered_by_the_first_65():
    cells = {(p.subject, p.level) for p in load_problems("nanomath", limit=65)}
    assert len(cells) == len(SUBJECTS) * len(LEVELS) == 65


def test_nanoaime_asks_for_whole_numbers_below_1000():
    assert all(re.fullmatch("[0-9]{1,3}", p.answer) for p in load_problems("nanoaime"))


@pytest.mark.parametrize("style", STYLES)
def test_the_grader_reads_every_kind_of_answer(style):
    for subject in (*SUBJECTS, AIME):
        worked = subject(random.Random(1), 3)
        assert equivalent(worked.answer, extract_answer(SEPARATOR.join(STYLES[style](worked))))


@pytest.mark.parametrize("style", STYLES)
def test_worked_solutions_are_right_and_every_mistake_is_found_where_it_was_made(style):
    rng = random.Random(0)
    facts_a_step = 2 if style == "deepseek" else 1
    for worked in itertools.islice(generate(7, "train"), 300):
        steps = STYLES[style](worked)
        assert check_steps(steps, worked, style) == -1
        place = rng.randrange(len(worked.facts))
        facts = list(worked.facts)
        facts[place] = mistake(facts[place], worked.question, rng)
        wrong = STYLES[style](replace(worked, facts=tuple(facts)))
        assert check_steps(wrong, worked, style) == place // facts_a_step


def test_slips_of_long_chains_of_thought_are_mended_and_not_learned():
    rng, slips = random.Random(0), 0
    for worked in itertools.islice(generate(9, "train"), 300):
        steps, right = thinking_steps(worked, rng), {step for step, _ in thinking_steps(worked)}
        for (step, learned), (check, _), (mended, _) in zip(steps, steps[1:], steps[2:], strict=False):
            if not learned:
                slips += 1
                assert step not in right and check.startswith("Check, ") and ", not " in check
                assert mended.replace("Wait", "Next") in right or mended.replace("Wait", "First") in right
        assert {step for step, learned in steps if learned and not step.startswith(("Check", "Wait"))} <= right
    assert slips > 20


@pytest.mark.parametrize("family", FAMILIES)
def test_tokenizers_are_lossless_and_give_numbers_below_100_one_token(family):
    tokenizer = build_tokenizer(family)
    worked = next(generate(3, "train"))
    for steps in (style(worked) for style in STYLES.values()):
        text = SEPARATOR.join(steps) + " é ∑ 漢字 \\frac{12}{345}"
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
    assert all(len(tokenizer.encode(str(n), add_special_tokens=False)) == 1 for n in range(100))


def test_every_family_has_the_same_ids():
    first, *others = (build_tokenizer(family).get_vocab() for family in FAMILIES)
    assert all(other == first for other in others)


def test_a_training_example_has_the_ids_of_its_whole_text():
    tokenizer = build_tokenizer("qwen")
    for worked in itertools.islice(generate(4, "train"), 50):
        example = encode(worked, tokenizer, "qwen", random.Random(0))
        turn = [{"role": "user", "content": worked.question}]
        prompt = tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        solution = SEPARATOR.join(STYLES["qwen"](worked)) + tokenizer.eos_token
        assert example.ids == tokenizer.encode(prompt + solution, add_special_tokens=False)
        learned = [token for token, counts in zip(example.ids, example.learned, strict=True) if counts]
        assert tokenizer.decode(learned) == solution


class Endings:
    """A policy whose whole solutions are right or slip in the second step, and whose endings are mostly right."""

    def __init__(self, worked):
        right = STYLES["llama"](worked)
        wrong = [right[0], right[1] + "0", *right[2:-1], "The final answer is: $\\boxed{no}$"]
        self.right, self.wrong = SEPARATOR.join(right), SEPARATOR.join(wrong)
        self.tokenizer, self.asked = build_tokenizer("llama"), []

    async def sample(self, path, *, n, seed, temperature, max_tokens):
        if not path.steps:
            return [Step(self.right), Step(self.wrong)]
        before = path.steps[0].text
        self.asked.append(before)
        whole = self.right if self.right.startswith(before) else self.wrong
        return [Step(whole[len(before) :])] * 3 + [Step("\\boxed{no}")]


def test_monte_carlo_labels_are_the_share_of_endings_that_come_out_right():
    worked = next(w for w in generate(1, "train") if w.level == 3)
    policy = Endings(worked)
    row = asyncio.run(roll_out(worked, 0, policy, "llama", 2))
    labels = {solution["wrong"]: solution["shares"] for solution in row["sampled"]}
    steps = len(STYLES["llama"](worked))
    assert labels == {-1: [0.75] * (steps - 1) + [1.0], 1: [0.75, *[0.0] * (steps - 1)]}
    # The first step is asked for once, and nothing behind the step with share 0.
    assert len(policy.asked) == len(set(policy.asked)) == steps


def test_consensus_keeps_only_labels_that_the_exact_check_shares():
    right = ["a", "b", "c"]
    agreed = {"steps": ["a", "x", "y"], "wrong": 1, "shares": [0.5, 0.0, 0.0]}
    noisy = {"steps": ["a", "b", "z"], "wrong": 2, "shares": [0.5, 0.0, 0.0]}
    assert [first_zero(solution["shares"]) for solution in (agreed, noisy)] == [1, 1]
    row = {"question": "q", "right": right, "sampled": [agreed, noisy]}

    def kinds(labels):
        found = (sampled(row, random.Random(seed), labels) for seed in range(60))
        return {(example.steps, example.wrong, example.expected) for example in found if example}

    assert kinds("consensus") == {(("a",), -1, ""), (("a", "x"), 1, "b")}
    assert kinds("monte_carlo") == {(("a",), -1, ""), (("a", "x"), 1, "b"), (("a", "b"), 1, "")}
