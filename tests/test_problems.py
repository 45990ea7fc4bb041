"""Problem sets: built in, local JSONL, the Hub at pinned commits; bad input is one sentence. And the prompts."""

import json
import time
from datetime import datetime
from pathlib import Path

import pandas
import pytest
from conftest import POLICY_NAMES

from ttslib import problems as module
from ttslib import zoo
from ttslib.problems import HUB, Problem, answers_checksum, load_problems
from ttslib.prompts import PROMPTS, QWEN_SYSTEM, get_prompt

# Copies of the real benchmarks, where the checkout has them beside it; they are no part of the package.
COPIES = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_copies = pytest.mark.skipif(not COPIES.is_dir(), reason="no copies of the benchmarks beside the checkout")


def write(path: Path, *rows) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_the_built_in_set_and_its_first_ones():
    everything = load_problems("nanomath")
    assert len(everything) == len({problem.id for problem in everything}) == 500
    assert load_problems("nanomath", limit=7) == everything[:7]
    assert {problem.level for problem in everything} == {1, 2, 3, 4, 5}


def test_a_local_file_in_either_spelling(tmp_path):
    file = write(
        tmp_path / "mine.jsonl",
        {"unique_id": "a/1", "problem": "1+1?", "answer": "2", "subject": "Algebra", "level": "Level 3"},
        "",
        {"id": 0, "question": "Line\u2028separator\x85kept?", "answer": 27.0, "level": 5},
        '{"question": "Raw \u2028 inside?", "answer": "025"}',
    )
    assert load_problems(file) == load_problems(str(file)) == [
        Problem("a/1", "1+1?", "2", "Algebra", 3),
        Problem("0", "Line\u2028separator\x85kept?", "27", "", 5),
        Problem("mine/4", "Raw \u2028 inside?", "025"),
    ]


def test_a_json_file_is_one_list(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([{"question": "1+1?", "answer": 2}, {"id": "b", "problem": "2+2?", "answer": "4"}]))
    assert load_problems(file, limit=9) == [Problem("mine/1", "1+1?", "2"), Problem("b", "2+2?", "4")]
    for content, words in [("{", "mine.json is not JSON"), ("{}", "is not a list of problems"), ("[]", "no problem"),
                           ('[{"problem": "x"}]', "Row 1 of .* has no question or no answer")]:
        file.write_text(content)
        with pytest.raises(ValueError, match=words):
            load_problems(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no problem"),
        ("\n \n", "holds no problem"),
        ('{"problem": "x", "answer": "1"}\n{oops', "Line 2 of .* is not JSON"),
        ('{"problem": "x"}', "Line 1 of .* has no question or no answer"),
        ('{"problem": "", "answer": "1"}', "Line 1 of .* has no question or no answer"),
        ('{"problem": "x", "answer": ""}', "Line 1 of .* has no question or no answer"),
        ('{"problem": "x", "answer": ["1"]}', "Line 1 of .* has no question or no answer"),
        ('["x"]', "Line 1 of .* has no question or no answer"),
        ('{"id": 1, "problem": "x", "answer": "1"}\n{"id": 1, "problem": "y", "answer": "1"}', "with the same id"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, content, words):
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=words) as caught:
        load_problems(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "limit", "words"),
    [
        ("math5000", None, "Unknown problem set 'math5000': give one of nanomath, nanoaime, math500, aime24, amc23"),
        ("nowhere.jsonl", None, "No problem file at nowhere.jsonl"),
        ("nanomath", 0, "limit must be at least 1"),
    ],
)
def test_unknown_sets_are_one_sentence(name, limit, words):
    with pytest.raises(ValueError, match=words):
        load_problems(name, limit=limit)


def test_the_checksum_knows_answers_but_neither_order_nor_leading_zeros():
    def of(*answers):
        return answers_checksum([Problem(str(i), "x", answer) for i, answer in enumerate(answers)])

    assert of("025", "204", "\\frac{1}{2}") == of("204", "\\frac{1}{2}", "25")
    assert of("385") != of("384")
    assert of("-1") != of("1")


@needs_copies
@pytest.mark.parametrize("name", ["math500", "aime24"])
def test_pinned_checksums_are_those_of_known_copies(name):
    copy = load_problems(COPIES / f"{name}.jsonl")
    assert (len(copy), answers_checksum(copy)) == (HUB[name].size, HUB[name].answers)


# As the Mathematical Association of America published them, I then II, problems 1 to 15.
AIME_2024 = {
    "I": (204, 25, 809, 116, 104, 294, 540, 197, 480, 113, 371, 385, 110, 104, 721),
    "II": (73, 236, 45, 33, 80, 55, 699, 127, 902, 468, 601, 23, 321, 211, 315),
}


def test_the_pinned_checksum_of_aime24_is_that_of_the_30_known_answers():
    answers = [answer for paper in AIME_2024.values() for answer in paper]
    known = [Problem(str(i), "x", f"{answer:03}") for i, answer in enumerate(answers)]
    assert (len(known), answers_checksum(known)) == (HUB["aime24"].size, HUB["aime24"].answers)


