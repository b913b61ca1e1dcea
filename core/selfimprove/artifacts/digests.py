"""What bytes and settings hash to.

Every reader checks what it reads against the manifest: a bucket that lost half an object must never become training
data.
"""

from __future__ import annotations

import hashlib
import json
from typing import BinaryIO

from pydantic import BaseModel

_BLOCK = 1 << 20


def digest_of(*parts: object) -> str:
    """sha256 of the parts as canonical JSON: the same for equal values, whatever the order of keys."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
    return sha256_of(text.encode())


def sha256_of(data: bytes) -> str:
    """sha256 as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_stream(stream: BinaryIO) -> str:
    """sha256 of a stream from where it stands to its end, in constant memory."""
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
