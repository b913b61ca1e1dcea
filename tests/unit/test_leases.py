"""Two processes on one run whose store is no folder: the second waits or is told who is at work."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfimprove import leases
from selfimprove.errors import SurroundingsError
from selfimprove.locks import run_lock
from selfimprove.store import LocalStore
from selfimprove.store.base import LOCK

GONE = 2**22 + 1
"""No process has this number: it is above what Linux gives."""


class Remote(LocalStore):
    """Objects that are no files of this machine, as on S3."""

    def local_path(self, key: str) -> None:  # type: ignore[override]
        return None


@pytest.fixture
def store(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "run")


@pytest.fixture(autouse=True)
def a_faster_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BEAT_SECONDS", "SETTLE_SECONDS", "_LOOK_SECONDS"):
        monkeypatch.setattr(leases, name, 0.05)
    monkeypatch.setattr(leases, "SILENT_SECONDS", 1.0)


def signed(store: Remote) -> dict[str, object]:
    return dict(json.loads(store.read(LOCK)))


def left_by(store: Remote, process: int, machine: str | None = None) -> None:
    """A lease that its holder never gave back."""
    with run_lock(store):
        text = signed(store)
    text |= {"process": process, "token": "another"} | ({"machine": machine, "host": machine} if machine else {})
    store.write(LOCK, json.dumps(text).encode())


@contextmanager
def renewed(store: Remote) -> Iterator[None]:
    """Somebody elsewhere renews what is there."""
    with ThreadPoolExecutor(1) as pool:
        ends = time.monotonic() + 1.0

        def renew() -> None:
            while time.monotonic() < ends:
                store.write(LOCK, json.dumps(signed(store) | {"beats": time.monotonic()}).encode())
                time.sleep(0.05)

        done = pool.submit(renew)
        yield
        done.result()


def test_the_second_process_is_told_who_is_at_work(store: Remote) -> None:
    with run_lock(store), pytest.raises(SurroundingsError) as error, run_lock(store):
        pass
    who = f"process {os.getpid()} on {socket.gethostname()}"
    assert str(error.value) == f"{store.uri}: {who} is at work on this run; wait for it to end, or end it"


def test_the_run_is_free_again_afterwards(store: Remote) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError), run_lock(store):
            raise RuntimeError
    assert not (store.root / LOCK).exists()


def test_it_is_renewed_while_it_is_held(store: Remote) -> None:
    with run_lock(store):
        until = time.monotonic() + 10
        while not signed(store)["beats"]:
            assert time.monotonic() < until


def test_a_killed_holder_of_this_machine_keeps_nobody_waiting(store: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    left_by(store, GONE)
    monkeypatch.setattr(leases, "SILENT_SECONDS", 3600.0)
    with run_lock(store):
        assert signed(store)["process"] == os.getpid()


def test_one_elsewhere_that_renews_it_no_more_has_lost_it(store: Remote, caplog: pytest.LogCaptureFixture) -> None:
    left_by(store, 7, machine="another")
    with caplog.at_level(logging.WARNING), run_lock(store):
        assert signed(store)["process"] == os.getpid()
    assert "process 7 on another had this run; looking for 1 s whether it still has" in caplog.text


def test_one_elsewhere_that_still_renews_it_has_it(store: Remote) -> None:
    left_by(store, 7, machine="another")
    with renewed(store), pytest.raises(SurroundingsError, match="process 7 on another is at work"), run_lock(store):
        pass


def test_whoever_waits_goes_on_when_the_holder_ends(store: Remote) -> None:
    with ThreadPoolExecutor(1) as pool:
        with run_lock(store):
            waiting = pool.submit(lambda: run_lock(store, wait=True).__enter__())
            time.sleep(0.3)
            assert not waiting.done()
        waiting.result(timeout=30)


def test_a_lease_that_somebody_else_took_over_is_left_to_them(store: Remote) -> None:
    with run_lock(store):
        store.write(LOCK, json.dumps({"process": 7, "host": "h", "machine": "m", "token": "t"}).encode())
        time.sleep(0.3)
    assert signed(store)["token"] == "t"


def test_a_lease_that_is_lent_is_had_by_what_is_called(store: Remote) -> None:
    with run_lock(store, lend=True), run_lock(store):
        assert signed(store)["process"] == os.getpid()


def test_of_many_at_once_one_has_it(store: Remote) -> None:
    left_by(store, GONE)
    held = []

    def attempt(_: int) -> None:
        try:
            with run_lock(store):
                held.append(1)
                time.sleep(2)
        except SurroundingsError:
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attempt, range(4)))
    assert len(held) == 1


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null"])
def test_what_cannot_be_read_is_nobodys_once_it_does_not_change(store: Remote, text: bytes) -> None:
    store.write(LOCK, text)
    with run_lock(store):
        assert signed(store)["process"] == os.getpid()
