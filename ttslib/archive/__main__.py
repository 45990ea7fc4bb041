"""The command line of `ttslib.archive`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ttslib.archive import is_archive, write
from ttslib.fill import RECAST, wanted
from ttslib.profiles import Profile, get_profile
from ttslib.records import StoreError
from ttslib.runs import Run


def main(arguments: list[str] | None = None) -> int:
    """Writes an archive, and says what is in it; 2 for what cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m ttslib.archive", description="Records in a form that ships.")
    command = parser.add_subparsers(required=True).add_parser("write", help="archive the runs that a store holds whole")
    command.add_argument("experiments", nargs="*", help="default: all that are drawn, and the lead pair's runs")
    command.add_argument("--store", type=Path, default=Path("results"), help="a store, or an archive to be graded anew")
    command.add_argument("--profile", default="full")
    for part in RECAST:
        command.add_argument(f"--{part}", help="as of the notebooks' parameter " + part.upper())
    command.add_argument("--to", type=Path, help="a folder; default: archive/PROFILE")
    command.add_argument("--texts", type=Path, help="a file of addresses, one a line, whose records keep their texts")
    options = parser.parse_args(arguments)
    to = options.to or Path("archive") / options.profile
    try:
        profile = get_profile(options.profile, **{part: getattr(options, part) for part in RECAST})
        if not is_archive(options.store) and not (options.store / "records.sqlite").is_file():
            raise ValueError(f"There is no store at {options.store}.")
        runs = wanted(options.experiments, profile) + ([] if options.experiments else lead_runs(profile))
        texts = options.texts.read_text().split() if options.texts else ()
        there, left = write(options.store, runs, to, profile=profile.name, texts=texts)
    except (ValueError, StoreError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(file.stat().st_size for file in to.glob("*.parquet"))
    print(f"{len(there)} runs in {to}, {size / 1e6:.1f} MB; {len(left)} are not whole in {options.store}")
    return 0


def lead_runs(profile: Profile) -> list[Run]:
    """What notebook 01 runs of the lead pair."""
    searches = [profile.run(method, n) for method in ("beam_search", "dvts") for n in profile.budgets]
    late = [profile.run("beam_search", n, settings={"published_slots": True}) for n in profile.budgets if n > 4]
    return [profile.run("cot"), profile.run("best_of_n", profile.pool), *searches, *late]


if __name__ == "__main__":
    sys.exit(main())
