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
        Problem("row/3", "Raw \u2028 inside?", "025"),
    ]


def test_a_json_file_is_one_list(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([{"question": "1+1?", "answer": 2}, {"id": "b", "problem": "2+2?", "answer": "4"}]))
    assert load_problems(file, limit=9) == [Problem("row/1", "1+1?", "2"), Problem("b", "2+2?", "4")]
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
        ('{"id": 1, "problem": "x", "answer": "1"}\n\n{"id": "1", "problem": "y", "answer": "1"}',
         "Line 1 of .* and Line 3 of .* with the same id '1'"),
        ('{"id": "row/2", "problem": "x", "answer": "1"}\n{"problem": "y", "answer": "1"}', "the same id 'row/2'"),
        ('{"problem": "x", "answer": ' + "1" * 5000 + "}", "Line 1 of .* is not JSON"),
        ("[" * 100_000, "Line 1 of .* is not JSON"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, content, words):
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=words) as caught:
        load_problems(file)
    assert "\n" not in str(caught.value)


def loaded(folder: Path, *rows) -> list[Problem]:
    return load_problems(write(folder / "mine.jsonl", *rows))


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("He has 48/2 = <<48/2=24>>24.\nAltogether 48+24 = <<48+24=72>>72.\n#### 72", "72"),
        ("#### 1,072", "1,072"), ("So it is.\n####-5\n", "-5"), ("One line. #### 3/4 ", "3/4"),
        ("#### 2. Solve\nx = 4\n#### 4", "4"), ("#### \\boxed{7}", "7"),
        ("First \\boxed{1}, then\n\\boxed{\\frac{1}{2}}.", "\\frac{1}{2}"),
        ("so \\boxed{(1, 2)} and \\boxed{}", "(1, 2)"), ("\\boxed{x^{2}} or \\boxed{y", "x^{2}"), ("\\fbox{B}", "B"),
        # What is no solution stays as it is.
        (" 2,\\!500 ", " 2,\\!500 "), ("boxed eggs", "boxed eggs"), ("#5", "#5"), ("x = 4\ny = 5", "x = 4\ny = 5"),
        ("No solution", "No solution"), (27.0, "27"), (0, "0"), (-0.5, "-0.5"),
    ],
)
def test_an_answer_that_is_a_whole_solution_gives_what_it_ends_with(tmp_path, answer, gold):
    assert loaded(tmp_path, {"problem": "x", "answer": answer})[0].answer == gold
    assert loaded(tmp_path, {"problem": "x", "solution": "unlike it: \\boxed{9}", "answer": answer})[0].answer == gold
    if isinstance(answer, str) and ("####" in answer or "\\" in answer) and gold != answer:
        assert loaded(tmp_path, {"problem": "x", "solution": answer})[0].answer == gold


@pytest.mark.parametrize("answer", [
    "", "  \n", None, float("nan"), float("inf"), "nan", "NaN ", "<NA>", "None", "null", "N/A", True, False, [], ["1"],
    {"value": 1}, "It is 4.\n####", "so \\boxed{}", "so \\boxed{4",
])
def test_what_is_no_answer_is_refused_with_its_line(tmp_path, answer):
    rows = {"problem": "x", "answer": "1"}, {"problem": "y", "solution": "\\boxed{1}", "answer": answer}
    with pytest.raises(ValueError, match=r"^Line 2 of .*mine.jsonl has no question or no answer") as caught:
        loaded(tmp_path, *rows)
    assert "\n" not in str(caught.value)


def test_a_solution_without_an_answer_says_what_it_lacks(tmp_path):
    for solution in ("It is 4.", "It is \\boxed{}.", ""):
        with pytest.raises(ValueError, match=r"Line 1 of .* `solution` ends in no \\boxed\{...\} and no '#### ...'"):
            loaded(tmp_path, {"problem": "x", "solution": solution})


@needs_copies
def test_golds_of_math500_stay_byte_for_byte_and_are_those_of_their_solutions(tmp_path):
    rows = [json.loads(line) for line in (COPIES / "math500.jsonl").read_text(encoding="utf-8").splitlines()]
    golds = [row.pop("answer") for row in rows]
    assert [each.answer for each in load_problems(COPIES / "math500.jsonl")] == golds
    assert [each.answer for each in loaded(tmp_path, *rows)] == golds


@pytest.mark.parametrize(("level", "read"), [
    (5, 5), (5.0, 5), ("5", 5), ("5.0", 5), ("Level 5", 5), (" level 5 ", 5), ("LEVEL 3", 3), (None, 0), ("", 0),
    (0, 0), (float("nan"), 0), ("Level ?", 0),
])
def test_a_level_in_any_spelling(tmp_path, level, read):
    assert loaded(tmp_path, {"problem": "x", "answer": "1", "level": level})[0].level == read


@pytest.mark.parametrize("level", ["hard", 4.5, -1, [5], True, "Level", "5 of 5"])
def test_a_level_that_cannot_be_read_is_an_error(tmp_path, level):
    with pytest.raises(ValueError, match=r"Line 1 of .* has the level .*: give a whole number"):
        loaded(tmp_path, {"problem": "x", "answer": "1", "level": level})


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.json"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_files_as_editors_on_windows_write_them(tmp_path, name, encoding, line_end):
    rows = [json.dumps({"problem": "é?", "answer": "1"}, ensure_ascii=False), '{"problem": "y", "answer": "a\\r\\nb"}']
    text = line_end.join(rows) + line_end if name.endswith("l") else f"[{line_end}{','.join(rows)}]"
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert load_problems(tmp_path / name) == [Problem("row/1", "é?", "1"), Problem("row/2", "y", "a\r\nb")]


def test_a_file_gives_the_same_problems_under_any_name(tmp_path):
    rows = [{"problem": each, "answer": "1"} for each in "xyz"]
    rows[1]["id"] = "b"
    (tmp_path / "folder").mkdir()
    (tmp_path / "list.json").write_text(json.dumps(rows))
    files = [write(tmp_path / "a.jsonl", *rows), write(tmp_path / "folder" / "b.jsonl", "", rows[0], "", *rows[1:])]
    assert [each.id for each in load_problems(files[0])] == ["row/1", "b", "row/3"]
    assert load_problems(files[0]) == load_problems(files[1]) == load_problems(tmp_path / "list.json")
    empty = [row | {"unique_id": None, "subject": float("nan")} for row in rows]
    assert load_problems(write(tmp_path / "c.jsonl", *empty)) == load_problems(files[0])


def test_lone_surrogates_become_characters_that_can_be_kept(tmp_path):
    row = {"id": "\udc00", "problem": "a\ud800b\U0001f600", "answer": "\udfff", "subject": "\ud800"}
    (problem,) = loaded(tmp_path, row)
    assert problem == Problem("\ufffd", "a\ufffdb\U0001f600", "\ufffd", "\ufffd") == Problem(*row.values())
    assert all(text.encode() for text in (problem.id, problem.question, problem.answer, problem.subject))


@pytest.mark.parametrize(
    ("name", "limit", "words"),
    [
        ("math5000", None, "Unknown problem set 'math5000': did you mean math500?"),
        ("nowhere.jsonl", None, "No problem file at .*nowhere.jsonl"),
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
