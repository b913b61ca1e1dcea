"""The sandbox's process: a bare Python that has imported what programs use, and forks one confined process for each.

    python -sP zygote.py                 one connection, on standard input (a socket)
    python -sP zygote.py --socket PATH   any number of connections, each with a process of its own

What is left of `-I`, that the environment is not read, would go against reproducible answers: who starts this gives it
an environment that is empty but for PYTHONHASHSEED, since the order of a set of texts follows from it.

Over a connection go lines of JSON. The first is ours: `{"missing": ""}`, the guards that the machine lacks, or
`{"refused": "why"}`, and then the end. Then each request `{"program", "cpu", "wall", "memory", "output"}` gets one
answer: `{"end": "exit", "code": 0, "out": "4\n", "err": ""}`, where `end` is exit, signal (`code` says which), cpu,
wall, output, files (the scratch folder was filled), or broken (the guards could not be put on: nothing was run).
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

_HERE = Path(__file__).resolve()
sys.path.insert(0, str(_HERE.parents[2]))
from selfimprove_workers.sandbox import guards, imports, program  # noqa: E402
from selfimprove_workers.sandbox.guards import Guards, Limits, RefusedError  # noqa: E402

del sys.path[0]

ANY_PROGRAMS = (
    "array bisect calendar cmath collections collections.abc copy dataclasses datetime decimal encodings.idna enum "
    "fractions functools heapq inspect io itertools json math numbers operator random re statistics string textwrap "
    "time timeit typing"
)
"""What programs may import at no cost, and where there is no guard of files at all."""
HEAVY = {
    "numpy": (
        "numpy numpy.char numpy.core numpy.ctypeslib numpy.f2py numpy.fft numpy.ma numpy.polynomial numpy.random "
        "numpy.rec numpy.strings numpy.testing numpy.typing"
    ),
    "sympy": (
        "sympy sympy.abc sympy.assumptions.ask_generated sympy.assumptions.facts "
        "sympy.assumptions.handlers.calculus sympy.assumptions.handlers.common "
        "sympy.assumptions.handlers.matrices sympy.assumptions.handlers.ntheory "
        "sympy.assumptions.handlers.order sympy.assumptions.handlers.sets sympy.assumptions.lra_satask "
        "sympy.assumptions.predicates.calculus sympy.assumptions.refine sympy.assumptions.satask "
        "sympy.assumptions.wrapper sympy.codegen.ast sympy.combinatorics sympy.integrals.heurisch "
        "sympy.integrals.manualintegrate sympy.integrals.prde sympy.integrals.risch "
        "sympy.logic.algorithms.dpll2 sympy.matrices.expressions.factorizations "
        "sympy.matrices.expressions.fourier sympy.physics.units sympy.polys.domains.old_polynomialring "
        "sympy.polys.polymatrix sympy.sets.handlers.add sympy.sets.handlers.comparison "
        "sympy.sets.handlers.functions sympy.sets.handlers.intersection sympy.sets.handlers.issubset "
        "sympy.sets.handlers.mul sympy.sets.handlers.power sympy.sets.handlers.union sympy.sets.setexpr "
        "sympy.tensor.tensor"
    ),
}
"""Imported, once, when the first program comes that names them: they cost more than a program may take.

Among them what they load only when it is used (by `solve`, `integrate`, `ask`, `from numpy import *`): behind the
guards every program would load it anew, where it may open files at all.
"""
KEPT_OF_ERRORS = 4096
LOOKS_AFTER_SECONDS = 0.05
"""How often the scratch folder is looked over."""
PROBE = """
import os, socket
def fails(attempt):
    try:
        attempt()
    except OSError:
        return True
tries = [
    lambda: open("/etc/passwd"), lambda: open("/proc/self/environ"), lambda: os.kill(os.getppid() or 1 << 20, 0),
    lambda: open("/usr/lib/new", "w"), lambda: socket.socket().connect(("127.0.0.1", 9)),
]
print([fails(attempt) for attempt in tries].count(True), dict(os.environ))
"""
"""The first program of every process that forks programs. Where anything is not refused it, the guards don't hold."""


