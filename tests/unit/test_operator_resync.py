"""The round of all runs, on the answers of an API server: a namespace may be gone, or closed to the operator."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from selfimprove.api.spec import PLURAL
from selfimprove_operator.client import ApiError, Client
from selfimprove_operator.cluster import Cluster
from selfimprove_operator.resync import Resync
from selfimprove_operator.views import Key, Views
from selfimprove_operator.watching import LATER_SECONDS, News, Patience
from selfimprove_operator.work import WorkQueue

TEAM, LAB = ("team", "gsm8k"), ("lab", "gsm8k")


class Lists:
    """An API server with a run in each namespace; some namespaces it answers with an error."""

    def __init__(self, *runs: Key) -> None:
        self.runs, self.refused = set(runs), dict[str, int]()
        self._versions = itertools.count(1)

    async def answer(self, request: web.Request) -> web.Response:
        """One list."""
        parts = request.path.split("/")
        namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts else ""
        if status := self.refused.get(namespace):
            return web.json_response({"message": "is forbidden"}, status=status)
        found = [run for run in sorted(self.runs) if namespace in ("", run[0])] if parts[-1] == PLURAL else []
        version = str(next(self._versions))
        items = [_run(key, version) for key in found]
        return web.json_response({"metadata": {"resourceVersion": version}, "items": items})


class Round:
    """A resync beside that server."""

    def __init__(self, lists: Lists, url: str, namespaces: tuple[str, ...]) -> None:
        self.lists, self.views = lists, Views("nvidia.com/gpu")
        self.queue: WorkQueue[Key] = WorkQueue()
        self._client = Client(Configuration(host=url))
        self.resync = Resync(Cluster(self._client, namespaces), self.views, self.queue, 0.01)

    async def close(self) -> None:
        """End its connections."""
        await self._client.close()


def in_a_round(act: Any, lists: Lists, namespaces: tuple[str, ...] = ("lab", "team")) -> None:
    """Let `act` go through lists."""

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", lists.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found = Round(lists, f"http://127.0.0.1:{runner.addresses[0][1]}", namespaces)
        try:
            await act(found)
        finally:
            await found.close()
            await runner.cleanup()

    asyncio.run(main())


@pytest.mark.parametrize("status", [403, 404])
def test_a_namespace_that_cant_be_listed_holds_up_no_other(status: int) -> None:
    async def act(found: Round) -> None:
        found.lists.refused = {"lab": status}
        await found.resync.list()
        assert set(found.views.runs) == {TEAM}
        assert found.resync.unreachable == {"lab"}
        assert not found.resync.sees_nothing and found.resync.listed_at is not None

    in_a_round(act, Lists(TEAM, LAB))


def test_runs_that_cant_be_listed_any_more_are_not_taken_for_deleted_but_those_of_others_are() -> None:
    async def act(found: Round) -> None:
        await found.resync.list()
        found.lists.refused, found.lists.runs = {"lab": 403}, set()
        await found.resync.list()
        assert set(found.views.runs) == {LAB}

    in_a_round(act, Lists(TEAM, LAB))


def test_a_namespace_that_comes_back_is_listed_at_the_next_waking_and_loses_what_went_meanwhile() -> None:
    async def act(found: Round) -> None:
        await found.resync.list()
        found.lists.refused = {"lab": 403}
        await found.resync.list()
        found.lists.refused, found.lists.runs = {}, {TEAM, ("lab", "newer")}
        going_round = asyncio.create_task(found.resync.run())
        async with asyncio.timeout(5):
            while found.resync.unreachable:
                await asyncio.sleep(0.01)
        going_round.cancel()
        assert set(found.views.runs) == {TEAM, ("lab", "newer")}

    in_a_round(act, Lists(TEAM, LAB))


def test_that_a_namespace_is_away_is_told_once_and_once_that_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    async def act(found: Round) -> None:
        found.lists.refused = {"lab": 403}
        for _ in range(3):
            await found.resync.list()
        found.lists.refused = {}
        for _ in range(3):
            await found.resync.list()

    with caplog.at_level(logging.WARNING):
        in_a_round(act, Lists(TEAM, LAB))
    assert [record.getMessage() for record in caplog.records] == [
        "namespace lab can't be listed: 403: is forbidden; give the operator its Role there or take it from "
        "watchNamespaces: its runs are left as they are, and it is tried again every 0.01 s",
        "namespace lab can be listed again",
    ]


def test_an_operator_that_can_list_none_of_its_namespaces_sees_nothing() -> None:
    async def act(found: Round) -> None:
        found.lists.refused = {"lab": 403, "team": 404}
        await found.resync.list()
        assert found.resync.sees_nothing and not found.resync.overdue

    in_a_round(act, Lists(TEAM, LAB))


def test_runs_of_which_nothing_can_be_known_are_not_woken() -> None:
    async def act(found: Round) -> None:
        await found.resync.list()
        found.lists.refused = {"lab": 403}
        await found.resync.list()
        looked: list[Key] = []

        async def look(key: Key) -> None:
            looked.append(key)

        serving = asyncio.create_task(found.queue.serve(look, lambda key, error: None))
        await asyncio.sleep(0.05)
        looked.clear()
        found.resync.wake_all()
        await asyncio.sleep(0.05)
        serving.cancel()
        assert looked == [TEAM]

    in_a_round(act, Lists(TEAM, LAB))


@pytest.mark.parametrize(("status", "namespaces"), [(403, ()), (500, ("lab", "team"))])
def test_all_namespaces_at_once_or_none_at_all_for_the_moment_is_an_error(
    status: int, namespaces: tuple[str, ...]
) -> None:
    async def act(found: Round) -> None:
        found.lists.refused = {"": status, "lab": status}
        with pytest.raises(ApiError):
            await found.resync.list()
        assert found.resync.listed_at is None

    in_a_round(act, Lists(TEAM, LAB), namespaces)


def test_a_watch_of_a_namespace_that_is_away_is_tried_for_ever_and_each_watch_from_the_first_pause_on() -> None:
    patience = Patience()
    assert next(iter(patience)) == 1
    assert list(itertools.islice(patience, 1000))[-1] == LATER_SECONDS
    assert next(iter(patience)) == 1


def _run(key: Key, version: str) -> dict[str, Any]:
    namespace, name = key
    metadata = {"namespace": namespace, "name": name, "uid": f"u-{namespace}-{name}", "resourceVersion": version}
    return {"metadata": metadata, "spec": {}}


def test_each_right_that_kopf_misses_is_told_once() -> None:
    lines = [
        "Request attempt #1/9 failed; will retry: GET /jobs -> APIForbiddenError('cannot watch resource \"jobs\"')",
        "Request attempt #2/9 failed; will retry: GET /jobs -> APIForbiddenError('cannot watch resource \"jobs\"')",
        "Request attempt #1/9 failed; will retry: GET /pods -> APIForbiddenError('cannot watch resource \"pods\"')",
        "Request attempt #1/9 failed; will retry: GET /pods -> APIForbiddenError('cannot list resource \"pods\"')",
        "Request attempt #1/9 failed; will retry: GET /pods -> APIServerError('etcd')",
    ]
    news = News()
    seen = [news.filter(logging.makeLogRecord({"msg": line})) for line in lines]
    assert seen == [True, False, True, True, True]
