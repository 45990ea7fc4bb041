"""PRMs: what is reused changes no score, what is forwarded is counted, and errors reach only those they concern."""

import asyncio
import random
import shutil
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config

from ttslib.nano.tokenizer import build_tokenizer
from ttslib.policies.base import Path, Step
from ttslib.prms import FORMATS, load_prm
from ttslib.prms.base import Unread
from ttslib.prms.formats import shared_prefix
from ttslib.prms.prefixes import Prefix, PrefixCache
from ttslib.problems import Problem
from ttslib.usage import Usage, counting
from ttslib.zoo import NANO, ZOO

CONTEXT = 512
PROBLEM = Problem("p0", "Start with 7, then add 5, take away 3. What is the result?", "9")
OTHER = Problem("p1", "Mia has 12 pens and é ∑ 漢字 pens more. How many?", "12")


def write_prm(folder, kind: str) -> None:
    """A PRM with random weights, large enough that its scores differ, as `train_prm` lays it out."""
    tokenizer = build_tokenizer("llama" if kind == "tag" else "qwen")
    tokenizer.add_special_tokens({"additional_special_tokens": ["ки" if kind == "tag" else "<extra_0>"]})
    torch.manual_seed(0)
    config_class, network_class = (
        (LlamaConfig, LlamaForCausalLM) if kind == "tag" else (Qwen2Config, FORMATS[kind].network_class())
    )
    network_class(config_class(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=CONTEXT, initializer_range=0.3, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, prm_format=kind,
    )).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="module", params=["tag", "two_class"])
