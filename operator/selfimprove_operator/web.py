"""/metrics for Prometheus, /healthz for the kubelet, /readyz for whoever waits until the operator looks after runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from selfimprove_operator.metrics import Metrics

Check = Callable[[], Awaitable[str]]
"""What is wrong, in a line; empty where nothing is."""


async def serve(port: int, metrics: Metrics, update: Callable[[], None], healthy: Check, ready: Check) -> web.AppRunner:
    """Answer on `port` until the runner is cleaned up. `update`: sets what is read at a scrape."""

    async def scrape(_: web.Request) -> web.Response:
        update()
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes(
        [web.get("/metrics", scrape), web.get("/healthz", _answer(healthy)), web.get("/readyz", _answer(ready))]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


def _answer(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(_: web.Request) -> web.Response:
        wrong = await check()
        return web.Response(status=503 if wrong else 200, text=wrong or "ok")

    return handler
