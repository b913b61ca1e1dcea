"""Two processes on one run: the second waits or is told who is at work."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfimprove.errors import SurroundingsError
from selfimprove.locks import run_lock
from selfimprove.store import LocalStore

HOLDER = """
import sys
from selfimprove.locks import run_lock
from selfimprove.store import open_store
with run_lock(open_store(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "run")


@contextmanager
def another_process(store: LocalStore) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLDER, store.uri]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_process_is_told_who_is_at_work(store: LocalStore) -> None:
    with another_process(store) as process, pytest.raises(SurroundingsError) as error, run_lock(store):
        pass
    who = f"process {process.pid} on {socket.gethostname()}"
    assert str(error.value) == f"{store.uri}: {who} is at work on this run; wait for it to end, or end it"


def test_killing_the_holder_frees_the_run(store: LocalStore) -> None:
    with another_process(store) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with run_lock(store):
            pass


def test_one_that_waits_goes_on_when_the_holder_ends(store: LocalStore) -> None:
    with another_process(store) as process:
        assert process.stdin
        process.stdin.close()
        with run_lock(store, wait=True):
            assert process.wait() == 0


def test_the_run_is_free_again_after_an_error(store: LocalStore) -> None:
    with pytest.raises(RuntimeError), run_lock(store):
        raise RuntimeError
    with run_lock(store):
        pass


def test_the_lock_is_no_artifact(store: LocalStore) -> None:
    with run_lock(store):
        assert list(store.list()) == []


def test_a_lock_that_is_lent_is_had_by_what_is_called_and_by_nobody_else(store: LocalStore) -> None:
    with run_lock(store, lend=True):
        with run_lock(store):
            pass
        code = f"from tests.unit.test_locks import *\nwith run_lock(LocalStore(Path({store.uri!r}))): pass"
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert f"process {os.getpid()} on" in second.stderr
        with ThreadPoolExecutor(1) as pool, pytest.raises(SurroundingsError, match="is at work on this run"):
            pool.submit(lambda: run_lock(store).__enter__()).result()


def test_a_lock_that_is_not_lent_excludes_us_too_and_one_that_was_is_not_lent_afterwards(store: LocalStore) -> None:
    with run_lock(store, lend=True):
        pass
    with run_lock(store), pytest.raises(SurroundingsError, match="is at work on this run"), run_lock(store):
        pass


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_run_whose_folder_cannot_be_made_is_told_by_its_path(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SurroundingsError) as error, run_lock(LocalStore(tmp_path / place)):
        pass
    assert str(error.value).startswith(f"{tmp_path / place}: a file stands where a folder is needed")


def test_a_full_disk_keeps_nobody_from_the_lock(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", refuse)
    with run_lock(store):
        pass