class Seat:
    """Runs programs for one connection, one at a time."""

    def __init__(self, connection: socket.socket, has: frozenset[str]) -> None:
        self._connection = connection
        self._guards = Guards(has)
        self._nothing = os.open("/dev/null", os.O_RDWR) if Path("/dev/null").exists() else os.pipe()[0]
        self._imported: set[str] = set()
        gc.freeze()

    def serve(self, requests: BinaryIO) -> None:
        """Answer requests until the other side hangs up, or sends what is none."""
        with contextlib.suppress(ConnectionError):  # nobody is left to tell
            for line in requests:
                try:
                    source, limits = _request(line)
                except (ValueError, KeyError, TypeError) as error:
                    reason = f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
                    print(f"sandbox: hung up on what is no request ({reason})", file=sys.stderr, flush=True)
                    return
                self._import(source)
                self._connection.sendall(json.dumps(self.run(source, limits)).encode() + b"\n")

    def run(self, source: str, limits: Limits) -> dict[str, Any]:
        """What became of a program. All that it left is gone."""
        scratch = self._guards.scratch.begin()
        try:
            return Run(self._guards, self._connection, limits).of(source, scratch, self._nothing)
        finally:
            self._guards.scratch.end()

    def _import(self, source: str) -> None:
        for name, modules in HEAVY.items():
            if name in source and name not in self._imported:
                self._imported.add(name)
                with contextlib.suppress(Exception):
                    for module in modules.split():
                        importlib.import_module(module)
                gc.freeze()


class Run:
    """One program, from its fork to its end."""

    def __init__(self, guards: Guards, connection: socket.socket, limits: Limits) -> None:
        self._guards, self._connection, self._limits = guards, connection, limits
        self._said = {"out": b"", "err": b""}
        self._much = 0

    def of(self, source: str, scratch: str, nothing: int) -> dict[str, Any]:
        """Run it."""
        (out, out_end), (err, err_end), (held, held_end) = os.pipe(), os.pipe(), os.pipe()
        pid = self._guards.fork()
        if pid == 0:
            program.become(source, self._guards, scratch, self._limits, (nothing, out_end, err_end), held_end)
        for theirs in (out_end, err_end, held_end):
            os.close(theirs)
        process = os.pidfd_open(pid)
        streams = {out: "out", err: "err"}
        try:
            end = self._watch(process, streams)
        finally:
            os.kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            is_held = os.read(held, 1) == b"+"
            self._drain(streams)
            for each in (process, out, err, held):
                os.close(each)
        used = usage.ru_utime + usage.ru_stime
        return self._answer(end if is_held else "broken", status, used)

    def _watch(self, process: int, streams: dict[int, str]) -> str:
        """Read what it says until it ends or has to be ended; in a word, which."""
        poll = select.poll()
        poll.register(process, select.POLLIN)
        poll.register(self._connection, select.POLLRDHUP)
        for stream in streams:
            os.set_blocking(stream, False)
            poll.register(stream, select.POLLIN)
        deadline = time.monotonic() + self._limits.wall_seconds
        while (left := deadline - time.monotonic()) > 0:
            ready = [place for place, _ in poll.poll(1000 * min(left, LOOKS_AFTER_SECONDS))]
            if process in ready:
                return "exit"
            if self._connection.fileno() in ready:
                raise SystemExit(0)  # nobody is left to tell
            for stream in ready:
                if not self._read(stream, streams[stream]):
                    poll.unregister(stream)
            if self._much > self._limits.output_bytes:
                return "output"
            if self._guards.scratch.is_full():
                return "files"
        return "wall"

    def _read(self, stream: int, name: str) -> int:
        """Take what a stream holds at the moment: how many bytes, 0 at its end."""
        piece = os.read(stream, 65536)
        self._much += len(piece)
        kept = self._said[name] + piece
        self._said[name] = kept[-KEPT_OF_ERRORS:] if name == "err" else kept
        return len(piece)

    def _drain(self, streams: dict[int, str]) -> None:
        """What it said last, before its end."""
        for stream, name in streams.items():
            with contextlib.suppress(BlockingIOError):
                while self._much <= self._limits.output_bytes and self._read(stream, name):
                    pass

    def _answer(self, end: str, status: int, used: float) -> dict[str, Any]:
        code = os.waitstatus_to_exitcode(status)
        if end == "exit" and self._much > self._limits.output_bytes:
            end = "output"
        elif end == "exit" and code == -signal.SIGKILL and used >= 0.5 * self._limits.cpu_seconds:
            end = "cpu"
        elif end == "exit" and code < 0:
            end, code = "signal", -code
        said = {name: text.decode(errors="replace") for name, text in self._said.items()}
        said["out"] = said["out"][: self._limits.output_bytes]
        return {"end": end, "code": code, **said}


