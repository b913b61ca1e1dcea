"""Which runs to look at, and when: each at most once at a time, woken as often as anything happens.

A run that is woken while it is looked at is looked at once more. One that failed waits twice as long each time, up to a
minute and a half, unless the server itself said how long.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_DELAY = 0.2
LONGEST_DELAY = 90.0


class RetryError(Exception):
    """Look again later: after the usual delay, or after at least so many seconds."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class WorkQueue(Generic[K]):
    """Keys that wait to be looked at."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[K] = asyncio.Queue()
        self._queued: set[K] = set()
        self._busy: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._queued) + len(self._again)

    def wake(self, key: K | None) -> None:
        """Look at it soon; None, by which the views say that nothing is new, wakes nobody."""
        if key is None:
            return
        if key in self._busy:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._waiting.put_nowait(key)

    def wake_later(self, key: K, seconds: float) -> None:
        """Look at it then, or earlier if anything happens; of two times the sooner counts."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None and not timer.cancelled() and timer.when() <= loop.time() + seconds:
            return
        if timer is not None:
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self._ring, key)

    def forget(self, key: K) -> None:
        """It is gone: nothing of it is worth keeping."""
        self._failures.pop(key, None)
        if timer := self._timers.pop(key, None):
            timer.cancel()

    async def serve(self, look: Callable[[K], Awaitable[None]], failed: Callable[[K, Exception], None]) -> None:
        """Look at keys for ever. Any number may serve at once. `failed` hears of what `look` raises."""
        while True:
            key = await self._waiting.get()
            self._queued.discard(key)
            self._busy.add(key)
            try:
                await look(key)
                self._failures.pop(key, None)
            except Exception as error:
                failed(key, error)
                self.wake_later(key, self._delay(key, error))
            finally:
                self._busy.discard(key)
                if key in self._again:
                    self._again.discard(key)
                    self.wake(key)

    def _ring(self, key: K) -> None:
        self._timers.pop(key, None)
        self.wake(key)

    def _delay(self, key: K, error: Exception) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        usual: float = min(FIRST_DELAY * 2.0 ** (failures - 1), LONGEST_DELAY) * random.uniform(0.8, 1.2)
        told: float = getattr(error, "retry_after", 0.0)
        return max(usual, told)
