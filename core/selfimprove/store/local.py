"""Artifacts in a folder of this machine (or of a volume that several share), with the guarantees of S3.

A file appears under its name whole or not at all: it is written beside it under a temporary name, synced, and then
linked (create: fails if the name is taken) or renamed (write: replaces). A killed process leaves at most such a
temporary file, which nobody ever reads.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from selfimprove.store.base import LOCK, Entry, Store
from selfimprove.store.disk import (
    TEMPORARY,
    explained,
    explained_reading,
    link,
    make_folder,
    replace,
    sync_folder,
    temporary_file,
)
from selfimprove.store.probing import probe_conditional_create


class LocalStore:
    """Objects as files under `root`, which need not exist yet. Implements `Store`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.uri = str(self.root)

    def read(self, key: str) -> bytes:
        """The whole object."""
        with explained_reading(f"{self.uri}/{key}"), self.open(key) as stream:
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        """The object as an open file."""
        with explained_reading(f"{self.uri}/{key}"):
            try:
                return self._path(key).open("rb")
            except (IsADirectoryError, NotADirectoryError):
                raise FileNotFoundError(f"{self.uri}/{key}") from None

    def download(self, key: str, path: Path) -> None:
        """A copy of the object at `path`, written atomically."""
        with explained(str(path.parent)), self.open(key) as source:
            replace(path, lambda target: shutil.copyfileobj(source, target, 1 << 20))

    def write(self, key: str, data: bytes) -> None:
        """Put the object, whole or not at all, over what was there."""
        with self._explained():
            replace(self._path(key), lambda target: target.write(data))

    def upload(self, key: str, path: Path) -> None:
        """Put a copy of a local file, whole or not at all."""
        with self._explained(), path.open("rb") as source:
            replace(self._path(key), lambda target: shutil.copyfileobj(source, target, 1 << 20))

    def link_from(self, source: Store, key: str) -> bool:
        """A second name for another folder's file, which nobody ever writes to; False on another file system."""
        origin, path = source.local_path(key), self._path(key)
        if origin is None:
            return False
        with self._explained():
            make_folder(path.parent)
            try:
                os.link(origin, path)
            except FileExistsError:
                return True
            except FileNotFoundError:
                raise
            except OSError:  # another file system, or one without links
                return False
            sync_folder(path.parent)
        return True

    def create(self, key: str, data: bytes) -> bool:
        """Put the object only if there is none: True when this call made it, False when one was there."""
        path = self._path(key)
        with self._explained():
            if path.exists():  # the common case of a step that is done, without writing anything
                return False
            with temporary_file(path, lambda target: target.write(data)) as temporary:
                created = link(temporary, path)
            sync_folder(path.parent)
        return created

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """The objects whose key starts with the prefix, in the order of keys."""
        with explained_reading(self.uri):
            folder = prefix.rpartition("/")[0]
            found = list(self._walk(self._path(folder), folder, prefix))
        yield from sorted(found)

    def last_written(self) -> datetime | None:
        """When anything was written last; None where there is nothing."""
        with explained_reading(self.uri):
            times = [self._written(entry.key) for entry in self._walk(self.root, "", "")]
        return datetime.fromtimestamp(max(times), UTC) if times else None

    def folders(self) -> Sequence[str]:
        """The names of the folders directly under the root, in order."""
        with explained_reading(self.uri):
            return sorted(path.name for path in self.root.iterdir() if path.is_dir()) if self.root.is_dir() else []

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, and the folders that this empties; a missing one is no error."""
        with self._explained():
            for key in keys:
                path = self._path(key)
                path.unlink(missing_ok=True)
                self._prune(path.parent)

    def local_path(self, key: str) -> Path:
        """The file that holds the object, or would."""
        return self._path(key)

    def probe(self) -> None:
        """Check that the folder can be written and that conditional creation is honoured."""
        probe_conditional_create(self)

    def _path(self, key: str) -> Path:
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError(f"key {key!r} leaves its store")
        return self.root / key

    def _explained(self) -> AbstractContextManager[None]:
        return explained(self.uri)

    def _walk(self, folder: Path, key: str, prefix: str) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as entries:
                children = list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return
        for child in children:
            name = f"{key}/{child.name}" if key else child.name
            if not name.startswith(prefix):  # whatever lies below does not either
                continue
            if child.is_dir():
                yield from self._walk(folder / child.name, name, prefix)
            elif not child.name.startswith(TEMPORARY) and name != LOCK:
                with suppress(FileNotFoundError):  # deleted meanwhile
                    yield Entry(name, child.stat().st_size)

    def _written(self, key: str) -> float:
        with suppress(FileNotFoundError):  # deleted meanwhile
            return self._path(key).stat().st_mtime
        return 0.0

    def _prune(self, folder: Path) -> None:
        with suppress(OSError):  # not empty, or gone already
            while folder != self.root:
                folder.rmdir()
                folder = folder.parent
