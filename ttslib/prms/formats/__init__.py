"""The input formats of PRMs, each in a file of its own; `register` adds one.

    @register
    class Mine(Format):
        name = "mine"
        ...

From then on `load_prm` takes it as `format="mine"`, and finds it in a config.json that names it as `prm_format` or has
one of its architectures.
"""

import inspect

from ttslib.prms.formats.base import Encoded, Format, MarkerInStep, encode_path, linear, one_token, shared_prefix
from ttslib.prms.formats.chat_turns import ChatTurns
from ttslib.prms.formats.tag_token import TagToken
from ttslib.prms.formats.two_class import TwoClass
from ttslib.prms.formats.value_head import ValueHead

__all__ = [
    "FORMATS", "Encoded", "Format", "MarkerInStep", "encode_path", "get_format", "linear", "one_token",
    "register", "shared_prefix",
]

FORMATS: dict[str, type[Format]] = {}
"""Every registered format by its name."""


def register(format: type[Format]) -> type[Format]:
    """Makes a format known, and returns it, so that it can decorate the class.

    Registering another class under the name replaces it, as a notebook does when a cell is run again. Raises ValueError
    if it lacks its name, its tensors or a method, or if its name is that of one of the package's own formats, or an
    architecture is another's.
    """
    if lacking := [each for each in ("name", "tensors") if not getattr(format, each)]:
        raise ValueError(f"The PRM format {format.__name__} does not say its {lacking[0]}.")
    if inspect.isabstract(format):
        raise ValueError(f"The PRM format {format.name!r} has no {min(format.__abstractmethods__)}.")
    if (known := FORMATS.get(format.name)) and known.__module__.startswith("ttslib."):
        raise ValueError(f"There is a PRM format {format.name!r} in ttslib: give {format.__name__} a name of its own.")
    for other in (each for name, each in FORMATS.items() if name != format.name):
        if shared := set(format.architectures) & set(other.architectures):
            raise ValueError(f"{min(shared)} means the PRM format {other.name!r} already: it cannot mean another.")
    FORMATS[format.name] = format
    return format


register(TagToken)
register(TwoClass)
register(ChatTurns)
register(ValueHead)


def get_format(name: str) -> type[Format]:
    """The format of that name; ValueError, naming those that exist, for any other."""
    if name not in FORMATS:
        raise ValueError(f"Unknown PRM format {name!r}: give {' or '.join(map(repr, FORMATS))}.")
    return FORMATS[name]
