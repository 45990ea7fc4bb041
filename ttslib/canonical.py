"""One text for each value, and its hash: what addresses of cells and identities of models are made from."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """One text per value: keys sorted, no spaces, no NaN (ValueError)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def short_hash(value: Any) -> str:
    """First 16 hex digits of the sha256 of the value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]
