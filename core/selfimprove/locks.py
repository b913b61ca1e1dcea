"""Two processes on one run: safe on any store (commits are conditional), but the work of one would be wasted.

On a folder the second is told who is at work, or waits. The lock is the kernel's and ends with its holder, however that
ends. On S3 there is no such lock: both go on, and each adopts what the other commits first.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from selfimprove.errors import SurroundingsError
from selfimprove.store.base import Store
from selfimprove.store.disk import explained
from selfimprove.store.local import LOCK


@contextmanager
def run_lock(store: Store, wait: bool = False) -> Iterator[None]:
    """Hold the run's lock, where the store is a folder of this machine.

    Raises `SurroundingsError` naming the holder's process and host when it is taken, unless `wait` says to wait for it.
    """
    path = store.local_path(LOCK)
    if path is None:
        yield
        return
    with _open(path) as lock:
        _acquire(lock, wait, store.uri)
        _sign(lock, f"process {os.getpid()} on {socket.gethostname()}")
        try:
            yield
        finally:
            _sign(lock, "")


def _open(path: Path) -> IO[str]:
    with explained(str(path.parent)):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never removed: a lock on a file that was unlinked meanwhile would exclude nobody.
        return path.open("a+", encoding="utf-8")


def _acquire(lock: IO[str], wait: bool, uri: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        raise SurroundingsError(f"{uri}: {holder} is at work on this run; wait for it to end, or end it") from None
    except OSError as error:
        raise SurroundingsError(
            f"{uri}: the folder can't be locked ({error.strerror}); choose a folder on a file system with locks"
        ) from error


def _sign(lock: IO[str], text: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(text)
    lock.flush()
