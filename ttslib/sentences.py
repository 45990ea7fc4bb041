"""In a notebook, an error that this package raises on purpose is shown as its sentence alone; `%tb` shows the rest."""

from __future__ import annotations

import sys
from linecache import getline
from types import TracebackType
from typing import Any

from ttslib.records import StoreError

KINDS = (ValueError, KeyError, StoreError)


def install() -> None:
    """Show them so from now on, in a notebook or IPython; elsewhere nothing happens."""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    if shell:
        shell.set_custom_exc(KINDS, _show)


def _show(
    shell: Any, kind: type, error: BaseException, trace: TracebackType, tb_offset: int | None = None
) -> list[str]:
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # for %tb
    last = trace
    while last.tb_next:
        last = last.tb_next
    # On purpose: by a `raise` of ours. An accident within the package is a bug, whose traceback is wanted.
    ours = last.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "ttslib"
    if ours and getline(last.tb_frame.f_code.co_filename, last.tb_lineno).lstrip().startswith("raise "):
        lines = [f"{kind.__name__}: {error.args[0] if error.args else error}"]
    else:
        lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
    shell._showtraceback(kind, error, lines)
    return lines
