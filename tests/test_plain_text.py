"""What spells a control token in a question or a step stays plain text, and any other text is encoded as it always was.

Run: python -m pytest tests/test_plain_text.py
"""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_paper_policies import FAMILIES, tokenizer_of
from test_prm_formats import mistral_tokenizer, qwen_tokenizer
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from ttslib.nano.layouts import build_layout
from ttslib.nano.specs import PRM_FAMILIES
from ttslib.nano.tokenizer import build_tokenizer
from ttslib.plain_text import PlainText, mend
from ttslib.prms.formats import MarkerInStep
from ttslib.problems import Problem
from ttslib.prompts import PROMPTS, Prompt

CHAT = "{{ '<s>' }}{% for m in messages %}<turn>{{ m.content | trim }}</turn>{% endfor %}"


def unigram() -> PreTrainedTokenizerFast:
    """As T5's: control tokens are pieces of the vocabulary, and spaces are written as such in front of words."""
    words = ["<unk>", "<s>", "</s>", "<turn>", "</turn>", "▁", "▁what", "<", ">", "/"]
    pieces = [*words, *"abcdefghiknrstuwxyW?|_.0123456789"]
    core = Tokenizer(models.Unigram([(piece, -2.0) for piece in pieces], unk_id=0))
    core.normalizer = normalizers.NFKC()
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    core.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 2)])
    core.add_special_tokens(["<s>", "</s>", "<turn>", "</turn>", "<unk>"])
    return PreTrainedTokenizerFast(tokenizer_object=core, chat_template=CHAT, unk_token="<unk>")


def uncased() -> PreTrainedTokenizerFast:
    """Control tokens are found in the normalised text, strip the blanks before them, or are words of their own."""
    signs = "abcdefghijklmnopqrstuvwxyz<>[]/|_ .?0123456789\n"
    core = Tokenizer(models.BPE(vocab={sign: at for at, sign in enumerate(signs)}, merges=[]))
    core.normalizer = normalizers.Lowercase()
    core.add_special_tokens([AddedToken("<s>", normalized=False), AddedToken("<turn>", lstrip=True, normalized=True)])
    core.add_tokens([AddedToken("</turn>", normalized=True), AddedToken("[END]", single_word=True), AddedToken("the")])
    return PreTrainedTokenizerFast(tokenizer_object=core, chat_template=CHAT)


def byte_level(tmp) -> PreTrainedTokenizerFast:
    qwen_tokenizer(tmp, None)
    return AutoTokenizer.from_pretrained(tmp)


def mistral():
    tokenizer = mistral_tokenizer()
    tokenizer.chat_template = CHAT
    return tokenizer


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    nano = {name: build_tokenizer(name) for name in ("llama", "qwen", "mistral")}
    paper = {name: tokenizer_of(name) for name in FAMILIES}
    others = {"unigram": unigram(), "uncased": uncased(), "sentencepiece": mistral()}
    found = nano | paper | others | {"byte-level": byte_level(tmp_path_factory.mktemp("qwen"))}

    def get(name):
        return found[name]

    return get


NAMES = ["llama", "qwen", "mistral", *FAMILIES, "unigram", "uncased", "sentencepiece", "byte-level"]
each = pytest.mark.parametrize("name", NAMES)
TAG = re.compile(r"[<\[].*[>\]]|ки", re.S)


def controls(tokenizer) -> dict[str, int]:
    added = {token.content: at for at, token in tokenizer.added_tokens_decoder.items()}
    return {token: at for token, at in added.items() if TAG.fullmatch(token)}


def texts_of(tokenizer):
    """Texts of ordinary pieces, control tokens, and parts of these."""
    spelt = list(controls(tokenizer))
    parts = [part for token in spelt for part in (token[:1], token[:-1], token[1:], token[-1:], token.upper())]
    plain = ["What is 1 + 2?", "\n\n", " ", "the ", "é ∑ 漢字", "x", "+", "\U000f0000", "\U000f00010\U000f0001", "0"]
    return st.lists(st.sampled_from([*spelt, *parts, *plain]), max_size=8).map("".join)


