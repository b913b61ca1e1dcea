"""SIGTERM and SIGINT: a wish that steps look at between parts, so that what was sampled is committed first; and at
once where nothing is under way that is worth keeping, as while a model is fetched, converted and loaded.

A pod's grace is shorter than the loading of a large model, and a pod that is killed at its end counts as a failure.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from selfimprove.errors import INTERRUPTED, TERMINATED

_EXIT_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
UNWINDING_SECONDS = 20.0
"""How long work may take to end at once: a library may wait for its own downloads first."""
_section = threading.local()


class StoppedError(SystemExit):
    """A signal came where work ends at once. No `Exception`: nobody shall take it for an error of what was loaded."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)

    def __str__(self) -> str:
        return "stopped by a signal; what was done is kept"


@dataclass
class Signals:
    """Which signal came, if any."""

    stopping: threading.Event = field(default_factory=threading.Event)
    exit_code: int = 0

    @classmethod
    def installed(cls) -> Signals:
        """Handlers for both signals, in this process."""
        signals = cls()
        for number in _EXIT_CODES:
            signal.signal(number, signals._came)
        return signals

    def stop_at_once(self) -> None:
        """Raises `StoppedError` when a signal came."""
        if self.stopping.is_set():
            raise StoppedError(self.exit_code or TERMINATED)

    def _came(self, number: int, frame: FrameType | None) -> None:
        self.exit_code = _EXIT_CODES[signal.Signals(number)]
        self.stopping.set()
        if getattr(_section, "depth", 0):
            last = threading.Timer(UNWINDING_SECONDS, os._exit, (self.exit_code,))
            last.daemon = True
            last.start()
            self.stop_at_once()


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Within, a signal raises `StoppedError` as soon as Python can, as does one that came before.

    Signals are heard by the main thread alone: in others this changes nothing. Without handlers (`Signals.installed`)
    signals do what they do by themselves.
    """
    handler = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(handler, Signals):
        handler.stop_at_once()
    _section.depth = getattr(_section, "depth", 0) + 1
    try:
        yield
    finally:
        _section.depth -= 1
