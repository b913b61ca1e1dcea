"""SIGTERM as an error that unwinds, so that worker processes are told to end too and nothing half written stays."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from selfimprove.errors import TerminatedError


class Sigterm(BaseException):
    """SIGTERM came. No `Exception`, since a library that retries what went wrong would swallow it."""


@contextmanager
def terminable(left: str = "what was done is kept") -> Iterator[None]:
    """Within, SIGTERM raises `Sigterm`, which comes out as `TerminatedError`; `left`: what there is then."""

    def came(number: int, frame: FrameType | None) -> NoReturn:
        raise Sigterm

    before = signal.signal(signal.SIGTERM, came)
    try:
        yield
    except Sigterm:
        raise TerminatedError(f"terminated; {left}") from None
    finally:
        signal.signal(signal.SIGTERM, before)
