"""Seeing to it that nothing stays unseen: lists everything now and then, and wakes every run more often than that.

A watch may lose an event, and deadlines pass without one. What a list shows wins over what was seen before it. Of a
namespace that can't be listed nothing is known, so nothing of it is forgotten, and the others do not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from selfimprove_operator.client import ApiError, Document
from selfimprove_operator.cluster import Cluster
from selfimprove_operator.views import Children, Key, Parsed, Views, run_of
from selfimprove_operator.work import WorkQueue

LISTS_EVERY = 10
"""Of so many rounds one lists."""
OVERDUE = 3
"""Liveness fails when a list is late by so many times its period, while the API server answers."""
RETRY_SECONDS = 2.0

_UNREACHABLE = (403, 404)
"""What the server answers where a namespace that is named is gone, and the operator's Role in it too."""

Pages = AsyncIterator[tuple[str, list[Document]]]

logger = logging.getLogger(__name__)


class Resync:
    """The round of all runs. `seconds`: from one waking to the next."""

    def __init__(self, cluster: Cluster, views: Views, queue: WorkQueue[Key], seconds: float) -> None:
        self._cluster, self._views, self._queue, self._seconds = cluster, views, queue, seconds
        self.listed_at: float | None = None
        """When the last list was complete, by `time.monotonic`."""
        self.unreachable: set[str] = set()
        """The namespaces that the last list had to pass over."""

    @property
    def age(self) -> float:
        """Seconds since the last complete list."""
        return float("inf") if self.listed_at is None else time.monotonic() - self.listed_at

    @property
    def sees_nothing(self) -> bool:
        """Whether not one of the namespaces can be listed."""
        return self.unreachable == set(self._cluster.namespaces)

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
                await self._list_unreachable()
            await self.list_patiently()

    def wake_all(self) -> None:
        """Have every run looked at, but for those of which nothing new can be known."""
        for key in tuple(self._views.runs):
            if key[0] not in self.unreachable:
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
        """Take in all that there is, and forget what is not. Raises `ApiError`, but not for one namespace that is named
        and can't be listed: it is passed over, and tried again at every waking.
        """
        for namespace in self._cluster.namespaces:
            await self._list_if_there(namespace)
        self.listed_at = time.monotonic()

    async def _list_unreachable(self) -> None:
        """What else goes wrong is for the next list to tell."""
        for namespace in tuple(self.unreachable):
            with suppress(ApiError):
                await self._list_if_there(namespace)

    async def _list_if_there(self, namespace: str) -> None:
        try:
            await self._list(namespace)
        except ApiError as error:
            if not namespace or error.status not in _UNREACHABLE:
                raise
            self._lost(namespace, error)
        else:
            self._found(namespace)

    async def _list(self, namespace: str) -> None:
        cluster, views = self._cluster, self._views
        await self._runs(namespace)
        await self._children(namespace, cluster.jobs(namespace), views.jobs, views.put_job)
        await self._children(namespace, cluster.pods(namespace), views.pods, lambda pod: views.put_pod(pod)[0])

    def _lost(self, namespace: str, error: ApiError) -> None:
        if namespace not in self.unreachable:
            self.unreachable.add(namespace)
            told = (
                "namespace %s can't be listed: %s; give the operator its Role there or take it from watchNamespaces: "
                "its runs are left as they are, and it is tried again every %g s"
            )
            logger.warning(told, namespace, error, self._seconds)

    def _found(self, namespace: str) -> None:
        if namespace in self.unreachable:
            self.unreachable.discard(namespace)
            logger.warning("namespace %s can be listed again", namespace)

    async def _runs(self, namespace: str) -> None:
        listed, version = set(), 0
        async for at, page in self._cluster.runs(namespace):
            version = version or int(at)
            for run in page:
                listed.add((run["metadata"]["namespace"], run["metadata"]["name"]))
                self._queue.wake(self._views.put_run(run))
        for key in self._views.retain_runs(listed, version, namespace):
            self._queue.wake(key)

    async def _children(
        self, namespace: str, pages: Pages, known: Children[Parsed], put: Callable[[Document], Key | None]
    ) -> None:
        """Jobs, or pods."""
        listed, version = set(), 0
        async for at, page in pages:
            version = version or int(at)
            for child in page:
                listed.add((run_of(child), child["metadata"]["name"]))
                self._queue.wake(put(child))
        for key, name in tuple(known.absent(listed, version, namespace)):
            known.drop(key, name)
            self._queue.wake(key)
