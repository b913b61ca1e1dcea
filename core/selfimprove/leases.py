"""A run's lock where its store is no folder: an object that whoever is at work writes anew every few seconds.

Nothing hangs on it, since commits are conditional; it only spares the second of two processes the work of the first. So
it is judged without clocks: a holder on this machine by whether its process lives, any other by whether the object
changes while one looks. A lease that nobody renews any more is taken over.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Event, Thread
from uuid import uuid4

from selfimprove.errors import SelfImproveError, SurroundingsError
from selfimprove.processes import Process, lives, this_process
from selfimprove.store.base import LOCK, Store

BEAT_SECONDS = 10.0
SILENT_SECONDS = 3 * BEAT_SECONDS
"""After which a lease that has not changed is nobody's."""
GIVEN_BACK_SECONDS = 5.0
SETTLE_SECONDS = 1.0
"""In which of two that take a lease over at once the second has written too."""
_LOOK_SECONDS = 1.0

_log = logging.getLogger(__name__)


@contextmanager
def lease(store: Store, wait: bool) -> Iterator[None]:
    """Hold the lease of a run. Raises `SurroundingsError` naming the holder where it is held, unless `wait`."""
    mine = _Lease(store)
    mine.take(wait)
    try:
        yield
    finally:
        mine.give_back()


def held_by(holder: str, uri: str) -> SurroundingsError:
    """What whoever comes second is told, whatever kind of lock it is."""
    return SurroundingsError(f"{uri}: {holder} is at work on this run; wait for it to end, or end it")


def held_here_since(store: Store) -> datetime | None:
    """When a process of this machine that still lives took it; None for nobody, and for any of another machine."""
    found = _read(store)
    if found is None or not _is_alive_here(found):
        return None
    since = _field(found, "since")
    return datetime.fromisoformat(since) if isinstance(since, str) else None


class _Lease:
    """The object, what was last written to it, and the thread that renews it."""

    def __init__(self, store: Store) -> None:
        self._store, self._token, self._since, self._beats = store, uuid4().hex, datetime.now(UTC), 0
        self._over = Event()
        self._thread = Thread(target=self._renew, name="lease", daemon=True)

    def take(self, wait: bool) -> None:
        """Until it is ours."""
        while (found := _read(self._store)) is not None or not self._store.create(LOCK, self._text()):
            if found is None:
                continue  # somebody was faster
            if _is_silent(self._store, found):
                self._store.write(LOCK, self._text())
                time.sleep(SETTLE_SECONDS)
                if self._is_ours():
                    break
            elif not wait:
                raise held_by(_holder(found), self._store.uri)
            else:
                time.sleep(_LOOK_SECONDS)
        self._thread.start()

    def give_back(self) -> None:
        """Whoever comes next need not wait. Where S3 is away nobody waits for it here: they find out by themselves."""
        self._over.set()
        back = Thread(target=self._delete, name="lease", daemon=True)
        back.start()
        back.join(GIVEN_BACK_SECONDS)

    def _delete(self) -> None:
        self._thread.join()  # what it may be writing must not come after
        with suppress(SelfImproveError):
            if self._is_ours():
                self._store.delete([LOCK])

    def _renew(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            with suppress(SelfImproveError):  # S3 may be away for a while; the work will tell
                if not self._is_ours():
                    return  # given to somebody else while this process slept, or deleted with the run
                self._beats += 1
                self._store.write(LOCK, self._text())

    def _is_ours(self) -> bool:
        found = _read(self._store)
        return found is not None and _field(found, "token") == self._token

    def _text(self) -> bytes:
        ours = this_process()
        signed = {"host": socket.gethostname(), "number": os.getpid(), "process": ours and ours._asdict()}
        held = {"since": self._since.isoformat(timespec="seconds"), "token": self._token, "beats": self._beats}
        return json.dumps({**signed, **held}).encode()


def _is_silent(store: Store, found: bytes) -> bool:
    """Whether nobody renews what was found."""
    if (is_alive := _is_alive_here(found)) is not None:
        return not is_alive
    _log.warning(
        "%s: %s had this run; looking for %d s whether it still has", store.uri, _holder(found), SILENT_SECONDS
    )
    until = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        if _read(store) != found:
            return False
    return True


def _is_alive_here(found: bytes) -> bool | None:
    """Whether its holder lives; None for one of another machine, or where this one does not tell."""
    process = _field(found, "process")
    try:
        return lives(Process(**process)) if isinstance(process, dict) else None
    except TypeError:
        return None


def _read(store: Store) -> bytes | None:
    try:
        return store.read(LOCK)
    except FileNotFoundError:
        return None


def _holder(found: bytes) -> str:
    number, host = _field(found, "number"), _field(found, "host")
    return f"process {number} on {host}" if number and host else "another process"


def _field(found: bytes, name: str) -> object:
    try:
        document = json.loads(found)
    except ValueError:
        return None
    return document.get(name) if isinstance(document, dict) else None
