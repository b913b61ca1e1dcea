"""`selfimprove run`: to the end on this machine, or as far as a person or a signal lets it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from selfimprove.cli.output import kept_for_the_result, print_json
from selfimprove.cli.signals import Sigterm, terminable
from selfimprove.cli.where import Where, set_words
from selfimprove.errors import DONE, FAILED, INTERRUPTED, SelfImproveError, TerminatedError, UserError
from selfimprove.kubectl import PREFIX

if TYPE_CHECKING:
    from selfimprove.loop import Stop
    from selfimprove.runs import RunHandle


def run(file: str, where: Where, sets: Sequence[str], as_json: bool) -> int:
    """Begin the run or go on with it, and say what it came to; the exit code."""
    if file.startswith(PREFIX):
        raise UserError(
            f"{file}: the cluster runs it by itself; see `selfimprove status {shlex.quote(file)}`, "
            "or give a FILE to run here"
        )
    with kept_for_the_result(), terminable(), _resumable(_same_command(file, where, sets, as_json)):
        handle, stop = _to_the_end(file, where, sets)
    from selfimprove.cli.showing import show, status_document

    if as_json:
        print_json(status_document(handle))
    else:
        show(handle, sys.stdout)
    return DONE if stop.succeeded else FAILED


def _to_the_end(file: str, where: Where, sets: Sequence[str]) -> tuple[RunHandle, Stop]:
    # Imported here, so that a signal meanwhile is answered like any other.
    from selfimprove.local import execute

    with where.at_work(file, sets) as handle:
        return handle, execute(handle, on_event=_tell)


def _tell(event: object) -> None:
    print(event, file=sys.stderr, flush=True)


class InterruptedByPersonError(SelfImproveError):
    """Ctrl-C, as an error of ours: typer would end the process without a word."""

    exit_code = INTERRUPTED


@contextmanager
def _resumable(command: str) -> Iterator[None]:
    """Within, an interruption becomes the line that says how to go on."""
    rest = f"everything committed is kept; go on with: {command}"
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedByPersonError(f"interrupted; {rest}") from None
    except (Sigterm, TerminatedError):
        raise TerminatedError(f"terminated; {rest}") from None


def _same_command(file: str, where: Where, sets: Sequence[str], as_json: bool) -> str:
    return where.again("run", file, *set_words(sets), *(["--json"] if as_json else []))
