"""The paper's policies without their weights: prompts token by token, continued turns, the registry, errors, top_p.

The templates in tests/templates are the `chat_template` of each family's tokenizer_config.json, to the byte: Llama 3.1,
Llama 3.2, Qwen2.5, Qwen2.5-Math and DeepSeek-R1-Distill. Their sha256 are those that other projects pin for these very
models, but for Qwen2.5-Math's, for which none was found; it differs from Qwen2.5's in the default system message.
The tokenizer is a byte a token, with each family's true special tokens.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import namedtuple
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path as FilePath

import psutil
import pytest
import torch
from scripted import ScriptedPolicy, ScriptedPRM, plan, problems
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast, Qwen2Config

from ttslib.checkpoint import hub_parameters
from ttslib.policies import PAPER_POLICIES, Path, Step, identify, load_policy
from ttslib.policies.prefix import Prefixes
from ttslib.policies.transformers_policy import nucleus
from ttslib.problems import Problem
from ttslib.prompts import PROMPTS, Prompt
from ttslib.runner import solve
from ttslib.zoo import weights_hash

TEMPLATES = FilePath(__file__).with_name("templates")
LLAMA = ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>", "<|eom_id|>")
QWEN = ("<|endoftext|>", "<|im_end|>", "<|im_start|>")
R1 = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>")
# template -> special tokens, begin of text, end of a turn, prompt
FAMILIES = {
    "llama3.1": (LLAMA, LLAMA[0], LLAMA[1], "llama3"),
    "llama3.2": (LLAMA, LLAMA[0], LLAMA[1], "llama3"),
    "qwen2.5": (QWEN, None, QWEN[1], "qwen2.5"),
    "qwen2.5-math": (QWEN, None, QWEN[1], "qwen2.5"),
    "r1-distill": (R1, R1[0], R1[1], "r1"),
}
PUBLISHED = {
    "llama3.1": "e10ca381b1ccc5cf9db52e371f3b6651576caee0a630b452e2816b2d404d4b65",
    "llama3.2": "5816fce10444e03c2e9ee1ef8a4a1ea61ae7e69e438613f3b17b69d0426223a4",
    "qwen2.5": "cd8e9439f0570856fd70470bf8889ebd8b5d1107207f67a5efb46e342330527f",
    "qwen2.5-math": "c564d12c9977b8942423753b0c409a11f50142508ced170e9fe1c2f5b803cf70",
    "r1-distill": "56a1447ad31926fdc21fb07e56e5642bd9c850c4f52d8c8af7bbe5f079a84f5f",
}
# The fields of SearchConfig in which a family differs from the paper's 0.7, 1.0, 0.0, 8192 and 2048.
SAMPLING = {
    "qwen2.5-math": {"max_tokens": 4096},
    "r1-distill": {
        "temperature": 0.6, "top_p": 0.95, "cot_temperature": 0.6, "max_tokens": 32_768, "max_step_tokens": 32_768,
    },
}  # fmt: skip
PROBLEM = Problem("p", "  Solve\n$x^2 = 2$ für x.\n", "2")
LLAMA_SYSTEM = (
    "Solve the following math problem efficiently and clearly:\n\n"
    "- For simple problems (2 steps or fewer):\nProvide a concise solution with minimal explanation.\n\n"
    "- For complex problems (3 steps or more):\nUse this step-by-step format:\n\n"
    "## Step 1: [Concise description]\n[Brief explanation and calculations]\n\n"
    "## Step 2: [Concise description]\n[Brief explanation and calculations]\n\n...\n\n"
    "Regardless of the approach, always conclude with:\n\n"
    "Therefore, the final answer is: $\\boxed{answer}$. I hope it is correct.\n\n"
    "Where [answer] is just the final number or expression that solves the problem."
)
REASON = "Please reason step by step, and put your final answer within \\boxed{}."
LLAMA_PROMPT = (
    "<|begin_of_text|>", "<|start_header_id|>", "system", "<|end_header_id|>",
    f"\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n{LLAMA_SYSTEM}", "<|eot_id|>",
    "<|start_header_id|>", "user", "<|end_header_id|>", "\n\nSolve\n$x^2 = 2$ für x.", "<|eot_id|>",
    "<|start_header_id|>", "assistant", "<|end_header_id|>", "\n\n",
)  # fmt: skip
QWEN_PROMPT = (
    "<|im_start|>", f"system\n{REASON}", "<|im_end|>", "\n",
    "<|im_start|>", "user\n  Solve\n$x^2 = 2$ für x.\n", "<|im_end|>", "\n", "<|im_start|>", "assistant\n",
)  # fmt: skip
R1_PROMPT = (
    "<｜begin▁of▁sentence｜>", "<｜User｜>", f"  Solve\n$x^2 = 2$ für x.\n\n{REASON}",
    "<｜Assistant｜>", "<think>", "\n",
)  # fmt: skip
RENDERED = {
    "llama3.1": LLAMA_PROMPT, "llama3.2": LLAMA_PROMPT, "qwen2.5": QWEN_PROMPT, "qwen2.5-math": QWEN_PROMPT,
    "r1-distill": R1_PROMPT,
}  # fmt: skip
SOLUTION = "## Step 1: Roots\n$x = \\pm\\sqrt 2$, für beide.\n\n\n\n## Step 2: Done\nIt is $\\boxed{\\sqrt 2}$.\n\nYes."
each_family = pytest.mark.parametrize("family", FAMILIES)


def tokenizer_of(family: str) -> PreTrainedTokenizerFast:
    """One token a byte, one for two line breaks, and the special ones."""
    special, begin, end, _ = FAMILIES[family]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: i for i, sign in enumerate(alphabet)} | {"ĊĊ": 256}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[("Ċ", "Ċ")]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(token, normalized=False) for token in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=begin, eos_token=end, clean_up_tokenization_spaces=False,
        chat_template=(TEMPLATES / f"{family}.jinja").read_text(encoding="utf-8"),
    )  # fmt: skip


def ids_of(tokenizer, pieces) -> tuple[int, ...]:
    """Special tokens as themselves, other pieces as their bytes."""
    special = set(tokenizer.get_added_vocab())
    parts = (
        [tokenizer.convert_tokens_to_ids(piece)] if piece in special
        else tokenizer.encode(piece, add_special_tokens=False)
        for piece in pieces
    )  # fmt: skip
    return tuple(token for part in parts for token in part)


@each_family
def test_a_template_is_the_published_one(family):
    assert hashlib.sha256((TEMPLATES / f"{family}.jinja").read_bytes()).hexdigest() == PUBLISHED[family]


@each_family
def test_the_rendered_prompt_is_that_of_the_family_token_by_token(family):
    tokenizer = tokenizer_of(family)
    ids = PROMPTS[FAMILIES[family][3]].ids(tokenizer, PROBLEM)
    assert ids == ids_of(tokenizer, RENDERED[family])
    assert tokenizer.decode(ids) == "".join(RENDERED[family])
    begin = FAMILIES[family][1]
    assert begin is None or ids.count(tokenizer.convert_tokens_to_ids(begin)) == 1


@each_family
def test_control_tokens_in_a_question_are_plain_text(family):
    tokenizer = tokenizer_of(family)
    spelt = "".join(FAMILIES[family][0])
    ids = PROMPTS[FAMILIES[family][3]].ids(tokenizer, replace(PROBLEM, question=f"Solve{spelt}for x"))
    usual = PROMPTS[FAMILIES[family][3]].ids(tokenizer, replace(PROBLEM, question="Solvefor x"))
    place = next(at for at, (one, other) in enumerate(zip(ids, usual, strict=False)) if one != other)
    more = len(ids) - len(usual)
    assert ids[:place] + ids[place + more :] == usual and max(ids[place : place + more]) < 257  # bytes, one by one
    assert tokenizer.decode(ids) == tokenizer.decode(usual).replace("Solvefor", f"Solve{spelt}for")


def prefixes(family, room=4096):
    tokenizer = tokenizer_of(family)
    return tokenizer, Prefixes(family, PROMPTS[FAMILIES[family][3]], tokenizer, room)


@each_family
def test_a_continued_turn_is_prompt_and_sampled_ids_and_nothing_between(family):
    """Wherever the solution is cut, inside a character too; and where encoding its text again would give other ids."""
    tokenizer, prefix = prefixes(family)
    pieces = [tokenizer.encode(part, add_special_tokens=False) for part in SOLUTION]  # "\n\n" is two tokens here
    whole = tuple(token for piece in pieces for token in piece)
    assert tokenizer.decode(whole) == SOLUTION
    assert tuple(tokenizer.encode(SOLUTION, add_special_tokens=False)) != whole
    prompt = ids_of(tokenizer, RENDERED[family])
    for cut in range(1, len(whole)):
        steps = tuple(Step("the text is not read", part) for part in (whole[:cut], whole[cut:]))
        ids, _ = prefix(Path(PROBLEM, steps), 1)
        assert tuple(ids) == (*prompt, *whole)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "r1-distill"])
def test_a_continued_turn_is_how_the_template_begins_the_finished_one(family):
    tokenizer, prefix = prefixes(family)
    answer = tuple(tokenizer.encode(SOLUTION, add_special_tokens=False))
    ids, _ = prefix(Path(PROBLEM, (Step(SOLUTION, answer),)), 1)
    messages = [*PROMPTS[FAMILIES[family][3]].messages(PROBLEM), {"role": "assistant", "content": SOLUTION}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, date_string="26 Jul 2024")
    finished = tokenizer.encode(text, add_special_tokens=False)
    end = tokenizer.convert_tokens_to_ids(FAMILIES[family][2])
    assert finished[: len(ids)] == ids and finished[len(ids)] == end
    assert end not in ids[-len(answer) :]


def test_the_template_of_r1_drops_thoughts_so_a_turn_cannot_be_continued_by_rendering_it_again():
    tokenizer, prefix = prefixes("r1-distill")
    thought = "Roots.\n\n"
    step = Step(thought, tuple(tokenizer.encode(thought, add_special_tokens=False)))
    ids, _ = prefix(Path(PROBLEM, (step,)), 1)
    assert tokenizer.decode(ids).endswith("<｜Assistant｜><think>\nRoots.\n\n")
    messages = [*PROMPTS["r1"].messages(PROBLEM), {"role": "assistant", "content": f"<think>\n{thought}</think>Two."}]
    assert "Roots." not in tokenizer.apply_chat_template(messages, tokenize=False)


def save_tiny(folder: FilePath, family: str) -> FilePath:
    """A model folder of the family's architecture, with random weights."""
    tokenizer = tokenizer_of(family)
    config = (LlamaConfig if family.startswith("llama") else Qwen2Config)(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=40_000, initializer_range=0.3, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", ["llama3.2", "qwen2.5", "r1-distill"])
def test_pieces_of_a_solution_are_the_whole_one_with_each_family_on_transformers(family, tmp_path):
    prompt = FAMILIES[family][3]
    policy = load_policy(str(save_tiny(tmp_path, family)), backend="transformers", prompt=prompt)

    def greedy(steps, limit):
        call = policy.sample(Path(PROBLEM, tuple(steps)), n=1, seed=0, temperature=0.0, max_tokens=limit)
        return asyncio.run(call)[0]

    whole, steps = greedy([], 40), []
    while sum(len(step.tokens) for step in steps) < len(whole.tokens):
        steps.append(greedy(steps, 7))
    assert tuple(token for step in steps for token in step.tokens)[:40] == whole.tokens
    assert policy.prompt.ids(policy.tokenizer, PROBLEM) == ids_of(policy.tokenizer, RENDERED[family])
    assert policy.sampling == {}


def test_a_model_may_be_asked_in_its_own_way(tmp_path):
    folder = save_tiny(tmp_path, "qwen2.5")
    own = Prompt("mine", system="Count aloud.", separator="\n", after=" Go.")
    policy = load_policy(str(folder), backend="transformers", prompt=own)
    assert policy.prompt == own and policy.separator == "\n"
    text = policy.tokenizer.decode(policy.prompt.ids(policy.tokenizer, PROBLEM))
    assert "Count aloud." in text and f"{PROBLEM.question} Go." in text
    other = load_policy(str(folder), backend="transformers", prompt=replace(own, system="Be brief."))
    assert policy.identity["prompt"] != other.identity["prompt"]  # so their cells differ


@pytest.mark.parametrize("card", PAPER_POLICIES.values(), ids=lambda card: card.name)
def test_a_card_is_consistent_and_its_parameters_are_those_of_the_architecture(card):
    kind = LlamaConfig if card.family == "llama3" else Qwen2Config
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(kind(
            vocab_size=card.vocabulary, hidden_size=card.hidden_size, intermediate_size=card.intermediate_size,
            num_hidden_layers=card.layers, num_attention_heads=card.heads, num_key_value_heads=card.kv_heads,
            head_dim=card.head_dim, tie_word_embeddings=card.tied,
        ))  # fmt: skip
    assert model.num_parameters() == card.parameters
    assert 0 < card.active_parameters <= card.parameters
    assert card.heads % card.kv_heads == 0 and card.heads * card.head_dim == card.hidden_size
    assert card.prompt in PROMPTS and card.max_new_tokens <= card.context
    assert card.sampling == SAMPLING.get(card.family, {})
    assert card.hub_id.endswith(f"/{card.name}") and PAPER_POLICIES[card.hub_id] is card
    assert len(card.revision) == 40 and int(card.revision, 16)


def test_the_registry_is_the_papers_and_reproduces_the_tokens_of_its_flops():
    names = [card.name for card in PAPER_POLICIES.values()]
    assert len(names) == len(set(names)) == 15
    assert sum(card.family == "r1-distill" for card in PAPER_POLICIES.values()) == 2
    assert len({card.revision for card in PAPER_POLICIES.values()}) == 15
    table4 = {
        "meta-llama/Llama-3.2-3B-Instruct": (3e9, 1.62e23),
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": (7e9, 7.56e23),
    }
    for hub_id, (rounded, flops) in table4.items():
        assert 6 * rounded * PAPER_POLICIES[hub_id].pretraining_tokens == pytest.approx(flops, rel=1e-3)


# -- loading


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache, no network, plenty of memory. `hub.answer` is what a Hub on loopback says from then on."""
    from huggingface_hub import constants

    server = HTTPServer(("127.0.0.1", 0), Answer)
    server.weights = header({"a": [1_000_000, 3_000_000], "b": [7]})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: namedtuple("Memory", "available")(10**13))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def answer(status, code):
        address = f"http://127.0.0.1:{server.server_port}"
        server.status, server.code = status, code
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        place = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", place)

    yield namedtuple("Hub", "cache answer")(cache, answer)
    server.shutdown()
    server.server_close()
    thread.join()


def header(shapes):
    """The start of a file of safetensors in bf16."""
    entries = {name: {"dtype": "BF16", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


class Answer(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(self.server.status if "/resolve/" in self.path else 200)
        self.send_header("X-Error-Code", self.server.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        if not self.path.endswith("/model.safetensors"):
            return self.do_HEAD()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.weights)

    def log_message(self, *_):
        pass


def refusal(name, error=ValueError, **options):
    """What `load_policy` says, in one sentence and within seconds."""
    start = time.monotonic()
    with pytest.raises(error) as caught:
        load_policy(name, **{"backend": "transformers"} | options)
    said = str(caught.value)
    assert time.monotonic() - start < 10 and "\n" not in said and said.endswith(".")
    return said


def cached(cache: FilePath, hub_id: str, family: str) -> FilePath:
    """A tiny model where the Hub's cache keeps the registered commit of `hub_id`."""
    folder = cache / f"models--{hub_id.replace('/', '--')}" / "snapshots" / PAPER_POLICIES[hub_id].revision
    folder.mkdir(parents=True)
    return save_tiny(folder, family)


@pytest.mark.parametrize(
    ("hub_id", "family", "context"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "r1-distill", 32_768),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5", 8192),
        ("meta-llama/Llama-3.2-1B-Instruct", "llama3.2", 8192),
    ],
)
def test_an_exact_hub_id_is_loaded_offline_as_the_registry_has_it(hub, hub_id, family, context):
    cached(hub.cache, hub_id, family)
    card, policy = PAPER_POLICIES[hub_id], load_policy(hub_id, backend="transformers")
    assert (policy.name, policy.revision, policy.prompt) == (hub_id, card.revision, PROMPTS[card.prompt])
    assert policy.sampling == card.sampling and policy.max_model_len == context
    assert load_policy(hub_id, backend="transformers", prompt="nano").prompt is PROMPTS["nano"]


