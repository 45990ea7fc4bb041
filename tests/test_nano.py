"""NanoMATH: disjoint splits, exact step labels, answers our own grader accepts, lossless tokenizers."""

import itertools
import random
from dataclasses import replace

import pytest

from ttslib.nano.benchmark import benchmark
from ttslib.nano.generator import LEVELS, SUBJECTS, generate, normalise_question, split_of
from ttslib.nano.mistakes import mistake
from ttslib.nano.styles import SEPARATOR, STYLES, check_steps
from ttslib.nano.tokenizer import FAMILIES, build_tokenizer
from ttslib.problems import load_problems


def test_the_shipped_benchmark_is_what_the_generator_makes():
    shipped = [(p.question, p.answer, p.subject, p.level) for p in load_problems("nanomath")]
    assert shipped == [(w.question, w.answer, w.subject, w.level) for w in benchmark()]


def test_no_training_question_is_in_the_benchmark():
    test = {normalise_question(p.question) for p in load_problems("nanomath")}
    train = {normalise_question(w.question) for w in itertools.islice(generate(0, "train"), 5000)}
    assert len(test) == 500 and not test & train
    assert all(split_of(question) == "test" for question in test)


def test_every_subject_and_level_is_covered_by_the_first_forty():
    cells = {(p.subject, p.level) for p in load_problems("nanomath", limit=40)}
    assert len(cells) == len(SUBJECTS) * len(LEVELS)


@pytest.mark.parametrize("style", STYLES)
def test_worked_solutions_are_right_and_every_mistake_is_found_where_it_was_made(style):
    rng = random.Random(0)
    for worked in itertools.islice(generate(7, "train"), 300):
        steps = STYLES[style](worked)
        assert check_steps(steps, worked, style) == -1
        place = rng.randrange(len(worked.facts))
        facts = list(worked.facts)
        facts[place] = mistake(facts[place], worked.question, rng)
        assert check_steps(STYLES[style](replace(worked, facts=tuple(facts))), worked, style) == place


@pytest.mark.parametrize("family", FAMILIES)
def test_tokenizers_are_lossless_and_give_numbers_below_100_one_token(family):
    tokenizer = build_tokenizer(family)
    text = SEPARATOR.join(STYLES[family](next(generate(3, "train")))) + " é ∑ 漢字 \\frac{12}{345}"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
    assert all(len(tokenizer.encode(str(n), add_special_tokens=False)) == 1 for n in range(100))