def folder(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    write_prm(path, request.param)
    return str(path)


@pytest.fixture(scope="module")
def reference(folder):
    return load_prm(folder, reuse=False)


@pytest.fixture
def prm(folder):
    return load_prm(folder)


def path(*texts: str, problem: Problem = PROBLEM, scores=()) -> Path:
    return Path(problem, tuple(Step(text) for text in texts), tuple(scores))


def scores_of(prm, *paths: Path) -> list[list[float]]:
    return asyncio.run(prm.score(paths))


def same(found, expected) -> bool:
    return len(found) == len(expected) and all(
        one == pytest.approx(other, abs=1e-5) for one, other in zip(found, expected, strict=True)
    )


def ids_of(prm, path: Path) -> tuple[int, ...]:
    """Ids up to the last marker: what has to be forwarded for it."""
    encoded = prm.format.encode(path.problem.question, [step.text for step in path.steps])
    return encoded.ids[: encoded.positions[-1] + 1]


def stem_of(prm, problem: Problem) -> tuple[int, ...]:
    """The ids that whatever step follows has in front of it."""
    first, *others = (prm.format.encode(problem.question, [text]).ids for text in ("?", "1", "Next, $a$."))
    return first[: min(shared_prefix(first, other) for other in others)]


def tokens_needed(prm, paths) -> int:
    """How many tokens the paths hold if questions and equal first steps count once."""
    pieces = {}
    for each in paths:
        encoded = prm.format.encode(each.problem.question, [step.text for step in each.steps])
        stem = stem_of(prm, each.problem)
        assert encoded.ids[: len(stem)] == stem
        start = 0
        for end in (len(stem), *(position + 1 for position in encoded.positions)):
            pieces[each.problem.id, encoded.ids[:end]] = end - start
            start = end
    return sum(pieces.values())


def random_paths(seed: int, count: int) -> list[Path]:
    """Paths of one to six steps that share first steps often, of two problems."""
    rng = random.Random(seed)
    words = ["## Step 1: 7+5=12", "Next, $12-3=9$.", "So it is é ∑ 漢字.", "9", "\\boxed{9}", "take " * 12]
    return [
        path(*(rng.choice(words[: 2 + depth]) + "\n\n" for depth in range(rng.randint(1, 6))),
             problem=rng.choice([PROBLEM, OTHER]))
        for _ in range(count)
    ]


def test_a_score_is_read_at_the_marker_that_ends_its_step(prm):
    encoded = prm.format.encode("How many?", ["First.\n\n", " Second."])
    chat = "<|im_start|>user\nHow many?<|im_end|>\n<|im_start|>assistant\n"
    first, second, rest = {
        "tag": ("How many? First. ки", "\nSecond. ки", ""),
        "two_class": (f"{chat}First.<extra_0>", "Second.<extra_0>", "<|im_end|>\n"),
    }[prm.format.name]
    decode = prm.format.tokenizer.decode
    assert decode(encoded.ids) == first + second + rest
    assert [decode(encoded.ids[: position + 1]) for position in encoded.positions] == [first, first + second]


def test_the_reference_is_a_plain_forward_pass_of_transformers(reference):
    """Read at the markers: of one path alone, without padding, masks or batches."""
    for each in random_paths(0, 8):
        encoded = reference.format.encode(each.problem.question, [step.text for step in each.steps])
        with torch.no_grad():
            hidden = reference.network.model(torch.tensor([encoded.ids])).last_hidden_state[0]
            if reference.format.name == "tag":
                logits = reference.network.lm_head(hidden)[:, list(reference.format.pair)]
                expected = logits.softmax(-1)[list(encoded.positions), 0]
            else:
                expected = reference.network.score(hidden).softmax(-1)[list(encoded.positions), 1]
        assert same(scores_of(reference, each), [expected.tolist()])


def test_scores_of_different_steps_differ(reference):
    scores = scores_of(reference, *random_paths(0, 30))
    assert len({round(score, 3) for each in scores for score in each}) > 20


@pytest.mark.parametrize("texts", [
    ["7+5=12\n\n"], ["7+5=12", "12-3=9", "\\boxed{9}"], ["", " ", "x"], ["é ∑ 漢字 🎲\n\n", "к\u0301и"],
])
def test_one_path_scores_as_the_reference(prm, reference, texts):
    assert same(scores_of(prm, path(*texts)), scores_of(reference, path(*texts)))
    assert prm.usage.tokens == len(ids_of(prm, path(*texts)))


def test_a_path_that_grows_step_by_step_forwards_only_what_is_new(prm, reference):
    texts = ["7+5=12\n\n", "12-3=9\n\n", "So it is 9.\n\n", "\\boxed{9}"]
    whole = path(*texts)
    scores, lengths = [], []
    for depth in range(1, len(texts) + 1):
        [[new]] = scores_of(prm, path(*texts[:depth], scores=scores))
        scores.append(new)
        lengths.append(len(ids_of(prm, path(*texts[:depth]))))
        assert prm.usage.tokens == lengths[-1]
    assert same([scores], scores_of(reference, whole))
    assert prm.usage.calls == len(texts)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("batch_tokens", [1, 300, 100_000])
def test_batches_of_unequal_lengths_score_as_the_reference(folder, reference, seed, batch_tokens):
    prm = load_prm(folder, batch_tokens=batch_tokens)
    paths = random_paths(seed, 40)
    assert same(scores_of(prm, *paths), scores_of(reference, *paths))
    assert prm.usage.tokens == tokens_needed(prm, paths)


@pytest.mark.parametrize("seed", range(3))
def test_beams_score_as_the_reference_at_every_depth(prm, reference, seed):
    """As beam search asks: several children of several kept parents, with the scores known so far."""
    rng = random.Random(seed)
    live, asked = [path(problem=PROBLEM), path(problem=OTHER)], []
    for depth in range(5):
        children = [
            Path(each.problem, (*each.steps, Step(f"{depth}+{'9' * rng.randint(1, 30)}={number}\n\n")), each.scores)
            for each in live for number in range(4)
        ]
        found = scores_of(prm, *children)
        assert same(found, scores_of(reference, *children))
        asked += children
        assert prm.usage.tokens == tokens_needed(prm, asked)
        scored = [replace(each, scores=(*each.scores, *new)) for each, new in zip(children, found, strict=True)]
        live = rng.sample(scored, 4)


def test_sixteen_first_steps_forward_their_question_once(prm):
    paths = [path(f"7+{number}={number + 7}\n\n") for number in range(16)]
    stem = len(stem_of(prm, PROBLEM))
    scores_of(prm, *paths)
    assert stem > 10 and prm.usage.tokens == stem + sum(len(ids_of(prm, each)) - stem for each in paths)


def test_a_shared_first_step_is_forwarded_once_though_all_solutions_come_together(prm, reference):
    paths = [path("7+5=12\n\n", f"12-{number}=9\n\n", "\\boxed{9}") for number in range(8)]
    assert same(scores_of(prm, *paths), scores_of(reference, *paths))
    first = len(ids_of(prm, path("7+5=12\n\n")))
    assert prm.usage.tokens == first + sum(len(ids_of(prm, each)) - first for each in paths)


def test_equal_paths_are_forwarded_once_and_all_answered(prm, reference):
    paths = [path("7+5=12\n\n", "12-3=9"), path("7+5=12"), path("7+5=12\n\n", "12-3=9")]
    found = scores_of(prm, *paths)
    assert same(found, scores_of(reference, *paths)) and found[0] == found[2]
    assert prm.usage.tokens == len(ids_of(prm, paths[0]))
    assert same(scores_of(prm, *paths), found)
    assert prm.usage.tokens == len(ids_of(prm, paths[0]))


def test_paths_without_anything_to_score_forward_nothing(prm):
    assert scores_of(prm, path(), path("7+5=12", scores=[0.5])) == [[], []]
    assert scores_of(prm) == []
    assert prm.usage.tokens == 0
    [none, one] = scores_of(prm, path(), path("7+5=12"))
    assert none == [] and len(one) == 1


@pytest.mark.parametrize("cache_tokens", [0, 25, 60, 200])
def test_what_was_dropped_is_forwarded_again_with_the_same_scores(folder, reference, cache_tokens):
    prm = load_prm(folder, cache_tokens=cache_tokens)
    for seed in range(4):
        paths = random_paths(seed, 12)
        assert same(scores_of(prm, *paths), scores_of(reference, *paths))
        assert prm.cache.tokens <= cache_tokens
    everything = tokens_needed(prm, [each for seed in range(4) for each in random_paths(seed, 12)])
    assert prm.usage.tokens > everything


def test_a_later_step_is_scored_after_its_past_was_dropped(folder, reference):
    prm = load_prm(folder, cache_tokens=0)
    texts = ["7+5=12\n\n", "12-3=9\n\n", "\\boxed{9}"]
    scores = []
    for depth in range(1, 4):
        scores += scores_of(prm, path(*texts[:depth], scores=scores))[0]
    assert same([scores], scores_of(reference, path(*texts)))
    assert prm.usage.tokens == sum(len(ids_of(prm, path(*texts[:depth]))) for depth in range(1, 4))


def test_reuse_only_where_the_ids_agree(prm, reference, monkeypatch):
    """A tokenizer that merges over the end of a step: the longer text does not begin with the ids of the shorter."""
    plain = prm.format.encode

    def merging(question, steps):
        encoded = plain(question, steps)
        if len(steps) < 2:
            return encoded
        ids = list(encoded.ids)
        ids[encoded.positions[0] - 1] = 300
        return replace(encoded, ids=tuple(ids))

    monkeypatch.setattr(prm.format, "encode", merging)
    monkeypatch.setattr(reference.format, "encode", merging)
    short, long = path("7+5=12\n\n"), path("7+5=12\n\n", "12-3=9")
    assert same(scores_of(prm, short), scores_of(reference, short))
    before = prm.usage.tokens
    assert same(scores_of(prm, long), scores_of(reference, long))
    assert prm.usage.tokens - before == len(ids_of(prm, long)) - len(stem_of(prm, PROBLEM))


def test_the_reference_counts_every_token_every_time(folder):
    prm = load_prm(folder, reuse=False)
    paths = [path("7+5=12\n\n", "12-3=9"), path("7+5=12\n\n")]
    length = sum(len(prm.format.encode(each.problem.question, [s.text for s in each.steps]).ids) for each in paths)
    scores_of(prm, *paths)
    scores_of(prm, *paths)
    assert prm.usage.tokens == 2 * length and prm.usage.calls == 2 and len(prm.cache) == 0


def test_layers_on_several_devices_keep_their_own_keys_and_values(prm, reference, monkeypatch):
    # "cpu" and "cpu:0" are two names of the only device here: the parts are as on two GPUs.
    places = {torch.device("cpu"): 2, torch.device("cpu:0"): 1}
    monkeypatch.setattr("ttslib.prms.forward.layers_by_device", lambda network: places)
    paths = random_paths(3, 8)
    assert same(scores_of(prm, *paths), scores_of(reference, *paths))
    longer = [replace(each, steps=(*each.steps, Step("So it is 9.\n\n"))) for each in paths]
    before = prm.usage.tokens
    assert same(scores_of(prm, *longer), scores_of(reference, *longer))
    assert prm.usage.tokens - before < tokens_needed(prm, longer) / 2


def test_several_gpus_share_the_layers(folder, monkeypatch):
    asked, last = {}, 2

    def from_pretrained(folder, **options):
        asked.update(options)
        network = load(folder, dtype=torch.float32, use_safetensors=True)
        network.hf_device_map = {"model.layers.0": 1, "model.layers.1": last}
        return network, {"missing_keys": []}

    format = FORMATS["tag" if "tag" in folder else "two_class"]
    load, network_class = format.network_class().from_pretrained, SimpleNamespace(from_pretrained=from_pretrained)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(device[-1]) * 2**30, 2**40))
    monkeypatch.setattr(format, "network_class", lambda: network_class)
    load_prm(folder, device=["cuda:1", "cuda:2"])
    assert asked["device_map"] == "balanced" and asked["max_memory"] == {1: 2**30, 2: 2**31}
    last = "disk"
    with pytest.raises(ValueError, match="does not fit cuda:1 and cuda:2"):
        load_prm(folder, device=["cuda:1", "cuda:2"])


