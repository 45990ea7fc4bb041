"""Archives: records without their texts, in a few Parquet files that are small enough to ship and are only read.

    python -m ttslib.archive write --store results --profile full --to archive/full

adds what a store holds to the archive. `tts.run(runs, store="archive/full")` reads it as from a store, at the same
addresses: what an archive holds is found only if policy, PRM, method, settings and problem are what they were.
"""

from .reading import Archive, is_archive, opened
from .writing import write

__all__ = ["Archive", "is_archive", "opened", "write"]
