"""SIGTERM and SIGINT as a wish that steps look at between parts, so that what was sampled is committed first."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, field
from types import FrameType

from selfimprove.errors import INTERRUPTED, TERMINATED

_EXIT_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


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

    def _came(self, number: int, frame: FrameType | None) -> None:
        self.exit_code = _EXIT_CODES[signal.Signals(number)]
        self.stopping.set()