@pytest.mark.parametrize("device", [["cuda:1", "cuda"], ["cpu", "cpu"], []])
def test_only_numbered_gpus_share_a_prm(folder, device):
    with pytest.raises(ValueError, match="Only GPUs can share a PRM"):
        load_prm(folder, device=device)


def test_a_path_longer_than_the_context_has_no_score_and_forwards_nothing(prm, reference):
    long, short = path(*(f"{number}+1" for number in range(CONTEXT))), path("7+5=12")
    nothing, some, scored = scores_of(prm, long, short, replace(short, scores=(0.5,)))
    assert nothing is Unread.LONG and same([some], scores_of(reference, short)) and scored == []
    assert prm.usage.tokens == len(ids_of(prm, short))


def test_a_marker_in_a_step_leaves_its_path_without_scores_and_in_a_question_is_plain_text(prm, reference):
    marker = prm.format.tokenizer.decode([prm.format.marker])
    good, asked = path("7+5=12\n\n"), replace(PROBLEM, question=f"What is {marker}?")
    odd = path("7+5=12\n\n", "So 12.", problem=asked)
    found = scores_of(prm, odd, path(f"7{marker}5"), path("7+5", f"= {marker}", problem=asked), good)
    assert found[1] is found[2] is Unread.MARKER
    assert same([found[0], found[3]], scores_of(reference, odd, good)) and len(found[0]) == 2
    one = scores_of(prm, replace(odd, steps=odd.steps[:1]))[0]
    assert same([one + scores_of(prm, replace(odd, scores=tuple(one)))[0]], found[:1])


