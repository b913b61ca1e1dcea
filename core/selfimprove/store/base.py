"""What a run needs of the place where its artifacts live: little enough for S3 and for a folder alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

LOCK = ".lock"
"""The run lock at the root (see `selfimprove.locks`): beside the artifacts, not one of them."""


class Entry(NamedTuple):
    """One stored object: its key relative to the store's URI, and its size in bytes."""

    key: str
    size: int


class Store(Protocol):
    """Objects under one URI. Keys are relative, with `/`. Every call retries transient faults with backoff.

    Raises `SurroundingsError` (exit 4) naming the URI and the remedy when credentials, bucket, disk or network fail for
    good; `FileNotFoundError` for a missing key.
    """

    uri: str

    def read(self, key: str) -> bytes:
        """The whole object."""

    def open(self, key: str) -> BinaryIO:
        """A seekable reader for columnar access without loading the whole object."""

    def download(self, key: str, path: Path) -> None:
        """The object as a local file, written atomically."""

    def write(self, key: str, data: bytes) -> None:
        """Put the object, whole or not at all, over what was there."""

    def upload(self, key: str, path: Path) -> None:
        """Put a local file of any size (multipart on S3), whole or not at all."""

    def link_from(self, source: Store, key: str) -> bool:
        """Take over another store's object under the same key, its bytes staying where the stores are.

        False when these two stores can't do that. An object that is there already stays or is replaced by its like.
        """

    def create(self, key: str, data: bytes) -> bool:
        """Put the object only if there is none: True when this call made it, False when one was there."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """The objects whose key starts with the prefix, in the order of keys."""

    def last_written(self) -> datetime | None:
        """When anything was written last, by the clock of whoever stores it; None where there is nothing."""

    def folders(self) -> Sequence[str]:
        """The names of the folders directly under the URI, in order: what stands before the first `/` of keys."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; a missing one is no error."""

    def local_path(self, key: str) -> Path | None:
        """The object as a file on this machine, where it is one; None on S3."""

    def probe(self) -> None:
        """Check that conditional creation is honoured. Raises `SurroundingsError` naming the store if it is not."""
