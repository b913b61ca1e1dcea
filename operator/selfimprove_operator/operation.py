"""The operator's parts put together, and their lives: who begins when, and who ends first."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from selfimprove_operator import web
from selfimprove_operator.client import Client, configuration
from selfimprove_operator.cluster import Cluster
from selfimprove_operator.controller import Controller
from selfimprove_operator.lease import Leadership
from selfimprove_operator.metrics import Metrics, Runs
from selfimprove_operator.resync import Resync
from selfimprove_operator.settings import Settings
from selfimprove_operator.views import Key, Views
from selfimprove_operator.work import WorkQueue

LOOKS_AT_ONCE = 32

logger = logging.getLogger(__name__)


class Operation:
    """Everything that one operator process holds."""

    def __init__(self, settings: Settings, client: Client, metrics: Metrics) -> None:
        self.settings, self.client, self.metrics = settings, client, metrics
        self.views = Views(settings.defaults.gpu.resource_name)
        self.queue: WorkQueue[Key] = WorkQueue()
        cluster = Cluster(client, settings.watch_namespaces)
        self._cluster = cluster
        self.resync = Resync(cluster, self.views, self.queue, settings.resync_seconds)
        namespace = settings.lease_namespace or os.environ.get("POD_NAMESPACE")
        began = self.resync.wake_all
        self.leadership = Leadership(client, namespace, settings.lease_name, began) if namespace else None
        self.controller = Controller(cluster, self.views, self.queue, settings.defaults, metrics, self.leads)
        metrics.registry.register(Runs(self.views.runs))

    def leads(self) -> bool:
        """Whether this process may act: always where no Lease is kept."""
        return self.leadership is None or self.leadership.leads()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Within, runs are looked after. Nothing is looked at before all that there is was listed once."""
        async with AsyncExitStack() as stack:
            runner = await web.serve(self.settings.port, self.metrics, self._update, self._healthy, self._ready)
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(self.client.close)
            await self.resync.list_patiently()
            if self.leadership is not None:
                stack.push_async_callback(self.leadership.release)
                _background(stack, self.leadership.run())
            for _ in range(LOOKS_AT_ONCE):
                _background(stack, self.queue.serve(self.controller.look, self.controller.failed))
            _background(stack, self.resync.run())
            logger.info("looking after %d runs, %d Jobs and %d pods", *self.views.counts())
            yield

    def _update(self) -> None:
        self.metrics.queue_depth.set(len(self.queue))
        self.metrics.resync_age.set(self.resync.age)
        self.metrics.namespaces_unreachable.set(len(self.resync.unreachable))
        self.metrics.leader.set(self.leads())

    async def _healthy(self) -> str:
        """Ill only if the lists have stopped coming while the API server answers: else a restart would mend nothing."""
        if self.resync.overdue and await self._cluster.answers():
            return f"nothing was listed for {self.resync.age:.0f} s"
        return ""

    async def _ready(self) -> str:
        if self.resync.listed_at is None:
            return "runs, Jobs and pods are not listed yet"
        return "none of the watched namespaces can be listed" if self.resync.sees_nothing else ""


@asynccontextmanager
async def operation(settings: Settings) -> AsyncIterator[Operation]:
    """An operator at work. Raises `SurroundingsError` where there is no cluster to be reached."""
    metrics = Metrics()
    found = Operation(settings, Client(await configuration(), metrics.wrote), metrics)
    async with found.at_work():
        yield found


def _background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """A task that ends with the stack. One that dies takes the process with it: it is not worth much without."""
    task = asyncio.create_task(work)
    task.add_done_callback(_died)

    async def end() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(end)


def _died(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("a part of the operator has died", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)
