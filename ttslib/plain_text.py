"""Texts from outside as tokens: what spells a control token in a question or a step stays plain text.

A tokenizer finds its control tokens (`<|im_end|>`, `<s>`, `<extra_0>`) wherever they are spelt. A text that spells none
is encoded as the models' authors do it, all at once. Around any other, the template's own control tokens get names that
the text does not hold, and a copy of the tokenizer that knows them by these names alone encodes it, all at once too.
"""

from __future__ import annotations

import json
import re
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_TAG = re.compile(r"[<\[].*\w.*[>\]]", re.S)
_PRIVATE = range(0xF0000, 0xFFFFE)  # characters that no script has
Offsets = list[tuple[int, int]]


def mend(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate, which no file and no tokenizer takes."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text) if isinstance(text, str) else text


class PlainText:
    """The encoder of a rendered template into which `texts` were put as `hide` gives them.

    Control tokens are the special tokens, added ones in angle or square brackets, and `marker` if it is an added one;
    other added tokens are ordinary pieces of text. Raises ValueError if `texts` spell one and the tokenizer is not one
    of the `tokenizers` library.
    """

    def __init__(self, tokenizer, texts: Sequence[str], marker: str = ""):
        self.tokenizer, self._copy = tokenizer, None
        controls = _controls_of(tokenizer, marker)
        if not any(map(controls.spelt_in, texts)):
            return
        unused = (chr(code) for code in _PRIVATE if not any(chr(code) in text for text in texts))
        self._mark, self._quote = next(unused), next(unused)
        self._pattern, (self._names, self._copy) = controls.pattern, controls.renamed(self._quote)

    def hide(self, text: str) -> str:
        """What to put into the template instead of `text`: it spells no control token."""
        if self._copy is None:
            return text
        starts = re.compile(f"(?={self._pattern.pattern}).", re.S)
        return starts.sub(lambda start: f"{self._mark}{ord(start[0]):x}{self._mark}", text)

    def reveal(self, rendered: str) -> str:
        """What is encoded of a rendered text: the template's control tokens by their names, texts as they were."""
        if self._copy is None:
            return rendered
        named = self._pattern.sub(lambda control: self._names[control[0]], rendered)
        hidden = re.compile(f"{self._mark}([0-9a-f]+){self._mark}")
        return hidden.sub(lambda start: chr(int(start[1], 16)), named)

    def tokens(self, revealed: str) -> tuple[list[int], Offsets]:
        """Ids of a revealed text, and of each the characters where it begins and ends."""
        if self._copy is None:
            found = self.tokenizer(revealed, add_special_tokens=False, return_offsets_mapping=True)
            return found["input_ids"], found["offset_mapping"]
        found = self._copy.encode(revealed, add_special_tokens=False)
        return found.ids, found.offsets

    def encode(self, rendered: str, *, add_special_tokens: bool = False) -> list[int]:
        """Ids of a rendered text."""
        if self._copy is None:
            return self.tokenizer.encode(rendered, add_special_tokens=add_special_tokens)
        return self._copy.encode(self.reveal(rendered), add_special_tokens=add_special_tokens).ids


class _Controls:
    """The control tokens of one tokenizer, and copies of it that know them by other names."""

    def __init__(self, tokenizer, marker: str):
        self.name, self.backend = type(tokenizer).__name__, getattr(tokenizer, "backend_tokenizer", None)
        if self.backend is None:
            found = dict.fromkeys(tokenizer.get_added_vocab(), False)
        else:
            added = self.backend.get_added_tokens_decoder().values()
            found = {
                token.content: token.single_word for token in added
                if token.special or token.content == marker or _TAG.fullmatch(token.content)
            }
        self.tokens = sorted(filter(str.strip, found), key=lambda each: (-len(each), each))
        spelt = (rf"(?<!\w){re.escape(each)}(?!\w)" if found[each] else re.escape(each) for each in self.tokens)
        self.pattern = re.compile(f"(?:{'|'.join(spelt)})" if self.tokens else "(?!)")
        self._copies: dict[str, tuple[dict[str, str], Tokenizer]] = {}

    def spelt_in(self, text: str) -> bool:
        """Whether the text, as it is or as the tokenizer normalises it, spells a control token."""
        normalizer = self.backend and self.backend.normalizer
        return bool(self.pattern.search(text) or normalizer and self.pattern.search(normalizer.normalize_str(text)))

    def renamed(self, quote: str) -> tuple[dict[str, str], Tokenizer]:
        """(control token -> its name, with `quote` around it; the tokenizer that knows the names instead)."""
        if self.backend is None:
            raise ValueError(f"A text spells a control token, which {self.name} cannot encode as plain text.")
        if quote not in self._copies:
            names = {token: f"{quote}{place}{quote}" for place, token in enumerate(self.tokens)}
            self._copies[quote] = names, _copy(self.backend, names)
        return self._copies[quote]


_known: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _controls_of(tokenizer, marker: str) -> _Controls:
    """Found once for each tokenizer."""
    found = _known.setdefault(tokenizer, {})
    if marker not in found:
        found[marker] = _Controls(tokenizer, marker)
    return found[marker]


def _copy(backend: Tokenizer, names: dict[str, str]) -> Tokenizer:
    """The tokenizer with some added tokens renamed, all ids as they are, and no other way to these ids."""
    from tokenizers import Tokenizer

    data = json.loads(backend.to_str())
    model = data["model"]
    ids = {token["content"]: token["id"] for token in data["added_tokens"]}
    for token in data["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    if isinstance(model["vocab"], dict):
        # A token of the vocabulary too could be put together, or be found whole, by the model itself.
        model["vocab"] = {each: id for each, id in model["vocab"].items() if each not in names}
        model["vocab"] |= {names.get(token, token): id for token, id in ids.items()}
        pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in model.get("merges", ()))
        kept = [pair for pair in pairs if names.keys().isdisjoint((*pair, "".join(pair)))]
        model |= {"merges": kept} if "merges" in model else {}
    else:
        for token, id in ids.items():
            model["vocab"] += [[f"{token}{place}", 0.0] for place in range(len(model["vocab"]), id + 1)]
            model["vocab"][id][0] = names.get(token, token)
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    data["truncation"] = data["padding"] = None
    return Tokenizer.from_str(json.dumps(data))
