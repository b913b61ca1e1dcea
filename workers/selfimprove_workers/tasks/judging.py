"""Asks the judge processes: started when the first costly check comes, as many as there are threads asking.

Whoever asks waits at most for the judge's own limits (0.4 s of CPU, see `judge`) plus, the first time, for its
libraries and scorers to load. A judge that breaks is replaced; the question it broke on is a timeout.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

START_SECONDS = 120.0
ASK_SECONDS = 30.0
"""Beyond the judge's own limits: only a judge that is itself broken takes this long."""


class Judge:
    """One judge process and the pipes to it. Not for two threads at once."""

    def __init__(self, kind: str) -> None:
        # -P: this folder must not come first among the places that modules are looked for in.
        command = [sys.executable, "-P", str(Path(__file__).with_name("judge.py")), kind]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        if self._read(START_SECONDS) != "ready":
            self.close()
            raise RuntimeError(f"the {kind} judge did not start: run {' '.join(command)} to see why")

    def ask(self, request: dict[str, Any]) -> str | None:
        """What it found; None when the judge itself broke."""
        stream = self._process.stdin
        assert stream is not None
        try:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
        except OSError:
            return None
        return self._read(ASK_SECONDS)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream:
                    stream.close()

    def _read(self, seconds: float) -> str | None:
        stream = self._process.stdout
        assert stream is not None
        end, line = time.monotonic() + seconds, b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([stream], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(stream.fileno(), 65536) if ready else b""
            if not piece:
                return None
            line += piece
        return str(json.loads(line)["result"])


class Bench:
    """The judges of one kind. Threads may ask at the same time: each has a judge of its own while it asks."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._idle: list[Judge] = []
        self._owner = os.getpid()
        atexit.register(self.close)

    def ask(self, request: dict[str, Any]) -> str:
        """What a judge found: its word, `timeout`, or `error: ...`."""
        judge = self._take()
        result = judge.ask(request)
        if result is None:
            judge.close()
            return "timeout"
        with self._lock:
            self._idle.append(judge)
        return result

    def close(self) -> None:
        """End the judges that are idle; the next question starts new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._owner == os.getpid():
            for judge in idle:
                judge.close()

    def _take(self) -> Judge:
        with self._lock:
            if self._owner != os.getpid():  # a fork shares the pipes: leave them to the parent
                self._idle, self._owner = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        return Judge(self._kind)


@cache
def bench(kind: str) -> Bench:
    """The judges of this process: `math` or `gym`."""
    return Bench(kind)
