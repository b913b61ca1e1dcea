"""The command line: how every command starts and how it ends.

Each command is one file that imports what it needs only when it runs, so that `--help` answers at once. How a command
ends is decided here and nowhere else: one line on standard error and the exit code of design section 3.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from selfimprove.errors import (
    DONE,
    INTERRUPTED,
    SURROUNDINGS,
    TERMINATED,
    UNEXPECTED,
    WRONG_INPUT,
    SelfImproveError,
    ToldError,
)
from selfimprove.secret_values import masked

DEBUG = "SELFIMPROVE_DEBUG"
EXTRAS = {"numpy": "data", "pyarrow": "data", "boto3": "data"}
"""Libraries that a bare `pip install selfimprove` leaves out -> the extra that brings them."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; gives its exit code."""
    from selfimprove.cli.app import app

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without a letter is no reason to say nothing
    arguments = list(sys.argv[1:] if argv is None else argv)
    return end_of(lambda: app(args=arguments, prog_name="selfimprove", standalone_mode=False))


def end_of(command: Callable[[], object]) -> int:
    """The exit code that a command comes to; what went wrong is said in one line on standard error."""
    try:
        code = command()
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # the reader has seen enough (`| head`): nothing is wrong
        return DONE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL and (refused := _refused_output()):
            complain(f"standard output: {refused}; write it to another place")
            return SURROUNDINGS
        if os.environ.get(DEBUG):
            print(masked(traceback.format_exc()), end="", file=sys.stderr)
        return _failed(error)


def _refused_output() -> str | None:
    """Why standard output takes not even a line's end any more; None where it does, and another file was full."""
    try:
        print(flush=True)
    except OSError as error:
        _drop_output()
        return error.strerror
    return None


def _drop_output() -> None:
    """Let what is not written yet go nowhere, as it would be tried again at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _failed(error: Exception) -> int:
    if isinstance(error, SelfImproveError):
        said = error.exit_code in (INTERRUPTED, TERMINATED) or isinstance(error, ToldError)
        (say if said else complain)(str(error))
        return error.exit_code
    usage = getattr(error, "format_message", None)  # typer's errors: its own class changes place between versions
    if usage is not None:
        complain(f"{str(usage()).rstrip('.')} (see --help)")
        return WRONG_INPUT
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
        complain(f"{error.name}: not installed here; pip install 'selfimprove[{EXTRAS[error.name]}]'")
        return WRONG_INPUT
    line = " ".join(str(error).split())
    complain(f"{type(error).__name__}: {line}; unexpected, {DEBUG}=1 shows where")
    return UNEXPECTED


def complain(message: str) -> None:
    """Each line of a message as an error on standard error."""
    for line in masked(message).splitlines() or [""]:
        print(f"error: {line}", file=sys.stderr)


def warn(line: str) -> None:
    """What a person should know and that ends nothing, on standard error."""
    say(f"warning: {line}")


def say(line: str) -> None:
    """A line for the person, on standard error, which leaves standard output to the result."""
    print(line, file=sys.stderr, flush=True)
