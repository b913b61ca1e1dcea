"""A program's own process, from its fork to its end: everything here is under the guards and nothing of it is believed.

What a program did is read by the other side from its two pipes and its end. There is nothing else to say, so nothing
to forge: what it prints is its answer.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import signal
import sys
import traceback
from types import ModuleType
from typing import NoReturn

from selfimprove_workers.sandbox.guards import Guards, Limits

NAME = "<program>"
MOST_FILES = 1 << 16


def become(
    source: str, guards: Guards, scratch: str, limits: Limits, pipes: tuple[int, int, int], held: int
) -> NoReturn:
    """Turn this process, just forked, into the program. Never returns.

    `pipes`: its standard input, output and error. `held` gets a byte when the guards are on, and is closed before the
    program begins: without that byte nothing was run.
    """
    code = 1
    try:
        _detach(pipes)
        guards.put_on(scratch, limits)
        os.write(held, b"+")
        os.closerange(len(pipes), MOST_FILES)
        code = _run(source)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _detach(pipes: tuple[int, int, int]) -> None:
    """Leave the server's session, environment, signals and files."""
    os.setsid()
    os.environ.clear()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for own, given in enumerate(pipes):
        os.dup2(given, own)


def _run(source: str) -> int:
    """The program's exit code. Two runs of a program draw the same random numbers."""
    random.seed(0)
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed(0)
    main = ModuleType("__main__")
    sys.modules["__main__"], sys.argv = main, [NAME]
    code = 0
    try:
        exec(compile(source, NAME, "exec", dont_inherit=True), main.__dict__)
    except SystemExit as end:
        code = _exit_code(end.code)
    except BaseException:
        code = 1
        traceback.print_exc()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]
    return code


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1