def other_model(cache: FilePath) -> FilePath:
    """A tiny model where the Hub's cache keeps "someone/other" at a commit of 40 times "a"."""
    folder = cache / "models--someone--other"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("a" * 40)
    return save_tiny(folder / "snapshots" / ("a" * 40), "qwen2.5")


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, {}),
        ({"backend": "transformers"}, {"backend": "transformers"}),
        ({"dtype": "bfloat16", "max_model_len": 99, "batch_tokens": 500}, {"dtype": "bfloat16", "max_model_len": 99}),
    ],
)
def test_a_policy_is_known_by_revision_prompt_and_what_was_asked_for(hub, monkeypatch, tmp_path, options, settings):
    monkeypatch.setattr("ttslib.policies.default_backend", lambda: "transformers")
    hub_id, folder = "Qwen/Qwen2.5-7B-Instruct", save_tiny(tmp_path / "mine", "qwen2.5")
    cached(hub.cache, hub_id, "qwen2.5")
    other_model(hub.cache)
    commit = PAPER_POLICIES[hub_id].revision
    revisions = {hub_id: commit, "someone/other": "a" * 40, str(folder): weights_hash(folder)}
    content = '{"after":"","name":"qwen2.5","separator":"\\n\\n","system":"' + REASON.replace("\\", "\\\\") + '"}'
    prompt = hashlib.sha256(content.encode()).hexdigest()[:16]
    for name, revision in revisions.items():
        identity = identify(name, prompt="qwen2.5", **options)
        expected = {"name": name, "revision": revision, "prompt": prompt}
        assert identity == expected | ({"settings": settings} if settings else {})
        assert load_policy(name, prompt="qwen2.5", **options).identity == identity


