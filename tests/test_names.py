"""Names that nothing has.

Run: python -m pytest tests/test_names.py
"""

import pytest

import ttslib as tts


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: tts.get_profile("nanoo"), "Unknown profile 'nanoo': did you mean nano?"),
        (lambda: tts.get_profile("huge"), "Unknown profile 'huge': give one of smoke, nano, full, paper."),
        (lambda: tts.voting.check("prm_lst_vote"), "Unknown voting rule 'prm_lst_vote': did you mean prm_last_vote or"),
        (lambda: tts.load_policy("nano-lama-0.4m"), "Unknown policy 'nano-lama-0.4m': did you mean nano-llama-0.4m"),
        (lambda: tts.load_prm("nano-prm-quen-m"), "Unknown PRM 'nano-prm-quen-m': did you mean nano-prm-qwen-m"),
        (lambda: tts.load_prm("nano-qwen-m"), "Unknown PRM 'nano-qwen-m': did you mean nano-prm-qwen-m"),
        (lambda: tts.search.get_method("beamsearch"), "Unknown method 'beamsearch': did you mean beam_search?"),
    ],
)
def test_an_unknown_name_brings_the_nearest_of_its_kind(call, said):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value).startswith(said)


def test_policies_and_prms_are_told_apart():
    for load, other in ((tts.load_policy, "nano-prm"), (tts.load_prm, "nano-llama")):
        with pytest.raises(ValueError) as error:
            load("no such model")
        assert other not in str(error.value) and "a Hub id or the path of a model folder" in str(error.value)


def test_a_missing_file_is_named_by_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as error:
        tts.load_problems("problems.jsonl")
    assert str(tmp_path / "problems.jsonl") in str(error.value)
