"""The nano tokenizers: byte-level, with words, signs and every number below 100 as one token each.

A space belongs to the word or sign before it, never to a number: "36 + 19" is three tokens, and each number has one
embedding. That halves the length of a solution, and with it the time to train and to sample. The longer pieces are
added tokens, found before any splitting: transformers gives every Qwen2 folder Qwen's own splitting rules, which know
digits only.

Each family has its own chat template and end of turn (the true ones of Llama 3, Qwen2.5 and Mistral, without a system
turn), so that a nano prompt looks like the prompt of the model it stands for.
"""

import functools
import itertools
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from ttslib.nano.generator import generate
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.nano.thinking import thinking_steps

VOCABULARY = 768
CORPUS = 4000

LLAMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MISTRAL_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST] {{ message['content'] }} "
    "[/INST]{% else %} {{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
# Every family knows the special tokens of all, at the same ids, so that a PRM can start from any family's network.
SPECIAL = (
    "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|pad|>", "<|endoftext|>",
    "<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "[/INST]", "<extra_0>", "ки",
)
FAMILIES = {
    "llama": {
        "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "pad_token": "<|pad|>",
        "chat_template": LLAMA_TEMPLATE,
    },
    "qwen": {
        "bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": QWEN_TEMPLATE,
    },
    "mistral": {
        "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<|pad|>", "chat_template": MISTRAL_TEMPLATE,
    },
}


def _corpus():
    rng = random.Random(0)
    yield " ".join(map(str, range(100))) * 5000
    for worked in itertools.islice(generate(0, "train"), CORPUS):
        yield worked.question
        for steps in STYLES.values():
            yield SEPARATOR.join(steps(worked)) + SEPARATOR
        yield SEPARATOR.join(step for step, _ in thinking_steps(worked, rng)) + SEPARATOR
    yield "user\nsystem\nassistant\n" * 1000


def build_tokenizer(family: str) -> PreTrainedTokenizerFast:
    """A tokenizer of `family`, lossless on any text, the same on every machine."""
    tokenizer = Tokenizer(models.BPE(vocab=_vocabulary(), merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    pieces = [piece for piece in tokenizer.get_vocab() if len(piece) > 1 and piece not in SPECIAL]
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in pieces])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **FAMILIES[family])


@functools.cache
def _vocabulary() -> dict[str, int]:
    """Piece -> id: the special tokens, the bytes as byte-level BPE writes them, and longer pieces as plain text."""
    learner = Tokenizer(models.BPE())
    pieces = Regex(r" ?\\[A-Za-z]+ ?|#+ ?| ?[A-Za-z]+ ?|[0-9]{1,2}|\n\n| ?[^\s\\0-9A-Za-z]+ ?|\s|\\")
    learner.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(pieces, "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    learner.train_from_iterator(_corpus(), trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(SPECIAL), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    ))
    plain = decoders.ByteLevel()
    return {
        piece if len(piece) == 1 or piece in SPECIAL else plain.decode([piece]): number
        for piece, number in learner.get_vocab().items()
    }