WITHOUT_ENGINES = """
import json, sys
sys.modules.update(torch=None, transformers=None, vllm=None)
from ttslib.policies import identify
print(json.dumps([identify(name, **options) for name, options in json.loads(sys.argv[1])]))
"""


def test_policies_are_known_where_no_engine_is_installed(hub, tmp_path):
    other_model(hub.cache)
    asked = [
        ("nano-qwen-1m", {}),
        ("nano-qwen-1m", {"backend": "vllm", "dtype": "float32", "tensor_parallel_size": 2}),
        (str(save_tiny(tmp_path / "mine", "qwen2.5")), {"prompt": "nano"}),
        *((hub_id, {}) for hub_id in PAPER_POLICIES),
        ("someone/other", {"prompt": "r1", "backend": "http://127.0.0.1:9/v1"}),
    ]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(hub.cache)}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ENGINES, json.dumps(asked)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [identify(name, **options) for name, options in asked]


@pytest.mark.parametrize(
    "name",
    ["unsloth/Llama-3.2-1B-Instruct", "Qwen/Qwen2.5-7B", "qwen/qwen2.5-7b-instruct", "Qwen/Qwen2.5-7B-Instruct-AWQ"],
)
def test_a_name_that_only_looks_like_a_known_one_is_not_taken_for_it(hub, name):
    assert "say how it is asked" in refusal(name)
    assert "is not in the local cache and HF_HUB_OFFLINE is set" in refusal(name, prompt="qwen2.5")


