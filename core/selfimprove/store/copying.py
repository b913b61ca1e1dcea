"""Objects of one store in another, under the same keys."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from selfimprove.store.base import Store

_AT_ONCE = 8


def copy_objects(source: Store, target: Store, keys: Iterable[str]) -> None:
    """Have these objects in `target` too: by links or on the server where that can be, else by way of this machine.

    Raises `FileNotFoundError` with the key of an object that is not there, `SurroundingsError` as the stores do.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(lambda key: _copy(source, target, key), keys):
            pass


def _copy(source: Store, target: Store, key: str) -> None:
    try:
        if not target.link_from(source, key):
            _carry(source, target, key)
    except FileNotFoundError:
        raise FileNotFoundError(key) from None


def _carry(source: Store, target: Store, key: str) -> None:
    with TemporaryDirectory(prefix="selfimprove-copy-") as scratch:
        path = Path(scratch) / "object"
        source.download(key, path)
        target.upload(key, path)
