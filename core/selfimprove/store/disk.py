"""What a file system refuses, as one line that a person can act on; and the writes that survive a power cut."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from selfimprove.errors import SurroundingsError

TEMPORARY = ".tmp-"
"""How names of files begin that are not complete yet, or never will be."""

_PRUNED_MEANWHILE = 3
"""How often a folder may vanish under a write, when someone deletes in it at the same time."""

_FULL = "free some space or choose another folder"
_READABLE = "give this user the right to read it"
_RIGHTS = "give this user the right to write there or choose another folder"

_REMEDIES = {
    errno.ENOSPC: ("the disk is full", _FULL),
    errno.EDQUOT: ("the disk quota is used up", _FULL),
    errno.EFBIG: ("the file would be larger than the file system or `ulimit -f` allows", "choose another folder"),
    errno.EACCES: ("permission denied", _RIGHTS),
    errno.EPERM: ("the operation is not permitted", _RIGHTS),
    errno.EROFS: ("the file system is read-only", _RIGHTS),
    errno.EIO: ("the disk reports an input/output error", "check the disk or choose another folder"),
    errno.ENOTDIR: ("a file stands where a folder is needed", "remove it or choose another folder"),
    errno.EEXIST: ("a file stands where a folder is needed", "remove it or choose another folder"),
    errno.ENOENT: ("no folder can be made there", "choose another folder"),
    errno.EISDIR: ("a folder stands where a file is needed", "remove it or choose another folder"),
    errno.ENAMETOOLONG: ("the path is too long", "choose a folder with a shorter path"),
    errno.EMFILE: ("too many open files", "raise `ulimit -n`"),
    errno.ENFILE: ("too many open files on this machine", "close some programs"),
}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.ENOSYS}


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what the file system refuses below into `SurroundingsError`; a missing or existing file stays what it is."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        raise _refused(place, error) from error


@contextmanager
def explained_reading(place: str) -> Iterator[None]:
    """The same for what is only read: the file or folder is named that can't be, where the system says which."""
    try:
        with explained(place):
            yield
    except SurroundingsError as error:
        cause = error.__cause__
        if isinstance(cause, PermissionError):
            reason = _REMEDIES[cause.errno or errno.EACCES][0]
            raise SurroundingsError(f"{cause.filename or place}: {reason}; {_READABLE}") from cause
        raise


def make_folder(folder: Path) -> None:
    """Make a folder and those above it. Raises `SurroundingsError` naming it where the file system refuses."""
    try:
        _make_folder(folder)
    except OSError as error:
        raise _refused(str(folder), error) from error


def replace(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Put a file under its name, over what was there, once `fill` has written it and it is on disk."""
    with temporary_file(path, fill) as temporary:
        temporary.rename(path)
    sync_folder(path.parent)


@contextmanager
def temporary_file(path: Path, fill: Callable[[BinaryIO], object]) -> Iterator[Path]:
    """A complete and synced file beside `path`, gone afterwards unless it was renamed."""
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        with _open_new(temporary) as target:
            fill(target)
            target.flush()
            os.fsync(target.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def link(source: Path, target: Path) -> bool:
    """Give a complete file a second name, atomically: False when the name is taken.

    Raises `SurroundingsError` on a file system without hard links.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        # Over NFS a link that was made can answer "exists" when its first answer got lost; the count tells.
        return source.stat().st_nlink == 2
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise SurroundingsError(
            f"{target.parent}: its file system has no hard links, which commits rely on; choose another folder"
        ) from error
    return True


def sync_folder(folder: Path) -> None:
    """Wait until the names in the folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(place: str, error: OSError) -> SurroundingsError:
    cause, remedy = _REMEDIES.get(error.errno or 0, (error.strerror or str(error), "check the folder"))
    return SurroundingsError(f"{place}: {cause}; {remedy}")


def _open_new(path: Path) -> BinaryIO:
    for _ in range(_PRUNED_MEANWHILE):
        with suppress(FileNotFoundError, FileExistsError):
            _make_folder(path.parent)
            return path.open("xb")
    make_folder(path.parent)  # so often is no accident: this says why there can be none
    return path.open("xb")


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it, so that they survive a power cut."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)