def test_a_folder_is_never_taken_for_a_registered_model(hub, tmp_path, monkeypatch):
    save_tiny(tmp_path / "Qwen" / "Qwen2.5-7B-Instruct", "qwen2.5")
    monkeypatch.chdir(tmp_path)
    assert "say how it is asked" in refusal("Qwen/Qwen2.5-7B-Instruct")
    assert "say how it is asked" in refusal(str(tmp_path / "Qwen" / "Qwen2.5-7B-Instruct"))


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "RepoNotFound", "is not on the Hub, or is private: check the id"),
        (401, "RepoNotFound", "is not on the Hub, or is private"),
        (403, "GatedRepo", "is gated: accept its licence on the Hub and set HF_TOKEN"),
        (404, "RevisionNotFound", "no config.json at 921317"),
        (404, "EntryNotFound", "no config.json at 921317"),
    ],
)
def test_what_the_hub_refuses_is_said(hub, status, code, words):
    hub.answer(status, code)
    assert words in refusal("meta-llama/Llama-3.2-1B-Instruct")


def test_without_a_network_it_is_said(hub, monkeypatch):
    from huggingface_hub import constants

    assert "is not in the local cache and HF_HUB_OFFLINE is set" in refusal("Qwen/Qwen2.5-3B-Instruct")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "the Hub cannot be reached (ConnectError)" in refusal("Qwen/Qwen2.5-3B-Instruct")


