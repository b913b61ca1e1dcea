"""`selfimprove run`: to the end on this machine, or as far as a person or a signal lets it."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from selfimprove.cli.output import kept_for_the_result, print_json
from selfimprove.cli.showing import show, status_document
from selfimprove.errors import DONE, FAILED, INTERRUPTED, SelfImproveError, TerminatedError
from selfimprove.runs import begin


def run(file: Path, storage: str | None, sets: Sequence[str], as_json: bool) -> int:
    """Begin the run or go on with it, and say what it came to; the exit code."""
    from selfimprove.local import execute

    with kept_for_the_result(), _terminable():
        handle = begin(file, storage, sets)
        with _resumable(_same_command(file, storage, sets, as_json)):
            stop = execute(handle, on_event=_tell)
    if as_json:
        print_json(status_document(handle))
    else:
        show(handle, sys.stdout)
    return DONE if stop.succeeded else FAILED


def _tell(event: object) -> None:
    print(event, file=sys.stderr, flush=True)


@contextmanager
def _terminable() -> Iterator[None]:
    """Within, SIGTERM is an error that unwinds, so that worker processes are told to end too."""

    def came(number: int, frame: FrameType | None) -> NoReturn:
        raise TerminatedError("terminated; what was done is kept")

    before = signal.signal(signal.SIGTERM, came)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class InterruptedByPersonError(SelfImproveError):
    """Ctrl-C, as an error of ours: typer would end the process without a word."""

    exit_code = INTERRUPTED


@contextmanager
def _resumable(command: Sequence[str]) -> Iterator[None]:
    """Within, an interruption becomes the line that says how to go on."""
    rest = f"everything committed is kept; go on with: {shlex.join(command)}"
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedByPersonError(f"interrupted; {rest}") from None
    except TerminatedError:
        raise TerminatedError(f"terminated; {rest}") from None


def _same_command(file: Path, storage: str | None, sets: Sequence[str], as_json: bool) -> list[str]:
    options = ["--storage", storage] if storage else []
    options += [word for each in sets for word in ("--set", each)]
    return ["selfimprove", "run", str(file), *options, *(["--json"] if as_json else [])]