def _request(line: bytes) -> tuple[str, Limits]:
    """The program and its limits. Raises `ValueError`, `KeyError` or `TypeError` for what is no request."""
    asked = json.loads(line)
    source = asked["program"]
    kinds: dict[str, type | tuple[type, ...]] = {"cpu": int, "wall": (int, float), "memory": int, "output": int}
    if not isinstance(source, str) or not all(isinstance(asked[name], kind) for name, kind in kinds.items()):
        raise TypeError("a program is a text, a limit a number")
    if not all(asked[name] > 0 for name in kinds):
        raise ValueError("a limit is above 0")
    return source, Limits(asked["cpu"], asked["wall"], asked["memory"], asked["output"])


def attend(connection: socket.socket, has: frozenset[str]) -> None:
    """Serve one connection to its end, after the guards have been seen to hold."""
    os.set_inheritable(connection.fileno(), False)
    try:
        guards.require(has)
        seat = Seat(connection, has)
        _require_holding(seat.run(PROBE, Limits(2, 10.0, 1 << 30, 4096)))
    except (RefusedError, OSError) as error:
        connection.sendall(json.dumps({"refused": str(error)}).encode() + b"\n")
        return
    connection.sendall(json.dumps({"missing": guards.missing(has)}).encode() + b"\n")
    seat.serve(connection.makefile("rb"))


def listen(path: str, has: frozenset[str]) -> None:
    """Serve every connection to a socket at `path`, each by a process of its own, until a signal says to end."""
    ends = (signal.SIGTERM, signal.SIGINT)

    def end(*_: object) -> None:
        Path(path).unlink(missing_ok=True)
        os._exit(0)

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in ends:
        signal.signal(number, end)
    Path(path).unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    Path(path).chmod(0o600)
    server.listen(64)
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            for number in (signal.SIGCHLD, *ends):
                signal.signal(number, signal.SIG_DFL)
            attend(connection, has)
            os._exit(0)
        connection.close()


def main() -> None:
    """See the module."""
    asked = argparse.ArgumentParser(prog="sandbox", description="Runs programs that a model wrote.")
    asked.add_argument("--socket", help="where to listen; else the one connection is standard input")
    asked.add_argument("--without", default="", help=f"guards to go without, of {', '.join(guards.NAMES)}: for tests")
    chosen = asked.parse_args()
    os.environ.clear()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process with threads can't be forked safely
    has = guards.found(frozenset(chosen.without.split(",")))
    imports.hide_the_rest()
    for name in ANY_PROGRAMS.split():
        importlib.import_module(name)
    if chosen.socket:
        print(f"sandbox: {guards.missing(has) or 'all guards hold'}", file=sys.stderr, flush=True)
        listen(chosen.socket, has)
    attend(socket.socket(fileno=0), has)


def _require_holding(answer: dict[str, Any]) -> None:
    """Raises `RefusedError` where the probe got through anywhere."""
    if answer["end"] != "exit" or not answer["out"].startswith("5 {}"):
        raise RefusedError(f"the sandbox's guards do not hold on this machine: {answer}")


if __name__ == "__main__":
    main()
