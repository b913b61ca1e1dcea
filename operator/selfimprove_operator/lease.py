"""Two operators never act at once: only the holder of the Lease does (design section 5).

As client-go's election: another's Lease is taken when it was not renewed for its whole duration, by our own clock, and
each write is fenced by the version that was read. A holder that could not renew in time stops acting by its own clock;
one that ends in order lets go, so that its successor need not wait. (The election of `kubernetes.aio` 37 can't create a
Lease: it gives `pretty` a boolean, which its own models refuse.)
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from selfimprove_operator.client import ApiError, Client, Document

SECONDS = 15
RENEW_SECONDS = 5.0
"""A third of the duration: two renewals may fail."""
STAND_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Leadership:
    """Whether this process may act. `began` is called each time that it may."""

    def __init__(self, client: Client, namespace: str, name: str, began: Callable[[], None]) -> None:
        self._client, self._name, self._namespace = client, name, namespace
        self._leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._began = began
        self._me = os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"
        self._renewed_at: float | None = None
        self._seen: tuple[object, object] = (None, None)
        self._seen_at = 0.0

    def leads(self) -> bool:
        """Whether the Lease is ours, and was renewed in time."""
        return self._renewed_at is not None and time.monotonic() - self._renewed_at < SECONDS

    async def run(self) -> None:
        """Stand for election, and renew, for ever."""
        while True:
            try:
                self._become(await self._hold())
            except ApiError as error:
                logger.warning("the Lease %s/%s: %s; trying again", self._namespace, self._name, error)
            await asyncio.sleep(RENEW_SECONDS if self.leads() else STAND_SECONDS)

    async def release(self) -> None:
        """Let go, if it is ours."""
        held, self._renewed_at = self.leads(), None
        if not held:
            return
        with suppress(ApiError):
            lease = await self._read()
            if lease is not None and lease["spec"].get("holderIdentity") == self._me:
                await self._write(lease, {**lease["spec"], "holderIdentity": ""})

    async def _hold(self) -> bool:
        """Take the Lease or renew it; whether it is ours. Raises `ApiError` where the server does not say."""
        lease = await self._read()
        if lease is not None and not self._may_take(lease["spec"]):
            return False
        try:
            await self._write(lease, self._spec(lease["spec"] if lease else {}))
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        return True

    def _may_take(self, spec: Document) -> bool:
        """Whether it is ours, nobody's, or has stood still for all of its duration."""
        holder, now = spec.get("holderIdentity"), time.monotonic()
        seen = (holder, spec.get("renewTime"))
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        return holder in (self._me, "", None) or now - self._seen_at > float(spec.get("leaseDurationSeconds", SECONDS))

    def _spec(self, before: Document) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        kept = before.get("holderIdentity") == self._me
        return {
            "holderIdentity": self._me,
            "leaseDurationSeconds": SECONDS,
            "acquireTime": before.get("acquireTime", now) if kept else now,
            "renewTime": now,
            "leaseTransitions": int(before.get("leaseTransitions", 0)) + (not kept),
        }

    async def _read(self) -> Document | None:
        try:
            return await self._client.get(f"{self._leases}/{self._name}")
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def _write(self, lease: Document | None, spec: Document) -> None:
        metadata = lease["metadata"] if lease else {"name": self._name, "namespace": self._namespace}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        if lease is None:
            await self._client.create(self._leases, body)
        else:
            await self._client.replace(f"{self._leases}/{self._name}", body)

    def _become(self, holds: bool) -> None:
        led = self.leads()
        self._renewed_at = time.monotonic() if holds else None
        if holds and not led:
            logger.info("%s leads", self._me)
            self._began()
        elif led and not holds:
            logger.warning("%s leads no longer", self._me)
