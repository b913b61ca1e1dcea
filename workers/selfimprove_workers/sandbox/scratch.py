"""The one folder where a program may make files: empty when it begins, gone when it ends, never larger than a limit."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from selfimprove_workers.sandbox import namespaces


class Scratch(Protocol):
    """A folder for one program after another."""

    def begin(self) -> str:
        """The folder for the next program."""

    def is_full(self) -> bool:
        """Whether the program has put more into it than it may."""

    def end(self) -> None:
        """Remove what the program left."""


class InMemory:
    """A file system of its own, whose size is its limit."""

    def begin(self) -> str:
        """See `Scratch`."""
        namespaces.mount_scratch()
        return namespaces.SCRATCH

    def is_full(self) -> bool:
        """Never: the kernel refuses what is too much."""
        return False

    def end(self) -> None:
        """See `Scratch`."""
        namespaces.unmount_scratch()


class OnDisk:
    """A folder among the temporary files, looked over while its program runs."""

    def __init__(self) -> None:
        self._folder = Path()

    def begin(self) -> str:
        """See `Scratch`."""
        self._folder = Path(tempfile.mkdtemp(prefix="program-"))
        return str(self._folder)

    def is_full(self) -> bool:
        """Whether it is too large, or made so that this can't be told."""
        try:
            return _is_more_than(namespaces.SCRATCH_BYTES, namespaces.SCRATCH_FILES, self._folder)
        except OSError:
            return True

    def end(self) -> None:
        """See `Scratch`. Level by level, each brought up to the top, since a path or a recursion could be too long."""
        while entries := list(_entries(self._folder)):
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    Path(entry).unlink()
                    continue
                for inner in _entries(entry.path):
                    if inner.is_dir(follow_symlinks=False):
                        Path(inner).chmod(0o700)  # a folder that is moved is written to
                    Path(inner).rename(self._folder / secrets.token_hex(16))
                Path(entry).rmdir()
        self._folder.rmdir()


class Nowhere:
    """No folder, where nothing would keep a program to it."""

    def begin(self) -> str:
        """A folder that it stands in and can't use."""
        return "/"

    def is_full(self) -> bool:
        """Never."""
        return False

    def end(self) -> None:
        """Nothing was made."""


def _entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    Path(folder).chmod(0o700)
    with os.scandir(folder) as entries:
        yield from entries


def _is_more_than(limit: int, files: int, folder: Path) -> bool:
    folders, used = [str(folder)], 0
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                files -= 1
                used += entry.stat(follow_symlinks=False).st_blocks * 512
                if files < 0 or used > limit:
                    return True
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    return False
