"""Profiles: sizes and casts, and recasting roles by name, by mapping and by file.

Run: python -m pytest tests/test_profiles.py
"""

from __future__ import annotations

import json

import pytest

from ttslib.nano import specs
from ttslib.paper import experiment, roles
from ttslib.profiles import PROFILES, get_profile
from ttslib.runs import ModelSpec

CAST = """
[policies]
"Llama-3.2-1B" = "my/model"
"Qwen2.5-7B" = {model = "other/model", prompt = "qwen2.5"}
[prms]
"Skywork-PRM-7B" = "my/prm"
[benchmarks]
"AIME24" = "nanomath"
"""


@pytest.mark.parametrize("name", PROFILES)
def test_every_role_of_the_paper_is_cast(name):
    cast = get_profile(name).cast
    policies, prms = [cast.policy(role).name for role in roles.POLICIES], [cast.prm(role).name for role in roles.PRMS]
    assert len(set(prms)) == 7 and len(set(policies)) == (13 if name == "paper" else 12)
    assert len({cast.policy(role) for role in roles.POLICIES if role not in roles.MATH}) == 12
    assert len({cast.benchmark(role) for role in roles.BENCHMARKS}) == 2


def test_nano_models_play_those_that_they_stand_for():
    cast = get_profile("smoke").cast
    assert cast == get_profile("nano").cast == get_profile("full").cast
    for spec in specs.POLICIES.values():
        if (role := roles.role_name(spec.stands_for)) in (*roles.POLICIES, *roles.REFERENCES):
            assert cast.policy(role) == ModelSpec(spec.name)
    assert {cast.prm(spec.stands_for).name for spec in specs.PRMS.values()} == set(specs.PRMS)
    assert cast.policy("Llama-3.1-405B").name == "nano-llama-3m" and cast.policy("GPT-4o").name == "nano-qwen-3m"
    assert cast.benchmarks == {"MATH-500": "nanomath", "AIME24": "nanoaime"}


def test_the_paper_plays_itself():
    cast = get_profile("paper").cast
    assert {role: cast.policy(role).name for role in roles.POLICIES} == {
        role: card.hub_id for role, card in roles.POLICIES.items()
    }
    assert cast.benchmarks == {"MATH-500": "math500", "AIME24": "aime24"}
    with pytest.raises(ValueError, match="Nobody plays 'GPT-4o' in this profile: recast it, as in GPT-4o=NAME"):
        cast.policy("GPT-4o")


def test_the_lead_is_the_same_pair_of_roles_at_every_profile():
    for name, lead in (
        ("nano", ("nano-llama-0.4m", "nano-prm-qwen-m", "nanomath")),
        ("paper", ("meta-llama/Llama-3.2-3B-Instruct", "Qwen/Qwen2.5-Math-PRM-7B", "math500")),
    ):
        profile = get_profile(name)
        assert (profile.policy, profile.prm, profile.dataset) == lead


def test_a_plain_name_takes_the_lead(tmp_path):
    mine = get_profile("nano", policy="my/model", prm="my/prm", dataset="mine.jsonl")
    assert (mine.policy, mine.prm, mine.dataset, mine.benchmark) == ("my/model", "my/prm", "mine.jsonl", "mine")
    assert mine.cast.policy("Llama-3.2-3B") == ModelSpec("my/model")
    assert mine.cast.policy("Llama-3.2-1B") == get_profile("nano").cast.policy("Llama-3.2-1B")
    odd = tmp_path / "rate=0.1"
    odd.mkdir()
    assert get_profile("nano", policy=odd).policy == str(odd)
    assert PROFILES["nano"].policy == "nano-llama-0.4m"


def test_roles_are_recast_by_name():
    written = get_profile("nano", policy="Llama-3.2-1B=a/one, Qwen2.5-72B = b/two", dataset="AIME24=nanomath")
    mapped = get_profile("nano", policy={"Llama-3.2-1B": "a/one", "Qwen2.5-72B": {"model": "b/two"}},
                         dataset={"AIME24": "nanomath"})  # fmt: skip
    assert written == mapped and written.policy == "nano-llama-0.4m"
    assert written.cast.policy("Qwen2.5-72B") == ModelSpec("b/two") and written.cast.benchmark("AIME24") == "nanomath"


