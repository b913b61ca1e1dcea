"""Downloads and digests, made once and safe among processes.

A folder of the cache appears whole, by one rename: whoever loses the race uses the winner's. A lock only keeps two
processes from downloading the same thing at once; without it (a file system that has none) nothing breaks.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from selfimprove.errors import SurroundingsError

REMEMBER_FROM = 8 << 20
"""Digests of files from this size on are remembered, by the file's identity."""


def cache_root() -> Path:
    """`$SELFIMPROVE_CACHE`, else `~/.cache/selfimprove`; made when it is missing."""
    root = Path(os.environ.get("SELFIMPROVE_CACHE") or Path.home() / ".cache" / "selfimprove")
    with _clear_disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
    return root


def cached_folder(group: str, key: str, fill: Callable[[Path], None]) -> Path:
    """The folder of the cache for this key; `fill(folder)` makes it once, whole or not at all."""
    folder = cache_root() / group / key
    with _clear_disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(f"{key}.lock")):
            if not folder.is_dir():
                _make(folder, fill)
    return folder


def digest_of_files(root: Path, names: Sequence[str]) -> str:
    """sha256 over the names and contents of files, in the order of their names."""
    lines = [f"{name}\0{sha256_of(root / name)}\n" for name in sorted(names)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """sha256 of a file; of a large one it is remembered until the file changes."""
    stat = path.stat()
    if stat.st_size < REMEMBER_FROM:
        return _hash(path)
    identity = json.dumps([str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino])
    note = cache_root() / "digests" / hashlib.sha256(identity.encode()).hexdigest()
    with suppress(OSError):
        return note.read_text()
    digest = _hash(path)
    with suppress(OSError):
        write_whole(note, digest.encode())
    return digest


def write_whole(path: Path, data: bytes) -> None:
    """A small file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    temporary.write_bytes(data)
    temporary.replace(path)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name[:32]}-", dir=folder.parent))
    try:
        fill(temporary)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _clear_disk_errors(place: Path) -> Iterator[None]:
    remedies = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "it can't be written",
        errno.EROFS: "it is read-only",
    }
    try:
        yield
    except OSError as error:
        if error.errno not in remedies:
            raise
        raise SurroundingsError(
            f"cache: {place}: {remedies[error.errno]}; free space, or give more by SELFIMPROVE_CACHE (in a "
            "cluster: execution.cache)"
        ) from error
