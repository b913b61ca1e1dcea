"""Two processes on one run whose store is no folder: the second waits or is told who is at work."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import pytest

from selfimprove import leases
from selfimprove.errors import SurroundingsError
from selfimprove.locks import run_lock
from selfimprove.store import LocalStore
from selfimprove.store.base import LOCK

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from selfimprove.locks import run_lock
from tests.unit.test_leases import Remote
with run_lock(Remote(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(600)
"""


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


def left_by(store: Remote, **process: object) -> None:
    """A lease that its holder, ours but for what is given, never gave back."""
    with run_lock(store):
        text = signed(store)
    held = {**cast(dict[str, object], text["process"]), **process}
    text |= {"number": held["number"], "host": "another", "process": held, "token": "another"}
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
    monkeypatch.setattr(leases, "SILENT_SECONDS", 3600.0)
    with subprocess.Popen([sys.executable, "-c", HOLDER, store.uri], stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with pytest.raises(SurroundingsError, match=f"process {holder.pid} on"), run_lock(store):
            pass
        holder.kill()
        until = time.monotonic() + 30
        while True:  # it is not reaped before the end of the block
            with suppress(SurroundingsError), run_lock(store):
                break
            assert time.monotonic() < until
    assert not (store.root / LOCK).exists()


@pytest.mark.parametrize("began", [0, 2**40])
def test_whoever_has_its_number_now_is_not_the_holder(
    store: Remote, monkeypatch: pytest.MonkeyPatch, began: int
) -> None:
    left_by(store, began=began)
    monkeypatch.setattr(leases, "SILENT_SECONDS", 3600.0)
    with run_lock(store):
        assert signed(store)["number"] == os.getpid()


def test_one_elsewhere_that_renews_it_no_more_has_lost_it(store: Remote, caplog: pytest.LogCaptureFixture) -> None:
    left_by(store, number=7, place="another")
    with caplog.at_level(logging.WARNING), run_lock(store):
        assert signed(store)["number"] == os.getpid()
    assert "process 7 on another had this run; looking for 1 s whether it still has" in caplog.text


def test_one_elsewhere_that_still_renews_it_has_it(store: Remote) -> None:
    left_by(store, number=7, place="another")
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
        store.write(LOCK, json.dumps({"number": 7, "host": "h", "token": "t"}).encode())
        time.sleep(0.3)
    assert signed(store)["token"] == "t"


def test_where_the_store_is_away_nobody_waits_to_give_it_back(store: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "GIVEN_BACK_SECONDS", 0.2)
    away = threading.Event()

    def read(key: str, read: Callable[[str], bytes] = store.read) -> bytes:
        if away.is_set():
            time.sleep(30)
        return read(key)

    monkeypatch.setattr(store, "read", read)
    with run_lock(store):
        away.set()
        began = time.monotonic()
    assert time.monotonic() - began < 10


def test_a_lease_that_is_lent_is_had_by_what_is_called(store: Remote) -> None:
    with run_lock(store, lend=True), run_lock(store):
        assert signed(store)["number"] == os.getpid()


def test_of_many_at_once_one_has_it(store: Remote) -> None:
    left_by(store, began=0)
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


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'{"process": {"number": 1}}'])
def test_what_cannot_be_read_is_nobodys_once_it_does_not_change(store: Remote, text: bytes) -> None:
    store.write(LOCK, text)
    with run_lock(store):
        assert signed(store)["number"] == os.getpid()
