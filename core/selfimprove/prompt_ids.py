"""The id of a prompt that its dataset gives none: a digest of all that is said in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b


def content_id(messages: Sequence[Mapping[str, str]]) -> str:
    """By what a prompt says, examples and system message included; `messages`: its turns, each a role and a content."""
    return blake2b(json.dumps([*map(dict, messages)], sort_keys=True).encode(), digest_size=10).hexdigest()