def test_an_error_in_a_forward_pass_reaches_all_of_its_batch_with_its_cause(prm, reference, monkeypatch):
    paths = [path(f"7+{number}={number + 7}\n\n", "12-3=9") for number in range(3)]

    def broken(*_, **__):
        raise MemoryError("no room")

    async def all_at_once():
        return await asyncio.gather(*(prm.score([each]) for each in paths), return_exceptions=True)

    with monkeypatch.context() as patch:
        patch.setattr(prm.network.model, "forward", broken)
        failures = asyncio.run(all_at_once())
    assert len(failures) == 3
    for failure in failures:
        assert isinstance(failure, RuntimeError) and "scoring failed: no room" in str(failure)
        assert isinstance(failure.__cause__, MemoryError)
    assert prm.usage.tokens == 0
    assert same(scores_of(prm, *paths), scores_of(reference, *paths))


def test_an_error_in_one_batch_leaves_the_others_alone(folder, reference, monkeypatch):
    prm = load_prm(folder, batch_tokens=1)
    good, bad = path("7+5=12\n\n"), path("take " * 40, problem=OTHER)
    plain, longest = prm.network.model.forward, len(ids_of(prm, good))

    def fails_on_long(ids, **options):
        if ids.shape[1] > longest:
            raise MemoryError("no room")
        return plain(ids, **options)

    async def all_at_once():
        return await asyncio.gather(prm.score([good]), prm.score([bad]), return_exceptions=True)

    monkeypatch.setattr(prm.network.model, "forward", fails_on_long)
    found, failure = asyncio.run(all_at_once())
    assert same(found, scores_of(reference, good)) and isinstance(failure, RuntimeError)


