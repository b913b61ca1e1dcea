"""Has programs run: by a sandbox in the next container where SELFIMPROVE_SANDBOX names its socket, else by one of ours.

The sandbox tells what became of a program. What that means for the answer is the task's to say.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from selfimprove.errors import SurroundingsError, UserError

SOCKET = "SELFIMPROVE_SANDBOX"
"""The variable that names the socket of a sandbox in another container."""
CPU_SECONDS = 5
"""What GSI gives a program (arXiv 2411.00750, released code)."""
WALL_SECONDS = 15.0
"""Reached by a program that sleeps, or gets less than a third of a core."""
MEMORY_BYTES = 512 << 20
OUTPUT_BYTES = 64 << 10
TRIES = 2
"""How often a program is given to a sandbox that ends over it."""
PATIENCE_SECONDS = 60.0
"""How long a sandbox in another container may take to be there."""
LEAVING_SECONDS = 5.0
HEAVY = ("numpy", "sympy")
"""See `zygote`: a process that has imported these forks slowly, so that programs without them have one of their own."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a program."""

    end: str
    """exit, signal, cpu, wall, output, files, or lost: the sandbox ended over it."""
    code: int = 0
    """The exit code, or the signal's number."""
    out: str = ""
    err: str = ""
    """The last 4 KiB of standard error."""

    @property
    def reason(self) -> str | None:
        """Why it did not end well, in a few words; None where it did."""
        if self.end == "exit" and self.code == 0:
            return None
        last = self.err.strip().rsplit("\n", 1)[-1][:200]
        return {
            "exit": last or f"exit code {self.code}",
            "signal": f"killed by {_signal(self.code)}",
            "cpu": f"took more than {CPU_SECONDS} s of CPU",
            "wall": f"took more than {WALL_SECONDS:g} s",
            "output": f"printed more than {OUTPUT_BYTES:,} bytes",
            "files": "filled its scratch folder",
        }.get(self.end, "the sandbox ended over it")

    @property
    def is_timeout(self) -> bool:
        """Whether time ran out, rather than anything else."""
        return self.end in ("cpu", "wall", "lost")


@dataclass(frozen=True)
class Limits:
    """What one program may use."""

    cpu: int = CPU_SECONDS
    """Seconds."""
    wall: float = WALL_SECONDS
    memory: int = MEMORY_BYTES
    """Bytes of address space."""
    output: int = OUTPUT_BYTES


class BrokenError(Exception):
    """A connection to a sandbox ended."""


class Connection:
    """One process that runs programs, one after another. Not for two threads at once."""

    def __init__(self, without: str = "") -> None:
        """`without`: guards to go without, for tests."""
        place = os.environ.get(SOCKET)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = _connected(place) if place else self._own(without)
        self._lines = self._socket.makefile("rb")
        hello = self._read(PATIENCE_SECONDS)
        if "refused" in hello:
            self.close()
            raise UserError(f"spec.dataset.task: Program can't be checked here: {hello['refused']}")
        self.missing = str(hello["missing"])

    def run(self, program: str, limits: Limits) -> Outcome:
        """Raises `BrokenError` where the sandbox ends over it, `SurroundingsError` where it has no guards left."""
        request = {"program": program, **vars(limits)}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise BrokenError from error
        answer = self._read(limits.wall + PATIENCE_SECONDS)
        if answer["end"] == "broken":
            raise SurroundingsError(f"sandbox: its guards could not be put on ({answer['err'].strip()[-200:]})")
        return Outcome(**answer)

    def close(self) -> None:
        """End it, and the program that it runs."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self._process is None:
            return
        try:
            self._process.wait(LEAVING_SECONDS)  # it ends by itself, and takes away what its program left
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _own(self, without: str) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*server_command(), *(["--without", without] if without else [])],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=SERVER_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        return ours

    def _read(self, seconds: float) -> dict[str, Any]:
        self._socket.settimeout(seconds)
        try:
            line = self._lines.readline()
        except OSError as error:
            raise BrokenError from error
        if not line.endswith(b"\n"):
            raise BrokenError
        found: dict[str, Any] = json.loads(line)
        return found


SERVER_ENVIRONMENT = {"PYTHONHASHSEED": "0"}
"""All that the sandbox's process knows of ours: two runs of a program see their sets in the same order."""


def server_command() -> list[str]:
    """What starts the sandbox's process: Python alone, without our search path, by the script's own path."""
    return [sys.executable, "-sP", str(Path(__file__).with_name("zygote.py"))]


class Sandbox:
    """Runs programs. Threads may ask at the same time: each has a process of its own while it asks."""

    def __init__(self, connect: Callable[[], Connection] = Connection) -> None:
        """Raises `UserError` where this machine can't hold programs, `SurroundingsError` without a sandbox."""
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: dict[bool, list[Connection]] = {False: [], True: []}
        self._owner = os.getpid()
        atexit.register(self.close)
        first = self._take(False)
        if first.missing:
            log.warning("sandbox: this machine has %s", first.missing)
        self._idle[False].append(first)

    def run(self, program: str, limits: Limits = Limits()) -> Outcome:
        """What becomes of a program. Raises `SurroundingsError` where there is no sandbox any more."""
        is_heavy = any(name in program for name in HEAVY)
        for _ in range(TRIES):
            connection = self._take(is_heavy)
            try:
                outcome = connection.run(program, limits)
            except (BrokenError, SurroundingsError) as error:
                connection.close()
                if isinstance(error, SurroundingsError):
                    raise
                continue
            with self._lock:
                self._idle[is_heavy].append(connection)
            return outcome
        return Outcome("lost")

    def close(self) -> None:
        """End the processes that are idle; the next program starts new ones."""
        with self._lock:
            idle, self._idle = self._idle, {False: [], True: []}
        if self._owner == os.getpid():
            for connection in (*idle[False], *idle[True]):
                connection.close()

    def _take(self, is_heavy: bool) -> Connection:
        with self._lock:
            if self._owner != os.getpid():  # a fork shares the sockets: leave them to the parent
                self._idle, self._owner = {False: [], True: []}, os.getpid()
            if self._idle[is_heavy]:
                return self._idle[is_heavy].pop()
        try:
            return self._connect()
        except BrokenError as error:
            raise SurroundingsError(
                f"sandbox: it did not start; run {' '.join(server_command())} to see why"
            ) from error


@cache
def sandbox() -> Sandbox:
    """The sandbox of this process."""
    return Sandbox()


def serve(arguments: list[str]) -> None:
    """Become the sandbox's own process: nothing of ours stays in it. Never returns."""
    command = [*server_command(), *arguments]
    os.execve(command[0], command, SERVER_ENVIRONMENT)


def _connected(place: str) -> socket.socket:
    """A connection to a sandbox in another container, which may only just be starting."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(place)
            return made
        except OSError as error:
            made.close()
            if time.monotonic() > end:
                raise SurroundingsError(
                    f"{SOCKET}: {place} can't be reached ({error.strerror}); "
                    "start `selfimprove-worker sandbox --socket` there (in a cluster: see the log of the container "
                    "sandbox)"
                ) from error
        time.sleep(0.1)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
