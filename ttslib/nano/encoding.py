"""Labelled solutions as token ids: where the solution begins, where its first wrong token is, where steps are read."""

from dataclasses import dataclass

from ttslib.nano.prm_data import Labelled
from ttslib.prms.formats import Format, shared_prefix


@dataclass(frozen=True)
class Encoding:
    """Ids up to the last score; the solution's tokens are [start, len(ids)), the right ones [start, wrong)."""

    ids: list[int]
    positions: tuple[int, ...]
    start: int
    wrong: int

    def __len__(self) -> int:
        return len(self.ids)


def encode(example: Labelled, format: Format) -> Encoding:
    """An example as the format lays it out.

    The first wrong token is the first that differs from the right step's or, if that is not known, of the step.
    """
    encoded = format.encode(example.question, list(example.steps))
    ids = list(encoded.ids[: encoded.positions[-1] + 1])
    start = shared_prefix(ids, format.encode(example.question, ["?"]).ids)
    if example.wrong < 0:
        return Encoding(ids, encoded.positions, start, len(ids))
    steps = [*example.steps[: example.wrong], example.expected or "?"]
    wrong = shared_prefix(ids, format.encode(example.question, steps).ids)
    return Encoding(ids, encoded.positions, start, min(wrong, len(ids) - 1))
