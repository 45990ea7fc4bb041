"""`published_slots`: beam search frees the slots of finished paths as late as the paper's code does.

The rule, in words: the paths of a depth are visited in rank order; an ended one becomes an answer, a live one passes
its continuations on, and the number kept of these is the number of slots less the answers as it was at the last live
path. The search is over when every slot holds an answer.
"""

from __future__ import annotations

import random
from functools import cache

import pytest
from test_search import Script, run, step, words

from ttslib.policies.base import Step
from ttslib.search import SearchConfig, beam_search, dvts

BRANCHING = 4


def test_an_ended_path_below_the_last_live_one_frees_nothing_yet():
    # N = 8, M = 4, two slots. A goes on, B has ended below it: A's two best children are both kept.
    script = Script(
        {
            "": [step("A"), step("B!"), *(step(word) for word in "uvwxyz")],
            "A": [step("c"), step("d!"), step("e"), step("f")],
            "A c": [step("g!"), step("h"), step("i"), step("j")],
        },
        {"A": 0.9, "B!": 0.8, "c": 0.7, "d!": 0.6, "g!": 0.5} | dict.fromkeys("uvwxyzefhij", 0.1),
    )
    found, _ = run(beam_search, script, n=8)
    assert [words(each) for each in found] == ["B!", "A c g!"]
    found, tree = run(beam_search, script, n=8, published_slots=True)
    assert [words(each) for each in found] == ["B!", "A d!"]
    assert [key for key, *_ in script.asked][-3:] == ["", "A", "A c"]  # c is continued too, and then left
    kept, dropped = sum(node.kept for node in tree.nodes), sum(tree.dropped().values())
    assert sum(node.copies for node in tree.nodes) == kept + dropped


def test_an_ended_path_above_the_last_live_one_frees_its_slot_at_once():
    script = Script(
        {
            "": [step("B!"), step("A"), *(step(word) for word in "uvwxyz")],
            "A": [step("c!"), step("d!"), step("e"), step("f")],
        },
        {"B!": 0.9, "A": 0.8, "c!": 0.7, "d!": 0.6} | dict.fromkeys("uvwxyzef", 0.1),
    )
    for late in (False, True):
        found, tree = run(beam_search, script, n=8, published_slots=late)
        assert [words(each) for each in found] == ["B!", "A c!"]
        assert sum(node.kept for node in tree.nodes) == 3


def test_three_slots_two_of_them_late():
    # Three slots. A and C go on, B has ended between them: at C, the last live one, one slot is taken.
    script = Script(
        {
            "": [step("A"), step("B!"), step("C"), *(step(word) for word in "opqrstuvw")],
            "A": [step("d"), step("e"), step("x"), step("x2")],
            "C": [step("f!"), step("y"), step("y2"), step("y3")],
            "A d": [step("g!"), step("z"), step("z2"), step("z3")],
            "A d z": [step("h!"), step("k"), step("k2"), step("k3")],  # kept beside g, which then takes the last slot
        },
        {"A": 0.9, "B!": 0.8, "C": 0.7, "d": 0.6, "f!": 0.5, "e": 0.4, "g!": 0.3, "z": 0.2, "h!": 0.2}
        | dict.fromkeys([*"opqrstuvw", "x", "x2", "y", "y2", "y3", "z2", "z3", "k", "k2", "k3"], 0.1),
    )
    found, _ = run(beam_search, script, n=12, published_slots=True)
    assert [words(each) for each in found] == ["B!", "C f!", "A d g!"]


class TieFree:
    """A world of different words, none of equal score: what follows a path, and its worth, follow from its text."""

    name, revision, separator = "tie-free", "1", "\n\n"

    def __init__(self, seed: int):
        self.seed = seed
        self.continued = cache(self._continued)

    def _continued(self, path: tuple[str, ...], n: int) -> list[str]:
        draw = random.Random(f"{self.seed} {path}")
        ends = draw.choice([0.1, 0.4, 0.7])
        return [f"{place}!" if draw.random() < ends else str(place) for place in range(n)]

    def value(self, path: tuple[str, ...]) -> float:
        return random.Random(f"{self.seed} value {path}").random()

    async def sample(self, path, *, n, **options):
        found = self.continued(named(path), n)
        return [Step(word.replace("!", r" \boxed{2}") + self.separator, (1,), "step") for word in found]

    async def score(self, paths):
        return [
            [self.value(named(path)[: at + 1]) for at in range(len(path.scores), len(path.steps))] for path in paths
        ]


def named(path) -> tuple[str, ...]:
    return tuple(each.text.replace(r" \boxed{2}", "!").strip() for each in path.steps)


def by_the_rule(world: TieFree, n: int, depth: int) -> list[tuple[str, ...]]:
    """The answers that the rule at the top of this file gives."""
    slots, answers, beam = n // BRANCHING, [], [()]
    while beam:
        free, following = slots, []
        for path in beam:
            if path and (path[-1].endswith("!") or len(path) == depth):
                answers.append(path)
                if len(answers) == slots:
                    return answers
            else:
                free = slots - len(answers)
                following += [(*path, word) for word in world.continued(path, BRANCHING if path else n)]
        beam = sorted(following, key=world.value, reverse=True)[:free]
    return answers


@pytest.mark.parametrize("n, worlds, differ", [(4, 60, 0), (8, 100, 17), (16, 100, 37), (64, 20, 15)])
def test_the_rule_on_scripted_worlds(n, worlds, differ):
    """`differ`: in how many of the worlds the default rule finds something else, to a third."""
    others = 0
    for seed in range(worlds):
        world = TieFree(seed)
        found, _ = run(beam_search, world, n=n, max_depth=6, published_slots=True)
        assert [named_text(each) for each in found] == by_the_rule(world, n, 6)
        clean, _ = run(beam_search, world, n=n, max_depth=6)
        others += clean != found
    assert abs(others - differ) <= differ / 3


def named_text(trajectory) -> tuple[str, ...]:
    return tuple(text.replace(r" \boxed{2}", "!").strip() for text in trajectory.steps)


def test_it_is_in_the_address_of_beam_search_alone():
    late, early = SearchConfig(n=8, published_slots=True), SearchConfig(n=8)
    assert beam_search.address(late) != beam_search.address(early)
    assert dvts.address(late) == dvts.address(early)
    with pytest.raises(ValueError, match="published_slots is True or False, not 1"):
        SearchConfig(published_slots=1)
