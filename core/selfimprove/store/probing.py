"""Whether a store keeps the one promise that commits rest on: of two who create an object, one is refused.

Some S3-compatible stores accept `If-None-Match` and ignore it. On such a store two attempts would each believe that
they committed, so it is found out at start, before anything has been spent.
"""

from __future__ import annotations

import secrets

from selfimprove.errors import SurroundingsError
from selfimprove.store.base import Store


def probe_conditional_create(store: Store) -> None:
    """Create an object twice and delete it. Raises `SurroundingsError` when the second time isn't refused."""
    key = f"probe-{secrets.token_hex(8)}"
    first = store.create(key, b"first")  # outside: a store that can't be reached is not waited for twice
    try:
        second = store.create(key, b"second")
        # A first answer that got lost is retried and then refused: what counts is that our bytes are there.
        honoured = not second and (first or store.read(key) == b"first")
    finally:
        store.delete([key])
    if not honoured:
        raise SurroundingsError(
            f"{store.uri}: this store ignores `If-None-Match: *`, so two attempts could both commit a step; "
            "use one that honours conditional writes (AWS S3, R2, MinIO, SeaweedFS and others do) or a folder"
        )
