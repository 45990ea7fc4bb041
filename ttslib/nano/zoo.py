"""Rebuilds the nano zoo from nothing: policies, their rollouts, PRMs. Running again does only what is missing.

    python -m ttslib.nano.zoo                       # everything, into runs/zoo
    python -m ttslib.nano.zoo nano-llama-1m         # one model and what it needs
    python -m ttslib.nano.zoo --ship                # copies finished models into the package, with their cards

Each stage is a process of its own, so that the memory and threads of one never weigh on the next. A model whose
training was cut short is trained again from its start; the longest takes about 40 minutes on one core.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ttslib.nano.cards import card
from ttslib.nano.specs import CHECKERS, POLICIES, PRMS
from ttslib.zoo import ZOO

TRAINED, MEASURED = "training.json", "measured.json"


def build(name: str, zoo: Path) -> None:
    """Makes zoo/name, and first whatever it needs. Raises ValueError for a name that is in no spec."""
    if name in POLICIES:
        if not (zoo / name / TRAINED).is_file():
            _stage("train_policy", name, "--out", zoo)
    elif name in CHECKERS:
        build(CHECKERS[name].base, zoo)
        if not (zoo / name / TRAINED).is_file():
            _stage("train_checker", name, "--zoo", zoo)
    elif name in PRMS:
        spec = PRMS[name]
        for needed in (spec.checker, *spec.rollouts):
            build(needed, zoo)
        for policy in spec.rollouts:
            if not (zoo / "rollouts" / f"{policy}.jsonl").is_file():
                _stage("rollouts", policy, "--zoo", zoo)
        if not (zoo / name / TRAINED).is_file():
            _stage("train_prm", name, "--zoo", zoo)
    else:
        raise ValueError(f"Unknown nano model {name!r}: give one of {', '.join([*POLICIES, *PRMS])}.")


def ship(zoo: Path, limit: int) -> None:
    """Measures every finished model, writes its card and copies it into the package; policies first, whose samples
    the PRMs are measured on."""
    names = [*POLICIES, *PRMS]
    for name in names:
        if not (zoo / name / TRAINED).is_file():
            raise ValueError(f"{name} is not trained yet: run `make zoo MODEL={name}` first.")
    for name in names:
        folder = zoo / name
        if not (folder / MEASURED).is_file():
            _stage("measure", folder, "--limit", limit)
        training, measured = (json.loads((folder / file).read_text(encoding="utf-8")) for file in (TRAINED, MEASURED))
        (folder / "README.md").write_text(card(training, measured), encoding="utf-8")
        shutil.copytree(folder, ZOO / name, dirs_exist_ok=True)
        print(f"shipped {name}", flush=True)


def need_compiler() -> None:
    """Raises ValueError if there is no C++ compiler, which torch.compile needs."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise ValueError(f"Training compiles its networks, but there is no {compiler}: install it, or set CXX.")


def _stage(module: str, *arguments: object) -> None:
    print(f"zoo: {module} {arguments[0]}", flush=True)
    subprocess.run([sys.executable, "-m", f"ttslib.nano.{module}", *map(str, arguments)], check=True)


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 0 when everything asked for is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="MODEL")
    parser.add_argument("--zoo", type=Path, default=Path("runs/zoo"))
    parser.add_argument("--ship", action="store_true")
    parser.add_argument("--limit", type=int, default=500, help="problems that the cards' numbers are measured on")
    options = parser.parse_args(arguments)
    try:
        if options.ship:
            ship(options.zoo, options.limit)
        else:
            need_compiler()
            for name in options.names or [*POLICIES, *PRMS]:
                build(name, options.zoo)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