@needs_copies
def test_each_of_the_30_problems_of_aime24_has_its_answer():
    found = {problem.id: int(problem.answer) for problem in load_problems(COPIES / "aime24.jsonl")}
    assert found == {
        f"2024-{paper}-{place}": answer for paper, row in AIME_2024.items() for place, answer in enumerate(row, 1)
    }


def test_hub_sets_are_pinned_to_commits():
    assert all(len(source.revision) == 40 and len(source.answers) == 64 for source in HUB.values())


@pytest.fixture
def hub(monkeypatch):
    """`hub(file)`: the Hub gives this file whatever is asked, and notes what was."""
    asked = []

    def serve(file):
        monkeypatch.setattr(module, "hub_file", lambda *where, **options: asked.append((where, options)) or file)
        return asked

    return serve


@needs_copies
def test_math500_is_read_from_its_pinned_file_and_a_changed_answer_is_noticed(hub, tmp_path):
    copy = COPIES / "math500.jsonl"
    asked = hub(copy)
    assert load_problems("math500", limit=3)[0].id == "test/precalculus/807.json"
    source = HUB["math500"]
    assert asked == [((source.repo, "test.jsonl"), {"revision": source.revision, "kind": "dataset"})]
    rows = [json.loads(line) for line in copy.read_text(encoding="utf-8").splitlines()]
    for changed in (rows[:-1], [rows[0] | {"answer": "384"}, *rows[1:]]):
        hub(write(tmp_path / "test.jsonl", *changed))
        with pytest.raises(ValueError, match="MATH-500 is not the expected copy"):
            load_problems("math500")


@needs_copies
def test_a_parquet_set_is_read_or_says_that_it_needs_pyarrow(hub, monkeypatch, tmp_path):
    file = tmp_path / "train.parquet"
    hub(file)
    rows = pandas.DataFrame([
        {"id": 60 + i, "problem": problem.question, "answer": problem.answer, "year": "2024"}
        for i, problem in enumerate(load_problems(COPIES / "aime24.jsonl"))
    ])
    rows.to_parquet(file)
    loaded = load_problems("aime24")
    assert (loaded[0].id, loaded[1].answer, len(loaded)) == ("aime24/60", "025", 30)

    def missing(path):
        raise ImportError("Unable to find a usable engine; tried using: 'pyarrow', 'fastparquet'.\nMore words")

    monkeypatch.setattr(pandas, "read_parquet", missing)
    with pytest.raises(ValueError, match="needs pyarrow: run pip install pyarrow, or give a .jsonl file") as caught:
        load_problems("aime24")
    assert "\n" not in str(caught.value)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_without_a_hub_one_sentence_within_seconds(empty_cache, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="MATH-500 is not in the local cache and HF_HUB_OFFLINE is set"):
        load_problems("math500")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"the Hub cannot be reached \(ConnectError\)") as caught:
        load_problems("amc23")
    assert time.monotonic() - start < 10 and "\n" not in str(caught.value)


def put_in_cache(cache: Path, repo: str, kind: str, commit: str, branch: str = "") -> Path:
    """What huggingface_hub leaves in its cache, by hand."""
    folder = cache / f"{kind}s--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    if branch:
        (folder / "refs" / branch).write_text(commit)
    file = folder / "snapshots" / commit / "config.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    return file


def test_a_cached_commit_needs_no_hub_and_a_branch_is_named_by_its_commit(empty_cache, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    commit = "a" * 40
    file = put_in_cache(empty_cache, "owner/model", "model", commit, "main")
    assert zoo.hub_file("owner/model", "config.json", revision=commit) == file
    assert zoo.read_config("owner/model") == ({}, commit)


def test_a_folder_is_named_by_its_weights(tmp_path):
    (tmp_path / "config.json").write_text('{"a": 1}')
    (tmp_path / "model.safetensors").write_bytes(b"one")
    folder = zoo.model_folder(str(tmp_path))
    assert zoo.read_config(folder) == ({"a": 1}, None)
    first = zoo.weights_hash(folder)
    (tmp_path / "model.safetensors").write_bytes(b"two")
    assert len(first) == 12 and first != zoo.weights_hash(folder)


def test_families_are_asked_in_their_own_way():
    problem = Problem("p", "What is 1+1?", "2")
    roles = {name: [turn["role"] for turn in prompt.messages(problem)] for name, prompt in PROMPTS.items()}
    assert roles == {
        "nano": ["user"], "llama3": ["system", "user"], "qwen2.5": ["system", "user"], "r1": ["user"],
    }
    assert PROMPTS["r1"].messages(problem)[-1]["content"] == f"What is 1+1?\n{QWEN_SYSTEM}"
    assert all(prompt.separator == "\n\n" for prompt in PROMPTS.values())
    with pytest.raises(ValueError, match="Unknown prompt 'gpt'"):
        get_prompt("gpt")


def test_a_prompt_is_the_same_on_every_day(model_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_path(POLICY_NAMES[0]))
    # As the template of Llama 3.2 does it.
    tokenizer.chat_template = (
        "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
        "Today: {{ date_string }}. {{ messages[-1].content }}"
    )
    text = tokenizer.decode(PROMPTS["llama3"].ids(tokenizer, Problem("p", "What?", "2")))
    assert text == "Today: 26 Jul 2024. What?"
    assert datetime.now().strftime("%d %b %Y") not in text
