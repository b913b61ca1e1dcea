"""The calls that the operator makes, and no others: what its role must allow is read off this file.

Every delete names its propagation policy, every status write is fenced by the resourceVersion that the decision saw
(design section 5: without it an apply could write an old ledger into a run made again under its name).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from selfimprove.api.spec import GROUP, KIND, PLURAL, VERSION
from selfimprove.api.status import Status
from selfimprove_operator.actions import Action, CreateJob, DeleteJob, Event, ExpireJob, StopJob, SuspendJob
from selfimprove_operator.client import APPLY, MERGE, ApiError, Client, Document
from selfimprove_operator.jobs import LET_GO_SECONDS
from selfimprove_operator.names import MANAGED_BY, MANAGER, RUN_UID

FIELD_MANAGER = "selfimprove-operator"
OURS = f"{MANAGED_BY}={MANAGER}"
"""Selects our Jobs and pods, on the server's side."""
_PAGE = 250
_QUOTA = "exceeded quota"
_RUNS, _JOBS, _PODS = f"/apis/{GROUP}/{VERSION}", "/apis/batch/v1", "/api/v1"

Run = Mapping[str, Any]


class Cluster:
    """The API server, as the operator uses it. Methods raise `ApiError`."""

    def __init__(self, client: Client, namespaces: Sequence[str] = ()) -> None:
        self._client = client
        self.namespaces = tuple(namespaces) or ("",)
        """Those that are looked after; "" is all of them."""

    async def write_status(self, run: Run, status: Status) -> Document:
        """The run with its new status. A 409 means that it has changed since it was seen.

        What is empty is left out: an apply that empties a map leaves null in it, which the schema refuses.
        """
        metadata = run["metadata"]
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"name": metadata["name"], "resourceVersion": metadata["resourceVersion"]},
            "status": {name: value for name, value in status.to_json().items() if value not in ({}, [])},
        }
        path = f"{_path(_RUNS, metadata['namespace'], PLURAL, metadata['name'])}/status"
        return await self._client.patch(path, body, APPLY, fieldManager=FIELD_MANAGER, force="true")

    async def run(self, namespace: str, name: str) -> Document | None:
        """A run as it is now; None where there is none."""
        return await self._named(_RUNS, namespace, PLURAL, name)

    async def act(self, namespace: str, action: Action) -> Document | None:
        """Carry out one action; the Job that came of it, where there is one."""
        match action:
            case CreateJob(manifest):
                return await self.create_job(manifest)
            case DeleteJob(name, uid):
                await self._delete(namespace, name, uid)
                return None
            case SuspendJob(name, suspend):
                return await self._patch(namespace, name, {"suspend": suspend})
            case ExpireJob(name, seconds):
                return await self._patch(namespace, name, {"ttlSecondsAfterFinished": seconds})
            case StopJob(name, seconds):
                ended = {"activeDeadlineSeconds": LET_GO_SECONDS, "ttlSecondsAfterFinished": seconds}
                return await self._patch(namespace, name, ended)

    async def create_job(self, manifest: Mapping[str, Any]) -> Document | None:
        """The new Job, or the run's own that has this name already; None where another's stands in its way."""
        metadata = manifest["metadata"]
        path = _path(_JOBS, metadata["namespace"], "jobs")
        try:
            return await self._client.create(path, manifest, fieldManager=FIELD_MANAGER)
        except ApiError as error:
            if error.status != 409:
                raise
        found = await self._named(_JOBS, metadata["namespace"], "jobs", metadata["name"])
        if found is None or "deletionTimestamp" in found["metadata"] or _owner(found) != _owner(manifest):
            return None
        return found

    async def refusal_of(self, manifest: Mapping[str, Any]) -> ApiError | None:
        """What the server has against a Job, asked in a dry run that lets no unknown field pass; None where it would
        take it.

        A quota that is full is the moment's fault, not the run's: the Job itself is refused when it comes to it.
        """
        path = _path(_JOBS, manifest["metadata"]["namespace"], "jobs")
        asked = {"fieldManager": FIELD_MANAGER, "dryRun": "All", "fieldValidation": "Strict"}
        try:
            await self._client.create(path, manifest, **asked)
        except ApiError as error:
            if error.transient:
                raise
            return None if error.status == 409 or _QUOTA in error.message else error
        return None

    async def is_going(self, namespace: str) -> bool:
        """Whether a namespace is being deleted: told by an event in a dry run, without a right to see namespaces."""
        involved = {"kind": KIND, "namespace": namespace}
        body = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": FIELD_MANAGER}, "involvedObject": involved}
        try:
            await self._client.create(_path(_PODS, namespace, "events"), body, dryRun="All")
        except ApiError as error:
            if error.transient:
                raise
            return error.namespace_goes
        return False

    async def post_event(self, run: Run, event: Event) -> None:
        """One line for `kubectl describe`, which shows those of one second in the order of their names."""
        metadata = run["metadata"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{time.time_ns():016x}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": KIND,
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:1024],
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": FIELD_MANAGER,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._client.create(_path(_PODS, metadata["namespace"], "events"), body)

    def runs(self, namespace: str) -> AsyncIterator[tuple[str, list[Document]]]:
        """Every run of a namespace, or of all (""), in pages."""
        return self._pages(_path(_RUNS, namespace, PLURAL))

    def jobs(self, namespace: str) -> AsyncIterator[tuple[str, list[Document]]]:
        """Every Job of ours in a namespace, or in all (""), in pages."""
        return self._pages(_path(_JOBS, namespace, "jobs"), OURS)

    def pods(self, namespace: str) -> AsyncIterator[tuple[str, list[Document]]]:
        """Every pod of ours in a namespace, or in all (""), in pages."""
        return self._pages(_path(_PODS, namespace, "pods"), OURS)

    async def children(self, run: Run) -> tuple[list[Document], list[Document]]:
        """The run's Jobs and pods as they are now."""
        metadata = run["metadata"]
        selected = f"{OURS},{RUN_UID}={metadata['uid']}"
        jobs = await self._client.get(_path(_JOBS, metadata["namespace"], "jobs"), labelSelector=selected)
        pods = await self._client.get(_path(_PODS, metadata["namespace"], "pods"), labelSelector=selected)
        return jobs["items"], pods["items"]

    async def answers(self) -> bool:
        """Whether the API server can be reached at all."""
        try:
            await self._client.get("/version")
        except ApiError as error:
            return not error.transient
        return True

    async def _named(self, base: str, namespace: str, plural: str, name: str) -> Document | None:
        """One object, by a list of one: so the operator's role needs no right to `get`."""
        path = _path(base, namespace, plural)
        items = (await self._client.get(path, fieldSelector=f"metadata.name={name}"))["items"]
        return items[0] if items else None

    async def _pages(self, path: str, labels: str = "") -> AsyncIterator[tuple[str, list[Document]]]:
        token, selected = "", {"labelSelector": labels} if labels else {}
        while True:
            page = await self._client.get(path, limit=_PAGE, **selected, **({"continue": token} if token else {}))
            yield page["metadata"]["resourceVersion"], page["items"]
            token = page["metadata"].get("continue") or ""
            if not token:
                break

    async def _patch(self, namespace: str, name: str, spec: Mapping[str, Any]) -> Document | None:
        """A Job that is gone needs no patch."""
        try:
            return await self._client.patch(
                _path(_JOBS, namespace, "jobs", name), {"spec": spec}, MERGE, fieldManager=FIELD_MANAGER
            )
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def _delete(self, namespace: str, name: str, uid: str) -> None:
        """Gone already, or another's by now: both are as good."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        try:
            await self._client.delete(_path(_JOBS, namespace, "jobs", name), {**body, "preconditions": {"uid": uid}})
        except ApiError as error:
            if error.status not in (404, 409):
                raise


def _path(base: str, namespace: str, plural: str, name: str = "") -> str:
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{base}{scope}/{plural}" + (f"/{name}" if name else "")


def _owner(job: Mapping[str, Any]) -> str:
    owners = job["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")
