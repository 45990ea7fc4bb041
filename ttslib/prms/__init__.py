"""PRMs: `load_prm` by name, Hub id or path, each in its original's input format; `identify` says which without it."""

from ttslib.policies.base import Path
from ttslib.prms.base import PRM
from ttslib.prms.formats import FORMATS, Format, get_format, register
from ttslib.prms.load import load_prm
from ttslib.prms.registry import PAPER_PRMS, PRMCard
from ttslib.prms.resolve import check_backend, identify

__all__ = [
    "FORMATS", "PAPER_PRMS", "PRM", "Format", "PRMCard", "Path", "check_backend", "get_format", "identify", "load_prm",
    "register",
]  # fmt: skip
