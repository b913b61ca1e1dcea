"""Seeing to it that nothing stays unseen: lists everything now and then, and wakes every run more often than that.

A watch may lose an event, and deadlines pass without one. What a list shows wins over what was seen before it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

from selfimprove_operator.client import ApiError, Document
from selfimprove_operator.cluster import Cluster
from selfimprove_operator.views import Children, Key, Parsed, Views, run_of
from selfimprove_operator.work import WorkQueue

LISTS_EVERY = 10
"""Of so many rounds one lists."""
OVERDUE = 3
"""Liveness fails when a list is late by so many times its period, while the API server answers."""
RETRY_SECONDS = 2.0

Pages = AsyncIterator[tuple[str, list[Document]]]

logger = logging.getLogger(__name__)


class Resync:
    """The round of all runs. `seconds`: from one waking to the next."""

    def __init__(self, cluster: Cluster, views: Views, queue: WorkQueue[Key], seconds: float) -> None:
        self._cluster, self._views, self._queue, self._seconds = cluster, views, queue, seconds
        self.listed_at: float | None = None
        """When the last list was complete, by `time.monotonic`."""

    @property
    def age(self) -> float:
        """Seconds since the last complete list."""
        return float("inf") if self.listed_at is None else time.monotonic() - self.listed_at

    @property
    def overdue(self) -> bool:
        """Whether the lists have stopped coming. The first may take its time."""
        return self.listed_at is not None and self.age > OVERDUE * LISTS_EVERY * self._seconds

    async def run(self) -> None:
        """Go on for ever, from a list that is complete."""
        while True:
            for _ in range(LISTS_EVERY):
                self.wake_all()
                await asyncio.sleep(self._seconds)
            await self.list_patiently()

    def wake_all(self) -> None:
        """Have every run looked at."""
        for key in tuple(self._views.runs):
            self._queue.wake(key)

    async def list_patiently(self) -> None:
        """List everything, however often it takes."""
        while True:
            try:
                await self.list()
                return
            except ApiError as error:
                logger.warning("the lists of runs, Jobs and pods are not complete: %s; trying again", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def list(self) -> None:
        """Take in all that there is, and forget what is not. Raises `ApiError`."""
        views = self._views
        await self._runs()
        await self._children(self._cluster.jobs(), views.jobs, views.put_job)
        await self._children(self._cluster.pods(), views.pods, lambda pod: views.put_pod(pod)[0])
        self.listed_at = time.monotonic()

    async def _runs(self) -> None:
        listed, version = set(), 0
        async for at, page in self._cluster.runs():
            version = version or int(at)
            for run in page:
                listed.add((run["metadata"]["namespace"], run["metadata"]["name"]))
                self._queue.wake(self._views.put_run(run))
        for key in self._views.retain_runs(listed, version):
            self._queue.wake(key)

    async def _children(self, pages: Pages, known: Children[Parsed], put: Callable[[Document], Key | None]) -> None:
        """Jobs, or pods."""
        listed, version = set(), 0
        async for at, page in pages:
            version = version or int(at)
            for child in page:
                listed.add((run_of(child), child["metadata"]["name"]))
                self._queue.wake(put(child))
        for key, name in tuple(known.absent(listed, version)):
            known.drop(key, name)
            self._queue.wake(key)