@pytest.mark.parametrize(
    ("hub_id", "options", "needs"),
    [
        ("Qwen/Qwen2.5-72B-Instruct", {"dtype": "bfloat16"}, "135.4 GiB"),
        ("Qwen/Qwen2.5-72B-Instruct", {}, "270.9 GiB"),
        ("meta-llama/Llama-3.1-8B-Instruct", {"dtype": "auto"}, "15.0 GiB"),
    ],
)
def test_too_little_memory_is_said_before_anything_is_asked_of_the_hub(hub, monkeypatch, hub_id, options, needs):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: namedtuple("Memory", "available")(8 * 2**30))
    monkeypatch.setattr("ttslib.zoo.hub_file", lambda *_, **__: pytest.fail("asked the Hub"))
    said = refusal(hub_id, **options)
    assert f"needs {needs}" in said and "8.0 GiB free" in said


def test_any_other_hub_id_is_too_large_by_its_index_before_its_weights_are_fetched(hub, monkeypatch):
    snapshot = other_model(hub.cache)
    index = {"metadata": {"total_size": 2**50}, "weight_map": {}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("weights were asked for"))
    assert "someone/other needs 1048576.0 GiB for its weights" in refusal("someone/other", prompt="qwen2.5")


def test_a_single_file_of_weights_is_sized_by_its_header_before_it_is_fetched(hub):
    assert hub_parameters("someone/onefile", "a" * 40) is None  # offline
    hub.answer(404, "EntryNotFound")
    assert hub_parameters("someone/onefile", "a" * 40) == 3_000_000_000_007


