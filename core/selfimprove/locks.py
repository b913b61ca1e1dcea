"""Two processes on one run: safe on any store (commits are conditional), but the work of one would be wasted.

The second is told who is at work, or waits. In a folder the lock is the kernel's and ends with its holder, however that
ends; elsewhere it is a lease (`leases`). Who holds a lock may lend it to what it calls, so that nobody comes in between
the steps of one command that each want it.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO

from selfimprove.errors import SurroundingsError
from selfimprove.leases import held_by, lease
from selfimprove.store.base import LOCK, Store
from selfimprove.store.disk import explained, make_folder

_LENT: ContextVar[frozenset[str]] = ContextVar("locks that whoever called us holds and lends", default=frozenset())


@contextmanager
def run_lock(store: Store, wait: bool = False, lend: bool = False) -> Iterator[None]:
    """Hold the run's lock.

    `lend`: whatever is called within the block and asks for the same lock has it. Raises `SurroundingsError` naming the
    holder's process and host when it is taken, unless `wait` says to wait for it; and when the folder can't be made.
    """
    if store.uri in _LENT.get():
        yield
        return
    path = store.local_path(LOCK)
    with lease(store, wait) if path is None else _file_lock(path, wait, store.uri):
        before = _LENT.set(_LENT.get() | {store.uri} if lend else _LENT.get())
        try:
            yield
        finally:
            _LENT.reset(before)


@contextmanager
def _file_lock(path: Path, wait: bool, uri: str) -> Iterator[None]:
    with _open(path) as lock:
        _acquire(lock, wait, uri)
        _sign(lock, f"process {os.getpid()} on {socket.gethostname()}")
        try:
            yield
        finally:
            _sign(lock, "")


def _open(path: Path) -> IO[str]:
    make_folder(path.parent)
    with explained(str(path.parent)):
        # Never removed: a lock on a file that was unlinked meanwhile would exclude nobody.
        return path.open("a+", encoding="utf-8", errors="replace")


def _acquire(lock: IO[str], wait: bool, uri: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        raise held_by(holder, uri) from None
    except OSError as error:
        raise SurroundingsError(
            f"{uri}: the folder can't be locked ({error.strerror}); choose a folder on a file system with locks"
        ) from error


def _sign(lock: IO[str], text: str) -> None:
    with suppress(OSError):  # a courtesy to who comes second: a full disk must not end the work for it
        os.ftruncate(lock.fileno(), 0)
        os.write(lock.fileno(), text.encode())
