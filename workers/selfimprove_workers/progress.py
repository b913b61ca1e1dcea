"""How far a step is: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Never, TextIO

from tqdm import tqdm

LINE_EVERY_SECONDS = 60.0
TELLING_SECONDS, TELLING_SHARE = 10.0, 0.05
"""Work that went on for so long and is done so far tells how long the rest takes: before, the first to end tells of
itself alone, and of how long the beginning took.
"""


class Progress:
    """Shows what is done of how much, tokens a second and the time left: on standard error, and to `log`."""

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        log: Callable[[str], None] | None = None,
        at_work_on: str = "",
    ) -> None:
        """`at_work_on`: what the lines before the first stretch name, while a model is fetched and loaded."""
        self._stream = stream or sys.stderr
        self._clock = clock
        self._log = log
        self._bar: tqdm[Never] | None = None
        self._label, self._unit, self._note, self._before = "", "", "", at_work_on
        self._total = self._first = self._done = self._tokens = 0
        self._began = self._said = clock()
        self._saying = threading.Lock()

    def start(self, label: str, total: int, done: int = 0, unit: str = "prompts") -> None:
        """Begin a stretch of `total` units, `done` of which were committed earlier."""
        self.finish()
        self._label, self._unit, self._note = label, unit, ""
        self._total, self._first, self._done, self._tokens = total, done, done, 0
        self._began = self._said = self._clock()
        if self._stream.isatty():
            self._bar = tqdm(total=total, initial=done, desc=label, unit=f" {unit}", file=self._stream, leave=True)
        self._say()

    def advance(self, units: int = 0, tokens: int = 0, note: str = "") -> None:
        """Some more units are done, some more tokens sampled or trained on."""
        self.reach(self._done + units, self._tokens + tokens, note)

    def reach(self, done: int, tokens: int, note: str = "") -> None:
        """So many units are done in all, and so many tokens sampled or trained on since the stretch began."""
        more, self._done, self._tokens, self._note = done - self._done, done, tokens, note
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._rate():.0f} tok/s {note}".strip(), refresh=False)
            self._bar.update(more)
        self.beat()

    def beat(self) -> None:
        """Say how far it is, if nothing was said for a minute: work that takes long to advance is still at work."""
        with self._saying:
            if self._clock() - self._said < LINE_EVERY_SECONDS:
                return
            if self._label:
                self._say()
            elif self._before:
                self._said = self._clock()
                self._tell(f"{self._before}: getting ready, {duration(self._clock() - self._began)} so far")

    def finish(self) -> None:
        """End the stretch."""
        self._label = self._before = ""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _rate(self) -> float:
        return self._tokens / max(self._clock() - self._began, 1e-9)

    def _say(self) -> None:
        self._said = self._clock()
        tokens = f"{self._rate():.0f} tok/s" if self._tokens else ""
        words = [f"{self._done:,}/{self._total:,} {self._unit}", tokens, self._left(), self._note]
        self._tell(f"{self._label}: {', '.join(filter(None, words))}")

    def _tell(self, line: str) -> None:
        if self._bar is None:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        if self._log is not None:
            self._log(line)

    def _left(self) -> str:
        """The time that the rest takes if it goes on like this; nothing while that can't be told."""
        here, took = self._done - self._first, self._clock() - self._began
        enough = took >= TELLING_SECONDS and here >= TELLING_SHARE * (self._total - self._first)
        if here <= 0 or self._done >= self._total or not enough:
            return ""
        return f"{duration(took / here * (self._total - self._done))} left"


def duration(seconds: float) -> str:
    """A time as a person reads it: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
