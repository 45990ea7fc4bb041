"""The four input formats of PRMs with the nano tokenizers, each with the family whose models it belongs to here."""

from ttslib.nano.tokenizer import build_tokenizer
from ttslib.prms.chat_turns import ChatTurns
from ttslib.prms.formats import Format
from ttslib.prms.tag_token import TagToken
from ttslib.prms.two_class import TwoClass
from ttslib.prms.value_head import ValueHead

LAYOUTS = {
    "tag": ("mistral", TagToken), "chat_turns": ("llama", ChatTurns), "value_head": ("qwen", ValueHead),
    "two_class": ("qwen", TwoClass),
}


def build_layout(format: str) -> Format:
    """The format of that name, with a fresh tokenizer (`.tokenizer`) of its family."""
    family, layout = LAYOUTS[format]
    return layout(build_tokenizer(family))
