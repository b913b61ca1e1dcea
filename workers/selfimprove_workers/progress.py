"""How far a step is: a bar on a terminal, a line a minute in a pod's log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Never, TextIO

from tqdm import tqdm

LINE_EVERY_SECONDS = 60.0


class Progress:
    """Shows prompts done, tokens a second and the time left, on standard error."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._bar: tqdm[Never] | None = None
        self._label, self._total, self._done, self._tokens = "", 0, 0, 0
        self._began = self._said = clock()

    def start(self, label: str, total: int, done: int = 0, unit: str = "prompts") -> None:
        """Begin a stretch of `total` units, `done` of which were committed earlier."""
        self.finish()
        self._label, self._total, self._done, self._tokens = label, total, done, 0
        self._began = self._said = self._clock()
        if self._stream.isatty():
            self._bar = tqdm(total=total, initial=done, desc=label, unit=f" {unit}", file=self._stream, leave=True)
        else:
            self._line()

    def advance(self, units: int = 0, tokens: int = 0, note: str = "") -> None:
        """Some more units are done, some more tokens sampled or trained on."""
        self._done += units
        self._tokens += tokens
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._rate():.0f} tok/s {note}".strip(), refresh=False)
            self._bar.update(units)
        elif self._clock() - self._said >= LINE_EVERY_SECONDS:
            self._line(note)

    def finish(self) -> None:
        """End the stretch."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _rate(self) -> float:
        return self._tokens / max(self._clock() - self._began, 1e-9)

    def _line(self, note: str = "") -> None:
        self._said = self._clock()
        print(
            f"{self._label}: {self._done}/{self._total} {self._rate():.0f} tok/s {note}".rstrip(),
            file=self._stream,
            flush=True,
        )