@pytest.mark.parametrize("turns", [1, 4, 7, 8, 9])
def test_a_request_cancelled_at_any_time_leaves_the_others_alone(folder, reference, turns):
    prm = load_prm(folder, batch_tokens=1, patience=4)  # long enough for every stage to have a turn of its own
    paths = [path(f"7+{number}={number + 7}\n\n") for number in range(4)]

    async def cancel_one():
        tasks = [asyncio.create_task(prm.score([each])) for each in paths]
        for _ in range(turns):
            await asyncio.sleep(0)
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(cancel_one())
    assert isinstance(found.pop(1), asyncio.CancelledError)
    paths.pop(1)
    assert same([scores for [scores] in found], scores_of(reference, *paths))


def test_a_loop_that_closed_on_a_request_does_not_stop_the_next(prm, reference):
    async def give_up():
        task = asyncio.create_task(prm.score([path("7+5=12")]))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(give_up())
    loop = asyncio.new_event_loop()
    task = loop.create_task(prm.score([path("7+5=12")]))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert not task.done()
    assert same(scores_of(prm, path("7+6=13")), scores_of(reference, path("7+6=13")))


def test_requests_of_neighbouring_turns_share_a_forward_pass(prm, reference, monkeypatch):
    batches, plain = [], prm.network.model.forward

    def counted(ids, **options):
        batches.append(len(ids))
        return plain(ids, **options)

    async def late(turns, each):
        for _ in range(turns):
            await asyncio.sleep(0)
        return await prm.score([each])

    async def one_after_the_other():
        return await asyncio.gather(*(late(turns, each) for turns, each in enumerate(paths)))

    paths = [path("7+5=12"), path("12 pens", problem=OTHER)]
    monkeypatch.setattr(prm.network.model, "forward", counted)
    found = asyncio.run(one_after_the_other())
    assert batches == [2]
    assert same([scores for [scores] in found], scores_of(reference, *paths))


def test_tokens_count_for_the_search_that_asked_and_do_not_depend_on_the_others(folder):
    """Two searches at once, on the same problem: each pays for its own question and steps."""
    prm = load_prm(folder)
    mine, yours = Usage(), Usage()
    first = [path("7+5=12\n\n"), path("7+6=13\n\n")]
    second = [path("7+5=12\n\n"), path("7+5=12\n\n", "12-3=9")]

    async def search(counter, paths):
        with counting(counter):
            for each in paths:
                await prm.score([each])

    async def both():
        await asyncio.gather(search(mine, first), search(yours, second))

    asyncio.run(both())
    assert (mine.tokens, mine.calls) == (tokens_needed(prm, first), 2)
    assert (yours.tokens, yours.calls) == (tokens_needed(prm, second), 2)
    assert (prm.usage.tokens, prm.usage.calls) == (mine.tokens + yours.tokens, 4)


def test_a_closed_prm_is_freed(folder):
    prm = load_prm(folder)
    scores_of(prm, path("7+5=12"))
    network = weakref.ref(prm.network)
    prm.close()
    assert network() is None and len(prm.cache) == 0
    with pytest.raises(RuntimeError, match="is closed: load it again"):
        scores_of(prm, path("7+5=12"))


def test_unknown_formats_are_named(folder):
    with pytest.raises(ValueError, match="Unknown PRM format 'other': give 'tag' or 'two_class'"):
        load_prm(folder, format="other")


@pytest.mark.parametrize("name", [name for name in NANO if not name.startswith("nano-prm")])
def test_a_policy_is_no_prm(name, tmp_path, monkeypatch):
    """By name, by the path of its folder and by that of a copy, before any weight is read."""
    copy = tmp_path / "mine"
    shutil.copytree(ZOO / name, copy)
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: pytest.fail("it was loaded"))
    for where in (name, str(ZOO / name), str(copy)):
        with pytest.raises(ValueError, match=r"is \w+ForCausalLM, .*load a policy with load_policy\.$") as caught:
            load_prm(where)
        assert "\n" not in str(caught.value)


def test_the_cache_drops_the_ends_of_paths_first_and_keeps_within_its_limit():
    def prefix(parent, *more):
        return Prefix((*(parent.ids if parent else ()), *more), None, parent)

    cache = PrefixCache(7)
    question = prefix(None, 1, 2, 3)
    one, other, late = prefix(question, 4, 5), prefix(question, 6, 7), prefix(question, 8, 9)
    for each in (question, one, other):
        cache.add(each)
    assert cache.get(one.key) is one and cache.tokens == 7
    cache.add(late)
    assert cache.get(other.key) is None and cache.get(one.key) is one and cache.get(question.key) is question
    cache.add(prefix(other, 10))
    assert len(cache) == 3 and cache.tokens == 7