def test_a_file_recasts_roles(tmp_path):
    toml = tmp_path / "cast.toml"
    toml.write_text(CAST)
    found = get_profile("nano", cast=toml)
    assert found.cast.policy("Llama-3.2-1B") == ModelSpec("my/model")
    assert found.cast.policy("Qwen2.5-7B") == ModelSpec("other/model", {"prompt": "qwen2.5"})
    assert found.cast.prm("Skywork-PRM-7B").name == "my/prm" and found.cast.benchmark("AIME24") == "nanomath"
    assert found.cast.policy("Llama-3.1-8B").name == "nano-llama-1m"
    over = get_profile("nano", cast=str(toml), policy="Llama-3.2-1B=another/one")
    assert over.cast.policy("Llama-3.2-1B").name == "another/one"
    as_json = tmp_path / "cast.json"
    as_json.write_text(json.dumps({
        "policies": {"Llama-3.2-1B": "my/model", "Qwen2.5-7B": {"model": "other/model", "prompt": "qwen2.5"}},
        "prms": {"Skywork-PRM-7B": "my/prm"}, "benchmarks": {"AIME24": "nanomath"},
    }))  # fmt: skip
    assert get_profile("nano", cast=as_json) == found


def test_a_path_is_seen_from_the_folder_of_the_cast(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "mine.jsonl").touch()
    file = tmp_path / "cast.json"
    file.write_text(json.dumps({
        "policies": {"Llama-3.2-1B": "model", "Qwen2.5-7B": {"model": "model", "prompt": "model"}},
        "benchmarks": {"MATH-500": "mine.jsonl"},
    }))  # fmt: skip
    profile = get_profile("nano", cast=file)
    assert profile.cast.policy("Llama-3.2-1B").name == str(tmp_path / "model")
    assert profile.cast.policy("Qwen2.5-7B") == ModelSpec(str(tmp_path / "model"), {"prompt": "model"})
    assert profile.dataset == str(tmp_path / "mine.jsonl")


def test_a_profile_may_be_given_another_size():
    small = get_profile("paper", problems=50, budgets=(16, 4))
    runs = [run for name in ("fig4", "fig10", "fig5", "table3") for run in experiment(name).runs(small)]
    assert {run.size for run in runs} == {50, 30}  # AIME24 has no more than 30
    assert {run.n for run in runs if run.method == "best_of_n"} == {16}
    assert {run.n for run in runs if run.method == "beam_search"} == {4, 16, 32}  # 32 plays the 512 of Table 3
    assert get_profile("nano", problems=5).budgets == get_profile("nano").budgets
    assert not get_profile("nano", budgets=(4,)).grid_budgets


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"policy": "Llama-9=a/b"}, "Unknown role among the policies 'Llama-9': give one of Llama-3.2-1B"),
        ({"prm": "Llama-3.2-1B=a/b"}, "Unknown role among the prms 'Llama-3.2-1B'"),
        ({"policy": "Llama-3.2-1B="}, "write ROLE=MODEL"),
        ({"policy": "Llama-3.2-1B=a/b,c/d"}, "'c/d' of .* recasts nothing"),
        ({"policy": {"Llama-3.2-1B": 3}}, "A model is a name"),
        ({"policy": {"Llama-3.2-1B": {"prompt": "r1"}}}, "names no model"),
        ({"dataset": "mathx"}, "Unknown problem set 'mathx'"),
        ({"dataset": {"AIME24": {"model": "x"}}}, "A benchmark is played by a data set"),
        ({"cast": "nowhere.toml"}, "No cast at nowhere.toml"),
        ({"cast": "cast.yaml"}, "A cast is a .toml or .json file"),
        ({"problems": 0}, "problems is a whole number, at least 1"),
        ({"budgets": ()}, "budgets holds no N"),
        ({"budgets": (4, 0)}, "a budget is a whole number, at least 1"),
    ],
)
def test_what_recasts_nothing_is_one_sentence(given, says):
    with pytest.raises(ValueError, match=says) as raised:
        get_profile("nano", **given)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.toml", b"[policies\n", "a.toml cannot be read"),
        ("a.json", b'{"policies": ', "a.json cannot be read"),
        ("a.json", b"[" * 100_000, "a.json cannot be read"),
        ("a.json", b"\xff\xfe", "a.json cannot be read"),
        ("a.json", b"[]", "a.json is no cast"),
        ("a.toml", b'policies = "x"', "a.toml is no cast"),
        ("a.toml", b"[policy]", "has the table 'policy': give policies, prms, benchmarks"),
        ("a.toml", b'[policies]\n"Llama-9" = "x"', "Unknown role among the policies 'Llama-9'"),
        ("a.toml", b'[policies]\n"Llama-3.2-1B" = ""', "a Hub id or a path"),
    ],
)
def test_a_broken_cast_is_one_sentence(name, content, says, tmp_path):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ValueError, match=says) as raised:
        get_profile("nano", cast=file)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)