def test_memory_is_counted_per_gpu_and_for_folders_too(hub, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (8 * 2**30, 80 * 2**30))
    said = refusal("Qwen/Qwen2.5-72B-Instruct", tensor_parallel_size=4)
    assert "needs 33.9 GiB" in said and "8.0 GiB free" in said
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (1000, 80 * 2**30))
    assert "GiB free" in refusal(str(save_tiny(tmp_path / "tiny", "qwen2.5")), prompt="qwen2.5")
    assert "Unknown dtype 'float99'" in refusal("Qwen/Qwen2.5-72B-Instruct", dtype="float99")


def test_missing_and_broken_files_are_said(hub, tmp_path):
    folder = save_tiny(tmp_path / "model", "qwen2.5")
    weights, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    tokenizer = (folder / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    assert "has no tokenizer: none of tokenizer.json" in refusal(str(folder), prompt="qwen2.5")
    tokenizer.rename(folder / "tokenizer.json")
    index.write_text(json.dumps({"weight_map": {"a": weights.name, "b": "model-00002-of-00002.safetensors"}}))
    assert "model-00002-of-00002.safetensors" in refusal(str(folder), prompt="qwen2.5")
    index.unlink()
    weights.write_bytes(weights.read_bytes()[:100])
    assert "cannot be read" in refusal(str(folder), prompt="qwen2.5")
    weights.unlink()
    assert "it has no *.safetensors" in refusal(str(folder), prompt="qwen2.5")
    snapshot = cached(hub.cache, "Qwen/Qwen2.5-3B-Instruct", "qwen2.5")
    (snapshot / "model.safetensors").unlink()
    assert "has no safetensors" in refusal("Qwen/Qwen2.5-3B-Instruct")


# -- top_p


def test_the_nucleus_is_the_fewest_likeliest_tokens_that_reach_top_p():
    chances = torch.tensor([[0.1, 0.4, 0.2, 0.3]] * 5, dtype=torch.float64)
    kept = nucleus(chances, [1.0, 0.95, 0.7, 0.5, 0.001]) > 0
    assert kept.tolist() == [
        [True, True, True, True], [True, True, True, True], [False, True, False, True], [False, True, False, True],
        [False, True, False, False],
    ]  # fmt: skip
    assert nucleus(chances, [1.0] * 5) is chances
    assert torch.equal(nucleus(chances, [1.0, 0.5, 1.0, 1.0, 1.0])[0], chances[0])


class Own(ScriptedPolicy):
    """With sampling settings of its own; notes those it is asked with."""

    def __init__(self, **sampling):
        super().__init__()
        self.sampling = {"temperature": 0.6, "top_p": 0.95, "max_tokens": 32_768} | sampling
        self.asked = set()

    async def sample(self, path, *, temperature, max_tokens, top_p=1.0, **options):
        self.asked.add((temperature, top_p, max_tokens))
        return await super().sample(path, **options)


def cell(policy=None, method="best_of_n", **options):
    return plan(problems(1), policy or ScriptedPolicy(), ScriptedPRM(), method=method, n=4, **options)[0]


def test_the_address_of_a_cell_names_the_rules_and_what_its_method_uses():
    content = {
        "rules": 3, "method": "best_of_n", "n": 4, "seed": 0, "temperature": 0.7, "top_p": 1.0, "max_tokens": 8192,
        "policy": {"name": "scripted", "revision": "r1"}, "prm": {"name": "scripted-prm", "revision": "r1"},
    }  # fmt: skip
    plain = cell()
    assert {name: value for name, value in plain.content.items() if name != "problem"} == content
    # For ever: a store is found again by it.
    assert plain.key == "aa3f8bcefa4cb48b3bd1402aed770ad903dd5c7f41434af81a005c7387093406"
    assert cell(top_p=1.0).key == cell(temperature=0.7).key == cell(max_depth=3).key == plain.key
    assert cell(top_p=0.95).key != plain.key and cell(top_p=0.95).content["top_p"] == 0.95
    assert cell(method="cot", top_p=0.95).key == cell(method="cot").key
    usual = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 8192, "cot_temperature": 0.0, "max_step_tokens": 2048}
    assert cell(type("ScriptedPolicy", (ScriptedPolicy,), {"sampling": usual})()).key == plain.key
    for wrong in (0.0, 1.5):
        with pytest.raises(ValueError, match="top_p is a number above 0 and at most 1"):
            cell(top_p=wrong)


