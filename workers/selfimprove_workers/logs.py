"""What a worker logs while it does a step, kept as plain text beside the attempt (design section 4).

A pod's log goes with the pod, and a terminal's with the terminal; this one lies in storage under `attempt-<id>`,
whatever became of the step. It is written again and again while the step goes on, so that a worker that is killed
leaves all but its last seconds. It is never worth a step: where it can't be written, that is said once, and the step
goes on.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from selfimprove.secret_values import MaskingFormatter
from selfimprove.store.base import Store

MOST_BYTES = 1 << 20
"""Of a log; of a longer one the beginning and the end are kept."""
LONGEST_LINE = 8192

FIRST_BEAT_SECONDS = 1.0
"""Soon, since loading a model is where most of those die that die early."""
BEAT_SECONDS = 5.0
_PATIENCE_SECONDS = 5.0
"""How long the end of a step waits for a write of its log that is under way."""


class HeadAndTail:
    """The first and the last lines of a text that may grow without end."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._half = most // 2
        self._head, self._tail = bytearray(), deque[bytes]()
        self._tail_size = self._left_out = 0
        self.lines = 0
        """How many there were, those that were left out included."""

    def add(self, text: str) -> None:
        """One line more, or several."""
        for line in text.splitlines():
            self._add(line[:LONGEST_LINE].encode(errors="backslashreplace") + b"\n")

    def text(self) -> bytes:
        """What is kept, with a note where lines are missing."""
        note = f"... {self._left_out:,} lines left out ...\n".encode() if self._left_out else b""
        return b"".join([self._head, note, *self._tail])

    def _add(self, line: bytes) -> None:
        self.lines += 1
        if not self._tail and len(self._head) + len(line) <= self._half:
            self._head += line
            return
        self._tail.append(line)
        self._tail_size += len(line)
        while self._tail_size > self._half:
            self._tail_size -= len(self._tail.popleft())
            self._left_out += 1


class StepLog(logging.Handler):
    """The log of one attempt at one step: within, every record that any logger of this process makes goes into it.

    An attempt that is taken up again goes on in its own log.
    """

    def __init__(self, store: Store, key: str) -> None:
        super().__init__()
        self._store, self._key = store, key
        self._lines = HeadAndTail()
        self._saving = threading.Lock()
        self._saved, self._complained, self._listens = 0, False, False
        self._make_record: Callable[..., logging.LogRecord] = logging.getLogRecordFactory()
        self.setFormatter(_formatter())

    @property
    def place(self) -> str | None:
        """Where it lies; None when nothing of it could be stored."""
        return f"{self._store.uri}/{self._key}" if self._saved else None

    def __enter__(self) -> StepLog:
        """From here on, records are kept."""
        with suppress(Exception):  # there is none, or the step itself will say what is wrong with the store
            self._lines.add(self._store.read(self._key).decode(errors="replace"))
        self._make_record = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._kept_record)
        self._listens = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The end: what is there is stored."""
        self._listens = False
        if logging.getLogRecordFactory() == self._kept_record:  # else vLLM has built its own on ours, and needs it
            logging.setLogRecordFactory(self._make_record)
        self.save()
        self.close()

    def say(self, text: str) -> None:
        """A line, or several, that no logger made."""
        self.handle(logging.LogRecord("", logging.INFO, "", 0, text, None, None))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        try:
            self._lines.add(self.format(record))
        except Exception:
            self.handleError(record)

    def save(self) -> None:
        """Store what is there, if anything is new."""
        if not self._saving.acquire(timeout=_PATIENCE_SECONDS):
            return
        try:
            self._write()
        except Exception as error:  # of whatever kind: a log is never worth a step
            self._complain(error)
        finally:
            self._saving.release()

    def _write(self) -> None:
        self.acquire()
        try:
            lines, text = self._lines.lines, self._lines.text()
        finally:
            self.release()
        if lines > self._saved:
            self._store.write(self._key, text)
            self._saved = lines

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            print(f"{self._store.uri}/{self._key}: the log can't be kept ({error})", file=sys.stderr, flush=True)

    def _kept_record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Here and not in a handler of the root logger, which never hears of transformers' and vLLM's records."""
        record = self._make_record(*args, **kwargs)
        if self._listens:
            self.handle(record)
        return record


@contextmanager
def beating(*calls: Callable[[], object]) -> Iterator[None]:
    """Within, the calls are made every few seconds, in order, in a thread of their own."""
    over = threading.Event()

    def beat() -> None:
        pause = FIRST_BEAT_SECONDS
        while not over.wait(pause):
            for call in calls:
                call()
            pause = BEAT_SECONDS

    thread = threading.Thread(target=beat, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_PATIENCE_SECONDS)


def _formatter() -> logging.Formatter:
    formatter = MaskingFormatter("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    return formatter
