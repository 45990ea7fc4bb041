"""Search methods under a scripted policy and PRM: every expected trajectory is derived by hand.

Run: python -m pytest tests/test_search.py
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedPolicy, ScriptedPRM, problems

from ttslib.policies.base import Step
from ttslib.prms.base import Unread
from ttslib.problems import Problem
from ttslib.runner import solve
from ttslib.search import METHODS, Node, SearchConfig, Tree, beam_search, best_of_n, cot, dvts, read
from ttslib.search.beam_search import distinct
from ttslib.search.best_of_n import split
from ttslib.search.tree import boxed, sample_seed

PROBLEM = Problem("p1", "What is 1 + 1?", "2")
SEP = "\n\n"


def step(word: str, finish: str = "step", tokens: int = 1) -> Step:
    """A step named `word`; "X!" holds a boxed answer."""
    text = word[:-1] + r" \boxed{2}" if word.endswith("!") else word
    return Step(text + (SEP if finish == "step" else ""), tuple(range(tokens)), finish, -1.0)


def words(trajectory) -> str:
    return " ".join(text.replace(r" \boxed{2}", "!").strip() for text in trajectory.steps)


@dataclass
class Script:
    """Policy: the words of a path -> the steps to return, cut to n. PRM: the last word -> its score; it reads at most
    `context` steps, and none of the words in `unread`, which says why."""

    steps: dict[str, list[Step]]
    scores: dict[str, float] = field(default_factory=dict)
    name: str = "script"
    revision: str = "1"
    separator: str = SEP
    context: int = 99
    unread: dict[str, Unread | None] = field(default_factory=dict)
    asked: list = field(default_factory=list)
    scored: list = field(default_factory=list)

    async def sample(self, path, *, n, seed, temperature=0.7, stop=None, max_tokens=2048):
        key = words(path_texts(path))
        self.asked.append((key, n, seed, temperature, stop, max_tokens))
        await asyncio.sleep(random.random() / 1000)  # replies come back in any order
        return self.steps[key][:n]

    async def score(self, paths):
        keys = [[words(One([each.text])) for each in path.steps] for path in paths]
        self.scored.append([key[-1] for key in keys])
        new = [key[len(path.scores) :] for key, path in zip(keys, paths, strict=True)]
        return [
            self.unread.get(key[-1]) if len(key) > self.context or key[-1] in self.unread
            else [self.scores[word] for word in each]
            for each, key in zip(new, keys, strict=True)
        ]


@dataclass
class One:
    steps: list[str]


def path_texts(path) -> One:
    return One([each.text for each in path.steps])


def run(method, script, unscored=False, **options):
    tree = Tree()
    found = asyncio.run(method(PROBLEM, script, None if unscored else script, tree=tree, **options))
    return found, tree


def test_beams_rank_across_parents_and_finished_beams_take_up_slots():
    # N = 4, M = 2: two slots. c and a are kept; a has ended, so one slot is left at depth 2.
    script = Script(
        {
            "": [step("a!"), step("b"), step("c"), step("d")],
            "c": [step("e"), step("f")],
            "c f": [step("g!"), step("h")],
        },
        {"a!": 0.8, "b": 0.1, "c": 0.9, "d": 0.7, "e": 0.3, "f": 0.4, "g!": 0.2, "h": 0.1},
    )
    found, tree = run(beam_search, script, n=4, width=2)
    assert [words(each) for each in found] == ["a!", "c f g!"]
    assert [each.scores for each in found] == [(0.8,), (0.9, 0.4, 0.2)]
    assert [each.end for each in found] == ["boxed", "boxed"]
    assert found[1].nodes == (2, 5, 6) and found[1].logprob == -3.0
    assert [key for key, *_ in script.asked] == ["", "c", "c f"]
    assert [n for _, n, *_ in script.asked] == [4, 2, 2]
    assert [node.kept for node in tree.nodes] == [True, False, True, False, False, True, True, False]
    assert tree.dropped() == {"rank": 4, "length": 0, "duplicate": 0}


def test_candidates_of_all_live_beams_are_ranked_together():
    script = Script(
        {
            "": [step("a"), step("b"), step("c"), step("d")],
            "a": [step("e!"), step("f!")],
            "b": [step("g!"), step("h!")],
        },
        {"a": 0.9, "b": 0.8, "c": 0.1, "d": 0.1, "e!": 0.1, "f!": 0.2, "g!": 0.6, "h!": 0.7},
    )
    found, _ = run(beam_search, script, n=4, width=2)
    assert [words(each) for each in found] == ["b h!", "b g!"]
    assert script.scored == [["a", "b", "c", "d"], ["e!", "f!", "g!", "h!"]]  # one call a depth


def test_a_finished_path_that_is_not_kept_is_no_answer():
    script = Script(
        {"": [step("a!"), step("b")], "b": [step("c!"), step("d!")]},
        {"a!": 0.4, "b": 0.5, "c!": 0.1, "d!": 0.2},
    )
    found, _ = run(beam_search, script, n=2, width=2)
    assert [words(each) for each in found] == ["b d!"]


def test_ties_keep_sampling_order_which_starts_with_the_better_parent():
    script = Script(
        {
            "": [step("a"), step("b"), step("c"), step("d")],
            "b": [step("e!"), step("f!")],
            "a": [step("g!"), step("h!")],
        },
        {"a": 0.5, "b": 0.9, "c": 0.5, "d": 0.5, "e!": 0.5, "f!": 0.1, "g!": 0.5, "h!": 0.5},
    )
    found, _ = run(beam_search, script, n=4, width=2)
    assert [words(each) for each in found] == ["b e!", "a g!"]


def test_duplicates_are_scored_and_expanded_once_and_counted():
    script = Script(
        {
            "": [step("a"), step("b"), step("a"), step("a")],
            "a": [step("c!"), step("c!")],
            "b": [step("d!"), step("e!")],
        },
        {"a": 0.9, "b": 0.8, "c!": 0.7, "d!": 0.1, "e!": 0.2},
    )
    found, tree = run(beam_search, script, n=4, width=2)
    assert [words(each) for each in found] == ["a c!", "b e!"]
    assert script.scored == [["a", "b"], ["c!", "d!", "e!"]]
    assert [node.copies for node in tree.nodes] == [3, 1, 2, 1, 1]
    assert tree.dropped() == {"rank": 1, "length": 0, "duplicate": 3}


def test_duplicates_can_leave_fewer_answers_than_slots():
    script = Script({"": [step("a!")] * 4}, {"a!": 0.9})
    found, tree = run(beam_search, script, n=4, width=2)
    assert [words(each) for each in found] == ["a!"] and tree.nodes[0].copies == 4


def test_depth_limit_makes_an_answer_of_a_path_that_goes_on():
    script = Script(
        {"": [step("a"), step("b")], "a": [step("c"), step("d")]},
        {"a": 0.9, "b": 0.1, "c": 0.2, "d": 0.3},
    )
    found, _ = run(beam_search, script, n=2, width=2, max_depth=2)
    assert [(words(each), each.end) for each in found] == [("a d", "depth")]
    assert len(script.asked) == 2
    found, _ = run(beam_search, script, n=2, width=2, max_depth=1)
    assert [(words(each), each.end) for each in found] == [("a", "depth")]


def test_default_depth_limit_is_40():
    script = Script({" ".join(["a"] * depth): [step("a")] * 4 for depth in range(45)}, {"a": 0.5})
    found, _ = run(beam_search, script, n=4)
    assert len(found) == 1 and len(found[0].steps) == 40 and found[0].end == "depth"


def test_end_of_sequence_ends_a_path_without_a_box():
    script = Script({"": [step("a", "eos"), step("b")]}, {"a": 0.9, "b": 0.1})
    found, _ = run(beam_search, script, n=2, width=2)
    assert [(words(each), each.end) for each in found] == [("a", "eos")]


def test_a_cut_step_is_recorded_and_dropped_unscored():
    script = Script(
        {"": [step("a", "length"), step("b")], "b": [step("c!"), step("d", "length")]},
        {"a": 1.0, "b": 0.1, "c!": 0.1, "d": 1.0},
    )
    found, tree = run(beam_search, script, n=2, width=2)
    assert [words(each) for each in found] == ["b c!"]
    assert script.scored == [["b"], ["c!"]]
    assert [(node.finish, node.end, node.score) for node in tree.nodes][0] == ("length", "length", None)
    assert tree.dropped() == {"rank": 0, "length": 2, "duplicate": 0}


def test_first_steps_that_are_all_cut_are_sampled_again_and_then_ranked():
    blank = Step(" \n", (0,), "length")
    script = Script({"": [step("a", "length"), step("b", "length"), blank]}, {"a": 0.3, "b": 0.4})
    found, tree = run(beam_search, script, n=3, width=3)
    assert [(words(each), each.end, each.scores) for each in found] == [("b", "length", (0.4,))]
    assert len({seed for _, _, seed, *_ in script.asked}) == len(script.asked) == 3 and script.scored == [["a", "b"]]
    assert tree.dropped() == {"rank": 1, "length": 4, "duplicate": 0, "blank": 3}


@pytest.mark.parametrize("bad", [("c", "length"), (" \n", "step"), ("", "step"), ("\t", "length")])
def test_a_path_without_a_whole_continuation_in_three_tries_is_an_answer(bad):
    nothing = Step(*bad[:1], (0,), bad[1])
    script = Script({"": [step("a"), step("b!")], "a": [nothing, nothing]}, {"a": 0.9, "b!": 0.1})
    found, tree = run(beam_search, script, n=2, width=2)
    assert [(words(each), each.end, each.scores) for each in found] == [("a", "length", (0.9,))]
    assert [key for key, *_ in script.asked] == ["", "a", "a", "a"]
    assert len({seed for _, _, seed, *_ in script.asked}) == 4 and tree.nodes[0].end == "length"
    lost = {"blank": 6, "length": 0, "duplicate": 0} if not bad[0].strip() else {"length": 3, "duplicate": 3}
    assert tree.dropped() == {"rank": 1} | lost


def test_a_second_try_that_gives_a_whole_continuation_is_the_last():
    class Later(Script):
        async def sample(self, path, **options):
            await super().sample(path, **options)
            tries = len([key for key, *_ in self.asked if key == "a"])
            return self.steps["a" if tries == 2 else "cut" if path.steps else ""]

    script = Later(
        {"": [step("a"), step("b")], "cut": [step("c", "length"), Step("", (), "step")],
         "a": [step("d!"), step("c", "length")]}, {"a": 0.9, "b": 0.1, "d!": 0.5, "c": 1.0},
    )  # fmt: skip
    found, tree = run(beam_search, script, n=2, width=2)
    assert [words(each) for each in found] == ["a d!"] and [key for key, *_ in script.asked] == ["", "a", "a"]
    assert script.scored == [["a", "b"], ["d!"]]
    assert tree.dropped() == {"rank": 1, "length": 2, "duplicate": 0, "blank": 1}


def test_a_path_that_is_finished_so_takes_its_place_in_rank_order():
    first = [step("a"), step("b!"), step("c"), step("d"), step("d"), step("d")]
    script = Script(
        {"": first, "a": [step("x", "length")] * 2, "c": [step("e!"), step("f")]},
        {"a": 0.9, "b!": 0.8, "c": 0.7, "d": 0.1, "e!": 0.6, "f": 0.5},
    )
    found, _ = run(beam_search, script, n=6, width=2)
    assert [(words(each), each.end) for each in found] == [("a", "length"), ("b!", "boxed"), ("c e!", "boxed")]


def test_a_box_counts_even_if_the_step_is_cut_after_it():
    script = Script({"": [step("a!", "length"), step("b")]}, {"a!": 0.9, "b": 0.1})
    found, tree = run(beam_search, script, n=2, width=2)
    assert [(words(each), each.end) for each in found] == [("a!", "boxed")]
    assert tree.nodes[0].finish == "length"


def test_a_box_may_open_in_one_step_and_close_in_the_next():
    script = Script(
        {"": [step(r"\boxed{1"), step("b")], r"\boxed{1": [step("}"), step("c")]},
        {r"\boxed{1": 0.9, "b": 0.1, "}": 0.5, "c": 0.4},
    )
    found, _ = run(beam_search, script, n=2, width=2)
    assert [(each.end, len(each.steps)) for each in found] == [("boxed", 2)]


def test_token_limits_bound_each_step_and_the_path():
    script = Script(
        {"": [step("a", tokens=6), step("b")], "a": [step("c", tokens=4), step("d", tokens=3)]},
        {"a": 0.9, "b": 0.1, "c": 0.9, "d": 0.1},
    )
    found, _ = run(beam_search, script, n=2, width=2, max_step_tokens=8, max_tokens=10)
    assert [ask[-1] for ask in script.asked] == [8, 4]  # 10 - 6 are left for the second step
    assert [(words(each), each.end) for each in found] == [("a c", "length")]


@pytest.mark.parametrize("method", [beam_search, dvts])
@pytest.mark.parametrize("n, width", [(6, 4), (2, 4), (0, 4), (4, 0), (-4, 4)])
def test_a_budget_that_the_width_does_not_divide_is_an_error(method, n, width):
    with pytest.raises(ValueError, match="multiple of M " if n > 0 and width > 0 else "at least 1, not"):
        run(method, Script({}), n=n, width=width)


def test_settings_without_sense_are_errors():
    with pytest.raises(ValueError, match="max_depth"):
        run(beam_search, Script({}), n=4, max_depth=0)
    with pytest.raises(ValueError, match="pass a PRM"):
        asyncio.run(beam_search(PROBLEM, Script({}), None, n=4))
    with pytest.raises(ValueError, match="n is a whole number, at least 1, not 0"):
        run(best_of_n, Script({}), n=0)
    with pytest.raises(ValueError, match="There is no setting 'depth': give some of n, width"):
        run(best_of_n, Script({}), depth=3)


class Forest:
    """A random but fixed world: what is sampled and scored depends on the seed and the text alone."""

    name, revision, separator = "forest", "1", SEP

    def __init__(self, noise: int = 0):
        self.noise, self.seeds = noise, []

    async def sample(self, path, *, n, seed, temperature=0.7, stop=None, max_tokens=2048):
        self.seeds.append(seed)
        draw = random.Random(seed)
        if stop is None:
            return [Step(SEP.join(str(draw.random()) for _ in range(3)), (1, 2), "eos") for _ in range(n)]
        for _ in range(random.randrange(3)):  # a different order of replies each time
            await asyncio.sleep(0)
        found = []
        for _ in range(n):
            word, kind = str(draw.randrange(8)), draw.randrange(10)
            finish = ("step", "step", "eos", "length", "length")[kind] if kind < 5 else "step"
            found.append(step(word + "!" if kind < 2 else word, finish))
        return found

    async def score(self, paths):
        await asyncio.sleep(0)
        return [
            [
                random.Random(f"{self.noise} {path.steps[: at + 1]}").randrange(5) / 4
                for at in range(len(path.scores), len(path.steps))
            ]
            for path in paths
        ]


@pytest.mark.parametrize("seed", range(20))
def test_beam_and_dvts_are_the_same_path_at_n_equal_to_m(seed):
    beam, beam_tree = run(beam_search, Forest(), n=4, seed=seed)
    pooled, dvts_tree = run(dvts, Forest(), n=4, seed=seed)
    assert len(beam) == 1 and pooled == beam and dvts_tree == beam_tree


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), width=st.sampled_from([1, 2, 4]), kept=st.integers(1, 4))
def test_dvts_is_independent_subtrees_pooled(seed, width, kept):
    found, tree = run(dvts, Forest(), n=kept * width, width=width, seed=seed, max_depth=6)
    assert [each.subtree for each in found] == list(range(kept))
    more, _ = run(dvts, Forest(), n=(kept + 1) * width, width=width, seed=seed, max_depth=6)
    assert more[:kept] == found
    for each in found:
        assert tuple(tree.nodes[node].text for node in each.nodes) == each.steps
        assert {tree.nodes[node].subtree for node in each.nodes} == {each.subtree}


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), width=st.sampled_from([1, 2, 4]), kept=st.integers(1, 4))
def test_whatever_is_sampled_the_rules_hold(seed, width, kept):
    script = Forest(noise=seed)
    found, tree = run(beam_search, script, n=kept * width, width=width, seed=seed, max_depth=6)
    again, same = run(beam_search, Forest(noise=seed), n=kept * width, width=width, seed=seed, max_depth=6)
    assert found == again and tree == same and Tree.from_json(tree.to_json()) == tree
    assert 1 <= len(found) <= kept and len(set(script.seeds)) == len(script.seeds)
    for each in found:
        nodes = [tree.nodes[node] for node in each.nodes]
        assert each.scores == tuple(node.score for node in nodes)
        assert each.steps == tuple(node.text for node in nodes)
        assert all(node.kept for node in nodes) and not any(node.end for node in nodes[:-1])
        assert each.end == nodes[-1].end and [node.depth for node in nodes] == list(range(1, len(nodes) + 1))
    for depth in range(1, 7):
        level = [node for node in tree.nodes if node.depth == depth]
        done = sum(node.kept and node.end is not None for node in tree.nodes if node.depth < depth)
        scored = [node for node in level if node.score is not None]
        assert sum(node.kept for node in level) == min(kept - done, len(scored))
        worst = min((node.score for node in scored if node.kept), default=0)
        assert all(node.score <= worst for node in scored if not node.kept)
    sampled = sum(node.copies for node in tree.nodes)
    parents = {node.parent for node in tree.nodes} - {None}
    assert all(tree.nodes[parent].kept for parent in parents)
    again = len(script.seeds) - 1 - len(parents)
    first = sum(node.copies for node in tree.nodes if node.depth == 1)
    tries = first // (kept * width)
    assert first % (kept * width) == 0 and sampled == first + (len(parents) + again - tries + 1) * width
    assert sampled == sum(node.kept for node in tree.nodes) + sum(tree.dropped().values())


class World:
    """A random world whose samples depend on the path and on how often it was continued before; scores never tie."""

    name, revision, separator = "world", "1", SEP

    def __init__(self, seed: int, blanks: bool):
        self.seed, self.blanks, self.tries = seed, blanks, Counter()

    def draw(self, texts: tuple[str, ...], n: int) -> list[tuple[str, str]]:
        """(text, finish) of each sample: few words, so many are the same, some with other blanks around them."""
        self.tries[texts] += 1
        draw = random.Random(f"{self.seed} {texts} {self.tries[texts]}")
        found = []
        cut = draw.choice([0.1, 0.1, 0.9])
        for _ in range(n):
            if draw.random() < cut and (texts or found):
                found.append((draw.choice("abc"), "length"))
            elif self.blanks and draw.random() < 0.3:
                found.append((draw.choice(["", " ", SEP]), draw.choice(["eos", "step", "length"])))
            else:
                word = draw.choice(["", " ", "\n"]) + draw.choice("abcde") + draw.choice(["", "", r" \boxed{2}"])
                finish = draw.choice(["step", "step", "step", "eos"])
                found.append((word + (SEP if finish == "step" else draw.choice(["", "\n"])), finish))
        return found

    def value(self, texts: tuple[str, ...]) -> float:
        return random.Random(f"{self.seed} score {texts}").random()

    async def sample(self, path, *, n, **options):
        texts = tuple(each.text.strip() for each in path.steps)
        return [Step(text, (1,), finish) for text, finish in self.draw(texts, n)]

    async def score(self, paths):
        texts = [tuple(each.text.strip() for each in path.steps) for path in paths]
        return [
            [self.value(each[: at + 1]) for at in range(len(path.scores), len(each))]
            for path, each in zip(paths, texts, strict=True)
        ]


def published(world: World, width: int, depth: int) -> list[tuple[str, ...]]:
    """The published code's beam search that keeps one path, from the facts that the module's docstring names."""

    def continuations(texts):
        found = {}
        for text, finish in world.draw(texts, width):
            if finish != "length":
                found.setdefault(text.strip(), not text.endswith(SEP))
        return found

    texts, options = (), continuations(())
    while True:
        best = max(options, key=lambda text: world.value((*texts, text)))
        texts, ended = (*texts, best), options[best] or "boxed" in best or len(texts) == depth - 1
        tries = 0
        options = {}
        while not ended and not options and tries < 3:
            options, tries = continuations(texts), tries + 1
        if not options:
            return texts


@settings(deadline=None, max_examples=300)
@given(seed=st.integers(0, 10**9))
def test_without_blanks_one_kept_path_is_that_of_the_published_code(seed):
    found, _ = run(beam_search, World(seed, blanks=False), n=4, max_depth=5)
    assert [tuple(text.strip() for text in each.steps) for each in found] == [published(World(seed, False), 4, 5)]


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 10**9), width=st.sampled_from([2, 4]), kept=st.integers(1, 3), method=st.booleans())
def test_whatever_is_blank_or_cut_every_sample_is_accounted_for(seed, width, kept, method):
    search = (beam_search, dvts)[method]
    found, tree = run(search, World(seed, blanks=True), n=kept * width, width=width, max_depth=5)
    assert len(found) <= kept
    for each in found:
        assert all(text.strip() for text in each.steps) and len(each.steps) == len(each.scores) == len(each.nodes)
        nodes = [tree.nodes[node] for node in each.nodes]
        assert all(node.kept for node in nodes) and [node.score for node in nodes] == list(each.scores)
    sampled = sum(node.copies for node in tree.nodes)
    assert sampled == sum(node.kept for node in tree.nodes) + sum(tree.dropped().values())
    assert not any(node.score is not None for node in tree.nodes if node.blank)
    assert Tree.from_json(tree.to_json()) == tree


def test_best_of_n_splits_and_scores_afterwards():
    twice = Step(f"a{SEP}b{SEP}", (1, 2), "eos", -2.0)
    cut = Step(f"{SEP}a{SEP} {SEP}c!", (1,), "length")
    script = Script({"": [twice, cut, twice, Step(" \n", (), "eos")]}, {"a": 0.5, "b": 0.25, "c!": 0.75})
    found, tree = run(best_of_n, script, n=4)
    first = (f"a{SEP}", f"b{SEP}")
    assert [each.steps for each in found] == [first, (f"a{SEP}", "c!"), first, ()]
    assert [each.scores for each in found] == [(0.5, 0.25), (0.5, 0.75), (0.5, 0.25), ()]
    assert [each.end for each in found] == ["eos", "length", "eos", "eos"]
    assert script.scored == [["b", "c!"]]  # one call, equal texts once
    assert script.asked[0][1:] == (4, sample_seed(0, "p1"), 0.7, None, 8192)
    assert [node.parent for node in tree.nodes if node.kept] == [None, 0, None, 3, None, 6]
    assert [node.text for node in tree.nodes if not node.kept] == [SEP, f" {SEP}", " \n"]
    assert tree.dropped() == {"rank": 0, "length": 0, "duplicate": 0, "blank": 3}
    assert sum(node.tokens for node in tree.nodes) == 5 and tree.nodes[1].logprob == -2.0


def test_what_the_prm_cannot_read_is_recorded_and_not_kept():
    script = Script(
        {"": [step("a"), step("b!", "eos"), step("c"), step("d")], "a": [step("e!"), step("f!")]},
        {"a": 0.9, "b!": 0.8, "c": 0.1, "d": 0.1}, context=1,
    )  # fmt: skip
    found, tree = run(beam_search, script, n=4, width=2)
    assert [words(each) for each in found] == ["b!"]
    assert [node.score for node in tree.nodes] == [0.9, 0.8, 0.1, 0.1, None, None]
    assert tree.dropped() == {"rank": 2, "length": 2, "duplicate": 0}


def test_a_search_without_answers_for_want_of_scores_is_an_error_with_its_reason():
    marked = {"ab": Unread.MARKER, "c": None, "d": None}
    for method, n in ((beam_search, 4), (dvts, 4), (beam_search, 2)):
        script = Script({"": [step("a"), step("b"), step("c"), step("d")]}, {}, unread=marked | {"a": None, "b": None})
        with pytest.raises(ValueError, match=r"p1 found no answer, since script could not read .* \(longer .*: \d\)"):
            run(method, script, n=n, width=2)
    script = Script({"": [step("a"), step("b!"), step("ab"), step("d")]}, {"a": 0.9, "b!": 0.1}, unread=marked)
    found, tree = run(beam_search, script, n=4, width=4, max_depth=1)
    assert [words(each) for each in found] == ["a"] and [node.kept for node in tree.nodes] == [True] + [False] * 3
    assert [node.unread for node in tree.nodes] == [None, None, Unread.MARKER, Unread.LONG]
    assert tree.dropped() == {"rank": 1, "length": 1, "marker": 1, "duplicate": 0}
    assert Tree.from_json(json.dumps(tree.to_json())) == tree


@pytest.mark.parametrize("method", ["beam_search", "dvts"])
def test_such_a_search_is_a_failed_cell_and_never_wrong(method, tmp_path):
    options = {"method": method, "n": 4, "store": tmp_path, "progress": False}
    failed = solve(problems(3), ScriptedPolicy(), ScriptedPRM(context=0), **options)
    assert len(failed.failures) == 3 and failed.correct("prm_last_vote") == [None] * 3
    assert all("longer than the PRM can read" in record.reason for record in failed)
    assert all(record.search_tree().dropped()["length"] for record in failed)


def test_a_subtree_whose_paths_cannot_be_read_leaves_the_answers_of_the_others():
    class Second(Script):
        async def sample(self, path, *, seed, **options):
            first = seed == sample_seed(0, "p1", 0)
            return [step("a!"), step("b")] if first else [step("c"), step("c")]

    found, tree = run(dvts, Second({}, {"a!": 0.9, "b": 0.1}, unread={"c": Unread.MARKER}), n=4, width=2)
    assert [words(each) for each in found] == ["a!"] and tree.dropped()["marker"] == 1


def test_a_tree_of_old_records_still_loads():
    nodes = Tree([Node(0, None, 1, "a", 1, 0.5, "eos", 0.0)]).to_json()["nodes"]
    nodes[0].pop("unread")
    assert Tree.from_json({"nodes": nodes}).nodes[0].unread is None


def test_a_solution_that_the_prm_cannot_read_is_kept_without_scores():
    script = Script({"": [step("a!", "eos"), Step(f"b{SEP}c!", (1,), "eos")]}, {"a!": 0.5}, context=1)
    found, tree = run(best_of_n, script, n=2)
    assert [each.scores for each in found] == [(0.5,), ()] and [node.score for node in tree.nodes] == [0.5, None, None]
    assert [node.unread for node in tree.nodes] == [None, None, Unread.LONG]


@pytest.mark.parametrize("reason", [None, Unread.LONG, Unread.MARKER])
def test_a_sample_that_cannot_be_read_costs_the_others_nothing(reason):
    script = Script({"": [step("a!", "eos"), step("x", "eos"), step("b!", "eos"), step("x", "eos")]},
                    {"a!": 0.5, "b!": 0.7}, unread={"x": reason})  # fmt: skip
    found, tree = run(best_of_n, script, n=4)
    assert [each.scores for each in found] == [(0.5,), (), (0.7,), ()]
    assert [node.unread for node in tree.nodes] == [None, reason or Unread.LONG] * 2
    assert not any(tree.dropped().values())


def test_best_of_n_needs_no_prm():
    script = Script({"": [step("a!", "eos"), step("b", "eos")]})
    found = asyncio.run(best_of_n(PROBLEM, script, None, n=2))
    assert [(each.text, each.scores, each.end) for each in found] == [
        (r"a \boxed{2}", (), "boxed"),
        ("b", (), "eos"),
    ]


def test_cot_is_one_greedy_sample():
    script = Script({"": [step("a!", "eos")]}, {"a!": 1.0})
    found = asyncio.run(cot(PROBLEM, script, None, n=16, top_p=0.5))
    assert len(found) == 1 and script.asked[0][1] == 1 and script.asked[0][3] == 0.0
    assert asyncio.run(cot(PROBLEM, script, None, cot_temperature=0.6)) == found and script.asked[1][3] == 0.6


def test_the_methods_of_the_package():
    own = {name: method for name, method in METHODS.items() if type(method).__module__.startswith("ttslib.")}
    assert list(own) == ["cot", "best_of_n", "beam_search", "dvts", "read"]
    for name, method in own.items():
        assert method.name == name and method.version == "" and method.look.label and method.__doc__
        assert set(method.uses) <= set(vars(SearchConfig()))


def test_a_given_solution_is_read():
    script = Script({}, {"a": 0.9, "b": 0.4})
    given = replace(PROBLEM, steps=(f"a{SEP}", "b"))
    (found,) = asyncio.run(read(given, None, script))
    assert (found.steps, found.scores, found.end) == ((f"a{SEP}", "b"), (0.9, 0.4), "eos")
    script.unread["b"] = Unread.MARKER
    tree = Tree()
    (found,) = asyncio.run(read(given, None, script, tree=tree))
    assert found.scores == () and tree.nodes[-1].unread == Unread.MARKER
    with pytest.raises(ValueError, match="p1 comes without a solution to read"):
        asyncio.run(read(PROBLEM, None, script))
    with pytest.raises(ValueError, match="pass a PRM"):
        asyncio.run(read(given, None, None))


@pytest.mark.parametrize("reply", [[[float("nan")]], [[1.5]], [[]], [], [[0.1, 0.2]]])
def test_a_bad_score_is_an_error_and_never_a_zero(reply):
    class Bad(Script):
        async def score(self, paths):
            return reply

    with pytest.raises(ValueError, match="PRM script"):
        run(beam_search, Bad({"": [step("a")]}), n=1, width=1)


def test_a_short_reply_of_the_policy_is_an_error():
    with pytest.raises(ValueError, match="returned 1 samples where 4"):
        run(beam_search, Script({"": [step("a")]}), n=4)


def test_a_failing_call_cancels_its_siblings_and_keeps_its_error():
    cancelled = []

    class Fails(Script):
        async def sample(self, path, *, seed, **options):
            if not path.steps:
                return [step("a"), step("b"), step("c"), step("d")]
            if path.steps[0].text.startswith("a"):
                raise RuntimeError("engine died")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(path)
                raise

    with pytest.raises(RuntimeError, match="engine died"):
        run(beam_search, Fails({}, dict.fromkeys("abcd", 0.5)), n=4, width=2)
    assert len(cancelled) == 1


CLOSED = [r"so \boxed{2}", r"\boxed{\frac{1}{2}}", r"\boxed {3}", r"\boxed{\{1, 2\}}"]
CLOSED += [r"\boxed{1} then \boxed{2", r"\boxed{1 \boxed{2}", r"} \boxed{2}", r"{ \boxed{2}"]
OPEN = [r"\boxed{2", r"\boxed{\frac{1}{2}", r"\boxed", "{2}", r"\boxed{\}", "", r"\boxed{" * 100_000]


def test_boxed():
    assert all(boxed(text) for text in CLOSED) and not any(boxed(text) for text in OPEN)


def test_split_and_distinct():
    assert split("a", SEP) == ("a",) and split("", SEP) == ()
    assert split(f"a\n{SEP}b", SEP) == (f"a{SEP}", "\nb") and split(f"{SEP}a{SEP} ", SEP) == (SEP, f"a{SEP}", " ")
    same, ended, cut = step("a"), Step(f" a{SEP}\n", (), "eos"), step("a", "length")
    can = [True, True, False, True]
    assert distinct([same, ended, cut, same], can) == [(0, same, 3, True), (2, cut, 1, False)]


@pytest.mark.parametrize("tail", ["", "\n", SEP, f"{SEP}{SEP}", "  "])
def test_siblings_that_differ_in_blanks_alone_take_one_slot(tail):
    twice = [Step(f"a{tail}", (1,), "eos"), Step(f"a{SEP}", (1,))]
    script = Script({"": [*twice, step("b!"), *twice, twice[0]]}, {"a": 0.9, "b!": 0.8})
    found, tree = run(beam_search, script, n=6, width=3)
    assert [(words(each), each.end) for each in found] == [("a", "eos"), ("b!", "boxed")]
    assert [node.copies for node in tree.nodes] == [5, 1] and tree.dropped()["duplicate"] == 4


def test_a_cut_step_does_not_stand_for_a_whole_one():
    script = Script({"": [step("a", "length"), step("a", "eos"), step("b!")]}, {"a": 0.9, "b!": 0.1})
    found, _ = run(beam_search, script, n=3, width=3)
    assert [(words(each), each.end) for each in found] == [("a", "eos")]


PROMPTED = [r"put it in \boxed{}.", r"$\boxed{answer}$", r"\boxed{\text{your answer}}", r"\fbox{...}"]


@pytest.mark.parametrize("method", [beam_search, dvts])
@pytest.mark.parametrize("quoted", PROMPTED)
def test_a_box_without_an_answer_does_not_end_a_path(method, quoted):
    script = Script({"": [Step(quoted + SEP), step("b")], quoted: [step("c!"), step("d")]},
                    {quoted: 0.9, "b": 0.1, "c!": 0.5, "d": 0.1})  # fmt: skip
    found, _ = run(method, script, n=2, width=2)
    assert [(words(each), each.end) for each in found] == [(f"{quoted} c!", "boxed")]


@pytest.mark.parametrize("quoted", PROMPTED)
def test_a_box_without_an_answer_is_no_box_of_a_whole_solution(quoted):
    script = Script({"": [Step(quoted, (1,), "eos"), Step(quoted, (1,), "length")]})
    found, _ = run(best_of_n, script, n=2, unscored=True)
    assert [each.end for each in found] == ["eos", "length"]


@pytest.mark.parametrize("blank", ["", " ", "\n", SEP, f" {SEP}"])
def test_a_step_without_text_is_no_step(blank):
    script = Script(
        {"": [Step(blank, (1,)), step("a"), step("b"), Step(blank, (1,), "eos")],
         "a": [Step(blank, (1,)), step("c!"), Step(blank, (1,)), step("d")]},
        {"a": 0.9, "b": 0.1, "c!": 0.5, "d": 0.2},
    )  # fmt: skip
    found, tree = run(beam_search, script, n=4)
    assert [words(each) for each in found] == ["a c!"] and script.scored == [["a", "b"], ["c!", "d"]]
    assert tree.dropped() == {"rank": 2, "length": 0, "duplicate": 0, "blank": 4}
    assert all(node.score is None for node in tree.nodes if node.blank)


@pytest.mark.parametrize("blank", ["", " \n", SEP])
@pytest.mark.parametrize(("other", "chosen"), [(0.95, "a c!"), (0.9, "a"), (0.1, "a")])
def test_a_text_that_ends_with_a_blank_ends_the_path_before_it(blank, other, chosen):
    end = Step(blank, (1,), "eos")
    script = Script(
        {"": [step("a"), step("b")] * 2, "a": [end, step("c!"), end, step("d")]},
        {"a": 0.9, "b": 0.1, "c!": other, "d": 0.2},
    )
    found, tree = run(beam_search, script, n=4)
    assert [words(each) for each in found] == [chosen] and script.scored == [["a", "b"], ["c!", "d"]]
    if chosen == "a":
        assert (found[0].end, found[0].scores, found[0].steps, found[0].nodes) == ("eos", (0.9,), (f"a{SEP}",), (0,))
        assert tree.dropped() == {"rank": 3, "length": 0, "duplicate": 3}
    else:
        assert tree.dropped() == {"rank": 2, "length": 0, "duplicate": 2, "blank": 2}


def test_a_policy_that_writes_nothing_gives_no_answer():
    found, tree = run(beam_search, Script({"": [Step("", (), "eos")] * 4}), n=4)
    assert found == [] and tree.dropped()["blank"] == 12


@pytest.mark.parametrize("method", ["cot", "best_of_n", "beam_search", "dvts"])
def test_lone_surrogates_in_a_reply_are_replaced(method, tmp_path):
    class Broken(ScriptedPolicy):
        def _step(self, *args):
            step = super()._step(*args)
            return replace(step, text=f"\ud800{step.text}\udfff")

    results = solve(problems(3), Broken(), ScriptedPRM(), method=method, n=4, store=tmp_path, progress=False)
    assert not results.failures
    assert all("\ufffd" in path.text for record in results for path in record.paths())


def test_seeds_are_fixed_for_ever():
    assert sample_seed(0, "p1") == 2007679192 and sample_seed(3, "p1", 2, (1, 0)) == 460092918
    assert (
        len(
            {
                sample_seed(seed, "p", sub, at)
                for seed in range(5)
                for sub in range(5)
                for at in [(), (0,), (1,), (0, 1), (1, 0), (11,), (1, 1)]
            }
        )
        == 175
    )
