"""Who plays which role of the paper: a model for each policy and PRM, a data set for each benchmark."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ttslib.names import unknown
from ttslib.paper import roles
from ttslib.problems import known_size
from ttslib.runs import ModelSpec

KNOWN = {
    "policies": (*roles.POLICIES, *roles.REFERENCES), "prms": tuple(roles.PRMS), "benchmarks": tuple(roles.BENCHMARKS),
}  # fmt: skip
"""The roles of each kind."""


@dataclass(frozen=True)
class Cast:
    """Role -> model, or data set, of each kind; a role that nobody plays is left out."""

    policies: Mapping[str, ModelSpec]
    prms: Mapping[str, ModelSpec]
    benchmarks: Mapping[str, str]

    def policy(self, role: str) -> ModelSpec:
        """Who plays a policy. ValueError for an unknown role, and where nobody plays it."""
        return self._player("policies", role)

    def prm(self, role: str) -> ModelSpec:
        """Who plays a PRM. ValueError for an unknown role, and where nobody plays it."""
        return self._player("prms", role)

    def benchmark(self, role: str) -> str:
        """The data set that plays a benchmark. ValueError for an unknown role, and where none plays it."""
        return self._player("benchmarks", role)

    def recast(self, kind: str, players: Mapping[str, Any]) -> Cast:
        """With other players (what `ModelSpec.of` takes, or a data set) in some roles of one kind.

        Raises ValueError, in one sentence, for an unknown role, and for what is no model or data set.
        """
        of = _data_set if kind == "benchmarks" else ModelSpec.of
        others = {_role(kind, role): of(player) for role, player in players.items()}
        return Cast(**{each: getattr(self, each) | (others if each == kind else {}) for each in KNOWN})

    def _player(self, kind: str, role: str) -> Any:
        players = getattr(self, kind)
        if _role(kind, role) not in players:
            raise ValueError(f"Nobody plays {role!r} in this profile: recast it, as in {role}=NAME.")
        return players[role]


def read_cast(path: str | Path) -> dict[str, dict[str, Any]]:
    """The roles that a .toml or .json file recasts, by kind.

    It holds any of the tables `policies`, `prms` and `benchmarks`, each of role -> player: a model's name, Hub id or
    path, or {"model": ..., option: value} with options of `load_policy` or `load_prm`; of a benchmark a data set or
    problem file. A relative path is seen from the file's folder. Raises ValueError, in one sentence, for a file that is
    missing or is not that.
    """
    path = Path(path)
    if path.suffix not in (".toml", ".json"):
        raise ValueError(f"A cast is a .toml or .json file, not {str(path)!r}.")
    if not path.is_file():
        raise ValueError(f"No cast at {path}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict) or not all(isinstance(players, dict) for players in content.values()):
        raise ValueError(f"{path} is no cast: it holds tables {', '.join(KNOWN)}, of a player for each role.")
    if unknown := next((kind for kind in content if kind not in KNOWN), None):
        raise ValueError(f"{path} has the table {unknown!r}: give {', '.join(KNOWN)}.")
    return {
        kind: {role: _from_folder(player, path.parent) for role, player in players.items()}
        for kind, players in content.items()
    }


def parse_recast(given: str | Path | Mapping[str, Any], lead: str) -> dict[str, Any]:
    """Role -> player of a mapping, of "ROLE=MODEL, ROLE=MODEL", or of a plain name, which takes the role `lead`.

    Raises ValueError for a part that is not ROLE=MODEL.
    """
    if isinstance(given, Mapping):
        return dict(given)
    text = str(given)
    if "=" not in text or Path(text).exists():
        return {lead: text}
    found = {}
    for part in text.split(","):
        role, equals, player = (piece.strip() for piece in part.partition("="))
        if not (role and equals and player):
            raise ValueError(f"{part.strip()!r} of {text!r} recasts nothing: write ROLE=MODEL, separated by commas.")
        found[role] = player
    return found


def _role(kind: str, role: str) -> str:
    if role not in KNOWN[kind]:
        raise unknown(f"role among the {kind}", role, KNOWN[kind])
    return role


def _data_set(name: Any) -> str:
    if not isinstance(name, str | Path):
        raise ValueError(f"A benchmark is played by a data set or a problem file, not {name!r}.")
    known_size(name)
    return str(name)


def _from_folder(player: Any, folder: Path) -> Any:
    """A player with its path, if that is what it is, seen from `folder`."""
    if isinstance(player, dict):
        return {key: _from_folder(value, folder) if key == "model" else value for key, value in player.items()}
    return str(folder / player) if isinstance(player, str) and player and (folder / player).exists() else player
