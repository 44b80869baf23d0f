"""The identity of a value: sha256 over its canonical JSON, whole or as directory names carry it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def fingerprint(value: Any) -> str:
    """Return the sha256 (hex) of the canonical JSON of ``value``: sorted keys, no spaces.

    >>> fingerprint({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})
    True
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def short_id(identity: Mapping[str, Any]) -> str:
    """Return the first 8 hex digits of the identity's fingerprint, as directory names carry it."""
    return fingerprint(dict(identity))[:8]