@each
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_the_question_the_control_tokens_are_those_of_the_template(tokenizers, name, data):
    tokenizer = tokenizers(name)
    question = data.draw(texts_of(tokenizer))
    reserved = set(controls(tokenizer).values()) - {controls(tokenizer).get("<unk>")}  # of signs that it does not know
    prompt = PROMPTS[FAMILIES[name][3]] if name in FAMILIES else Prompt("nano")
    ids = prompt.ids(tokenizer, Problem("p", question, "1"))
    usual = prompt.ids(tokenizer, Problem("p", "What is 1?", "1"))
    assert [token for token in ids if token in reserved] == [token for token in usual if token in reserved]
    if not any(token.lower() in question.lower() for token in controls(tokenizer)):
        asked = prompt.messages(Problem("p", question, "1"))
        text = tokenizer.apply_chat_template(
            asked, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024"
        )
        assert list(ids) == tokenizer.encode(text, add_special_tokens=False)


@each
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_text_between_control_tokens_is_encoded_as_the_tokenizer_does_it(tokenizers, name, data):
    """With control tokens of a template around it: the second path gives the ids of the first, special tokens too."""
    tokenizer = tokenizers(name)
    spelt = sorted(controls(tokenizer))
    parts = st.sampled_from([*spelt, "What is 1 + 2?", " the", "\n\n", "x "])
    template = "".join(data.draw(st.lists(parts, max_size=6)))
    plain = PlainText(tokenizer, [spelt[0]], "ки")
    for special in ({"add_special_tokens": False}, {"add_special_tokens": True}):
        assert plain.encode(template, **special) == tokenizer.encode(template, **special)
    ids, offsets = plain.tokens(plain.reveal(template))
    assert ids == tokenizer.encode(template, add_special_tokens=False) and len(offsets) == len(ids)


@pytest.mark.parametrize("name", ["llama", "qwen", "mistral", *FAMILIES, "byte-level"])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_nothing_of_the_text_is_lost(tokenizers, name, data):
    tokenizer = tokenizers(name)
    text = data.draw(texts_of(tokenizer))
    plain = PlainText(tokenizer, [text], "ки")
    hidden = plain.hide(text)
    assert plain.reveal(hidden) == text and tokenizer.decode(plain.encode(hidden)) == text
    assert not any(token in hidden for token in controls(tokenizer))


@pytest.mark.parametrize("kind", PRM_FAMILIES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_the_steps_each_has_its_score_or_the_path_is_refused(kind, data):
    layout = LAYOUT[kind]
    question = data.draw(texts_of(layout.tokenizer))
    steps = data.draw(st.lists(texts_of(layout.tokenizer), min_size=1, max_size=4))
    reserved = set(controls(layout.tokenizer).values())
    usual = layout.encode("What is 1?", ["1"] * len(steps))
    marker = {"tag": "ки", "two_class": "<extra_0>"}.get(kind)
    if marker and any(marker in step for step in steps):
        with pytest.raises(MarkerInStep):
            layout.encode(question, steps)
        return
    found = layout.encode(question, steps)
    assert [token for token in found.ids if token in reserved] == [token for token in usual.ids if token in reserved]
    assert len(found.positions) == len(steps) == len(set(found.positions))
    assert [found.ids[at] for at in found.positions] == [usual.ids[at] for at in usual.positions]


LAYOUT = {kind: build_layout(kind) for kind in PRM_FAMILIES}


def test_a_tokenizer_that_is_not_fast_is_named():
    class Slow:
        def get_added_vocab(self):
            return {"<s>": 1}

        def encode(self, text, add_special_tokens):
            return [len(text)]

    slow = Slow()
    assert PlainText(slow, ["a < s"]).encode("a < s") == [5]
    with pytest.raises(ValueError, match="spells a control token, which Slow cannot encode as plain text"):
        PlainText(slow, ["a <s>"])


def test_lone_surrogates_are_mended_and_nothing_else():
    assert mend("a\ud800b\udfff") == "a\ufffdb\ufffd" and mend("é 漢 🎲 \ue000") == "é 漢 🎲 \ue000"