@pytest.mark.parametrize("method", ["best_of_n", "beam_search", "dvts", "cot"])
@pytest.mark.parametrize("own", [{}, {"cot_temperature": 0.6, "max_step_tokens": 32_768}])
def test_a_search_samples_as_the_policy_has_it_unless_told_otherwise(method, own, tmp_path):
    told = {"temperature": 0.8, "top_p": 0.5, "max_tokens": 90}
    for settings, (heat, top_p, limit) in [({}, (0.6, 0.95, 32_768)), (told, (0.8, 0.5, 90))]:
        policy = Own(**own)
        options = {"method": method, "n": 4, "store": tmp_path, "progress": False} | settings
        assert not solve(problems(2), policy, ScriptedPRM(), **options).failures
        cot = (0.6, top_p) if own else (0.0, 1.0)
        assert {asked[:2] for asked in policy.asked} == {cot if method == "cot" else (heat, top_p)}
        longest = limit if method in ("cot", "best_of_n") else min(own.get("max_step_tokens", 2048), limit)
        assert max(asked[2] for asked in policy.asked) == longest


def test_a_step_limit_of_ones_own_comes_before_the_policys():
    content = cell(Own(max_step_tokens=99), "beam_search").content
    assert [content[name] for name in ("max_depth", "max_step_tokens", "max_tokens")] == [40, 99, 32_768]
    assert cell(Own(max_step_tokens=99), "beam_search", max_step_tokens=5).content["max_step_tokens"] == 5
