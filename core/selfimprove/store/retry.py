"""Trying again after a pause, for what the client library does not try again by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_RETRIES = 5
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


def retried(call: Callable[[], T], worth: Callable[[Exception], bool]) -> T:
    """The call's result; tried again, up to five times, after an error that is worth it. Raises the last error."""
    for attempt in range(_RETRIES):
        try:
            return call()
        except Exception as error:
            if not worth(error):
                raise
        # Full jitter: those who collided once must not collide again.
        time.sleep(random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)))
    return call()


def retried_for(
    seconds: float, call: Callable[[], T], worth: Callable[[Exception], bool], tell: Callable[[Exception], None]
) -> T:
    """The call's result; tried again after an error that is worth it until so much time has passed. Raises the last.

    `tell` hears of the first of them when it is tried again.
    """
    until, told = time.monotonic() + seconds, False
    while True:
        try:
            return call()
        except Exception as error:
            if not worth(error) or time.monotonic() >= until:
                raise
            if not told:
                tell(error)
                told = True
        time.sleep(random.uniform(0, 2 * _FIRST_PAUSE))
