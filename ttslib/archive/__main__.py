"""The command line of `ttslib.archive`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ttslib.archive import is_archive, write
from ttslib.dry_run import missing
from ttslib.fill import wanted
from ttslib.profiles import get_profile
from ttslib.records import StoreError


def main(arguments: list[str] | None = None) -> int:
    """Writes an archive, and says what is in it; 2 for what cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m ttslib.archive", description="Records in a form that ships.")
    command = parser.add_subparsers(required=True).add_parser("write", help="archive the records of a store")
    command.add_argument("--store", type=Path, default=Path("results"), help="a store, or an archive to be graded anew")
    command.add_argument("--profile", default="full", help="the one that it is for")
    command.add_argument("--to", type=Path, help="a folder; default: archive/PROFILE")
    options = parser.parse_args(arguments)
    to = options.to or Path("archive") / options.profile
    try:
        profile = get_profile(options.profile)
        if not is_archive(options.store) and not (options.store / "records.sqlite").is_file():
            raise ValueError(f"There is no store at {options.store}.")
        count = write(options.store, to, profile=profile.name)
    except (ValueError, StoreError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(file.stat().st_size for file in to.glob("*.parquet"))
    lacking = missing(wanted([], profile), to)
    print(f"{count:,} records in {to}, {size / 1e6:.1f} MB; of the experiments of {profile.name} it lacks "
          f"{lacking.missing.sum():,} of {lacking.cells.sum():,} cells")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
