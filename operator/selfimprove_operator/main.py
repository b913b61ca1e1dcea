"""`selfimprove-operator`: kopf brings events, and that is all it does here.

    selfimprove-operator --config /etc/selfimprove/operator.yaml

Only `on.event`: kopf's handlers of creation and change keep a second copy of the object in an annotation, and its
timers and daemons add finalizers. What an event means is `reconcile`'s business; here it only wakes the run.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kopf

from selfimprove.api.spec import GROUP, PLURAL, VERSION
from selfimprove.errors import SelfImproveError
from selfimprove_operator.cluster import OURS
from selfimprove_operator.operation import Operation, operation
from selfimprove_operator.settings import Settings, read_settings
from selfimprove_operator.views import refusal_in
from selfimprove_operator.watching import wait_for_namespaces

REFUSALS = "reason=FailedCreate,involvedObject.kind=Job"
"""Quota and Pod Security refuse a Job's pods in events only."""


def main() -> None:
    """The entry point."""
    parser = argparse.ArgumentParser(description="The operator that runs SelfImprovementRuns as Jobs.")
    parser.add_argument("--config", type=Path, required=True, help="YAML of the operator's settings")
    parser.add_argument("--verbose", action="store_true", help="log every call and event")
    arguments = parser.parse_args()
    _log(arguments.verbose)
    try:
        asyncio.run(operate(read_settings(arguments.config)))
    except SelfImproveError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


async def operate(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Look after runs until a signal comes, or `stop` is set."""
    namespaces = settings.watch_namespaces
    async with operation(settings) as found:
        await kopf.operator(
            registry=wired(found),
            settings=kopf_settings(namespaces),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
        )


def wired(found: Operation) -> kopf.OperatorRegistry:
    """The events that wake runs."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**arguments: Any) -> Any:
        return kopf.login_via_client(**arguments)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def run(event: Any, **_: Any) -> None:
        seen = event["object"]
        metadata = seen["metadata"]
        if event["type"] == "DELETED":
            found.queue.wake(found.views.drop_run((metadata["namespace"], metadata["name"]), metadata["uid"]))
        else:
            found.queue.wake(found.views.put_run(seen))

    @kopf.on.event("batch", "v1", "jobs", registry=registry)
    async def job(event: Any, **_: Any) -> None:
        seen, gone = event["object"], event["type"] == "DELETED"
        found.queue.wake(found.views.drop_job(seen) if gone else found.views.put_job(seen))

    @kopf.on.event("", "v1", "pods", registry=registry)
    async def pod(event: Any, **_: Any) -> None:
        seen = event["object"]
        key, ended = found.views.put_pod(seen)
        if ended is not None:
            found.metrics.ended(ended)
        found.queue.wake(key)
        if event["type"] == "DELETED":
            found.queue.wake(found.views.drop_pod(seen))

    @kopf.on.event("", "v1", "events", registry=registry)
    async def refusal(event: Any, **_: Any) -> None:
        if event["type"] != "DELETED":
            found.queue.wake(found.views.refuse(*refusal_in(event["object"])))

    return registry


def kopf_settings(namespaces: Sequence[str]) -> kopf.OperatorSettings:
    """No writes of kopf's own, selectors on the server's side, and watches that can't fall silent."""
    settings = kopf.OperatorSettings()
    if namespaces:
        wait_for_namespaces(settings)
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.networking.request_timeout = 30
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.chunk_size = 250
    settings.watching.label_selectors["batch", "v1", "jobs"] = OURS
    settings.watching.label_selectors["", "v1", "pods"] = OURS
    settings.watching.field_selectors["", "v1", "events"] = REFUSALS
    settings.queueing.idle_timeout = 0.5
    settings.persistence.diffbase_storage = NoDiffs()
    return settings


class NoDiffs(kopf.DiffBaseStorage):
    """What kopf compares objects by, for handlers of changes. There are none here, and to copy every object that is
    seen takes half of kopf's time."""

    def build(self, *, body: Any, extra_fields: Any = None) -> Any:
        """Nothing."""
        return {}

    def fetch(self, *, body: Any) -> Any:
        """Nothing was ever stored."""
        return None

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        """Store nothing."""


def _log(verbose: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("kopf", "aiohttp", "kubernetes"):
        logging.getLogger(chatty).setLevel(logging.DEBUG if verbose else logging.WARNING)


if __name__ == "__main__":
    main()
