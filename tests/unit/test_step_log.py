"""A step's log: what goes into it, how large it gets, and that it never costs a step."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tqdm", reason="the workers' libraries are not installed")

from selfimprove.artifacts.keys import log_key
from selfimprove.errors import SurroundingsError
from selfimprove.store import LocalStore
from selfimprove_workers.logs import LONGEST_LINE, HeadAndTail, StepLog, beating

KEY = log_key("i001/generate/00000", "a")


class FullStore(LocalStore):
    """A store that takes nothing any more."""

    def write(self, key: str, data: bytes) -> None:
        raise SurroundingsError(f"{self.uri}: the disk is full; free some space")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "run")


def lines(store: LocalStore) -> list[str]:
    """What the log holds, the time before each line left out."""
    return [line.partition(" ")[2] for line in store.read(KEY).decode().splitlines()]


def test_a_log_lies_beside_the_parts_of_its_attempt() -> None:
    assert KEY == "i001/generate/00000/attempt-a/worker.log"
    assert log_key("i001/distill/00000", "a", rank=1) == "i001/distill/00000/attempt-a/worker-1.log"


def test_what_is_said_and_what_any_logger_records_is_kept_in_order(store: LocalStore) -> None:
    with StepLog(store, KEY) as log:
        log.say("i001-generate: 0/4 samples")
        logging.getLogger("selfimprove_workers.engines").warning("out of %s", "memory")
        log.say("done\nindeed")
    assert lines(store) == ["INFO i001-generate: 0/4 samples", "WARNING out of memory", "INFO done", ""]
    assert store.read(KEY).decode().splitlines()[-1] == "indeed"
    logging.getLogger("selfimprove_workers.engines").warning("after the end")
    assert "after the end" not in store.read(KEY).decode()


def test_a_library_whose_logger_hands_nothing_up_is_heard_too(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = logging.getLogger("a_library_of_its_own")
    monkeypatch.setattr(library, "propagate", False)
    with StepLog(store, KEY):
        library.warning("some weights were not used")
    assert lines(store) == ["WARNING some weights were not used"]


def test_what_a_library_adds_to_every_record_outlives_the_step_in_which_it_was_loaded(store: LocalStore) -> None:
    """As vLLM does, whose formatter fails on records without it."""
    before = logging.getLogRecordFactory()
    try:
        with StepLog(store, KEY):
            ours = logging.getLogRecordFactory()

            def with_name(*args: Any, **kwargs: Any) -> logging.LogRecord:
                record = ours(*args, **kwargs)
                record.library_process = "worker 0"
                return record

            logging.setLogRecordFactory(with_name)
        with StepLog(store, KEY):
            logging.getLogger("a_library").warning("in the next step")
        made = logging.makeLogRecord({"msg": "between steps"})
    finally:
        logging.setLogRecordFactory(before)
    assert made.__dict__["library_process"] == "worker 0"
    assert lines(store) == ["WARNING in the next step"]


def test_a_record_with_an_error_has_its_traceback(store: LocalStore) -> None:
    with StepLog(store, KEY):
        try:
            raise ValueError("no such thing")
        except ValueError as error:
            logging.getLogger("selfimprove").warning("vLLM", exc_info=error)
    assert "ValueError: no such thing" in store.read(KEY).decode()
    assert "Traceback" in store.read(KEY).decode()


def test_a_log_is_in_storage_while_the_step_goes_on(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfimprove_workers.logs.FIRST_BEAT_SECONDS", 0.01)
    monkeypatch.setattr("selfimprove_workers.logs.BEAT_SECONDS", 0.01)
    with StepLog(store, KEY) as log, beating(log.save):
        for line in ("first", "second"):
            log.say(line)
            deadline = time.monotonic() + 30
            while f"INFO {line}" not in (lines(store) if list(store.list(KEY)) else []):
                assert time.monotonic() < deadline
                time.sleep(0.01)
    assert not [thread for thread in threading.enumerate() if thread.name == "beat"]


def test_an_attempt_that_is_taken_up_again_goes_on_in_its_log(store: LocalStore) -> None:
    for line in ("killed here", "done"):
        with StepLog(store, KEY) as log:
            log.say(line)
    assert lines(store) == ["INFO killed here", "INFO done"]


def test_a_log_that_can_t_be_written_fails_nothing_and_is_told_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with StepLog(FullStore(tmp_path / "run"), KEY) as log:
        log.say("something")
        log.save()
    assert log.place is None
    told = capfd.readouterr().err.splitlines()
    assert len(told) == 1 and f"{KEY}: the log can't be kept" in told[0]


def test_a_log_that_could_be_written_is_known_by_its_place(store: LocalStore) -> None:
    with StepLog(store, KEY) as log:
        log.say("something")
    assert log.place == f"{store.uri}/{KEY}"


def test_a_long_log_keeps_its_beginning_and_its_end() -> None:
    kept = HeadAndTail(most=1000)
    for number in range(1000):
        kept.add(f"line {number}")
    text = kept.text().decode().splitlines()
    assert text[0] == "line 0" and text[-1] == "line 999"
    (gap,) = [at for at, line in enumerate(text) if line.startswith("...")]
    first, last = int(text[gap - 1].split()[1]), int(text[gap + 1].split()[1])
    assert text[gap] == f"... {last - first - 1} lines left out ..."
    assert len(kept.text()) <= 1000 + len("... 1,000 lines left out ...\n")


def test_a_line_of_any_length_and_bytes_fits() -> None:
    kept = HeadAndTail()
    kept.add("x" * 10 * LONGEST_LINE)
    kept.add("\udc80")
    assert kept.text().decode().splitlines() == ["x" * LONGEST_LINE, "\\udc80"]
