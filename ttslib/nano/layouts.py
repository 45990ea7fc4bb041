"""The input formats of PRMs with the nano tokenizers."""

from ttslib.nano.specs import PRM_FAMILIES
from ttslib.nano.tokenizer import build_tokenizer
from ttslib.prms.formats import Format, get_format


def build_layout(format: str) -> Format:
    """The format of that name, with a fresh tokenizer (`.tokenizer`) of its family."""
    return get_format(format)(build_tokenizer(PRM_FAMILIES[format]))
