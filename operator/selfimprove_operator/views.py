"""What is known of the cluster: the last that was seen of each run, its Jobs and its pods, in as few bytes as will do.

Fed by watches, by lists and by the answers to our own writes, which may come in any order: a newer resourceVersion
wins. Pure bookkeeping, without I/O. Every method that takes something in says whose run it concerns, or None where it
told nothing new, so that most of what a watch brings wakes nobody.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from selfimprove_operator.names import RUN
from selfimprove_operator.observed import Observed, ObservedJob, ObservedPod, job_of, moment, pod_of

logger = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace and name of a run."""
Document = Mapping[str, Any]
Parsed = TypeVar("Parsed", ObservedJob, ObservedPod)


@dataclass(frozen=True, slots=True)
class Seen(Generic[Parsed]):
    """An object, and the version in which it was seen."""

    version: int
    what: Parsed


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the API server takes no pods of a Job, and when it said so last."""

    message: str
    at: datetime | None


class Children(Generic[Parsed]):
    """The Jobs, or the pods, of every run."""

    def __init__(self) -> None:
        self.of: dict[Key, dict[str, Seen[Parsed]]] = defaultdict(dict)

    def put(self, key: Key, version: int, found: Parsed) -> tuple[bool, Parsed | None]:
        """Whether anything is new, and what was known before."""
        old = self.of[key].get(found.name)
        if old is not None and old.version >= version:
            return False, old.what
        self.of[key][found.name] = Seen(version, found)
        return old is None or old.what != found, old.what if old else None

    def drop(self, key: Key, name: str, uid: str = "") -> bool:
        """Forget one; of a uid only that one."""
        old = self.of.get(key, {}).get(name)
        if old is None or (uid and old.what.uid != uid):
            return False
        del self.of[key][name]
        if not self.of[key]:
            del self.of[key]
        return True

    def absent(self, listed: set[tuple[Key, str]], version: int, namespace: str = "") -> Iterator[tuple[Key, str]]:
        """Those that a list of that version, of a namespace or of all (""), did not have."""
        for key, children in self.of.items():
            if namespace not in ("", key[0]):
                continue
            for name, seen in children.items():
                if (key, name) not in listed and seen.version <= version:
                    yield key, name

    def all(self, key: Key) -> tuple[Parsed, ...]:
        """Those of one run."""
        return tuple(seen.what for seen in self.of.get(key, {}).values())


@dataclass
class Views:
    """The last that was seen of everything. `gpu_resource`: the name under which nodes count their GPUs."""

    gpu_resource: str
    runs: dict[Key, dict[str, Any]] = field(default_factory=dict)
    jobs: Children[ObservedJob] = field(default_factory=Children)
    pods: Children[ObservedPod] = field(default_factory=Children)
    refusals: dict[Key, dict[str, Refusal]] = field(default_factory=lambda: defaultdict(dict))
    doomed: set[str] = field(default_factory=set)
    """The uids of runs whose namespace is being deleted."""

    def observe(self, key: Key, refused: str = "") -> Observed | None:
        """All that is known of a run; None for one that is not there."""
        run = self.runs.get(key)
        if run is None:
            return None
        doomed = run["metadata"]["uid"] in self.doomed
        return Observed(run, self.jobs.all(key), self.pods.all(key), self._standing(key), refused, doomed)

    def put_run(self, manifest: Document) -> Key | None:
        """A run as it was seen."""
        metadata = manifest["metadata"]
        key = (metadata["namespace"], metadata["name"])
        old = self.runs.get(key)
        if old is not None and version_of(old) >= version_of(manifest):
            return None
        kept = {name: value for name, value in metadata.items() if name != "managedFields"}
        new = {**manifest, "metadata": kept}
        self.runs[key] = new
        return None if old is not None and _told(old) == _told(new) else key

    def drop_run(self, key: Key, uid: str = "") -> Key | None:
        """A run is gone, and what was noted of it beside its Jobs."""
        if uid and key in self.runs and self.runs[key]["metadata"]["uid"] != uid:
            return None
        self.refusals.pop(key, None)
        gone = self.runs.pop(key, None)
        self.doomed.discard(gone["metadata"]["uid"] if gone else uid)
        return key if gone is not None else None

    def put_job(self, manifest: Document) -> Key | None:
        """A Job of ours as it was seen."""
        key, job = run_of(manifest), _read(job_of, manifest)
        if job is None:
            return None
        new, _ = self.jobs.put(key, version_of(manifest), job)
        return key if new else None

    def put_pod(self, manifest: Document) -> tuple[Key | None, ObservedPod | None]:
        """A pod of ours as it was seen; and the pod, if it was seen at work before and has ended since."""
        key, pod = run_of(manifest), _read(partial(pod_of, gpu_resource=self.gpu_resource), manifest)
        if pod is None:
            return None, None
        new, old = self.pods.put(key, version_of(manifest), pod)
        ended = pod if new and old is not None and pod.over and not old.over else None
        return (key if new else None), ended

    def drop_job(self, manifest: Document) -> Key | None:
        """A Job is gone."""
        key, name = run_of(manifest), manifest["metadata"]["name"]
        self.refusals.get(key, {}).pop(name, None)
        return key if self.jobs.drop(key, name, manifest["metadata"]["uid"]) else None

    def drop_pod(self, manifest: Document) -> Key | None:
        """A pod is gone."""
        key, metadata = run_of(manifest), manifest["metadata"]
        return key if self.pods.drop(key, metadata["name"], metadata["uid"]) else None

    def refuse(self, namespace: str, job: str, message: str, at: datetime | None) -> Key | None:
        """The API server took no pod of a Job, or not the Job itself (`at`: None)."""
        for key, jobs in self.jobs.of.items():
            if key[0] == namespace and job in jobs:
                return self.refuse_of(key, job, message, at)
        return None

    def refuse_of(self, key: Key, job: str, message: str, at: datetime | None) -> Key | None:
        """The same, for a run that is known."""
        old = self.refusals[key].get(job)
        self.refusals[key][job] = Refusal(message, at)
        return key if old is None or old.message != message else None

    def retain_runs(self, listed: Iterable[Key], version: int, namespace: str = "") -> list[Key]:
        """Forget the runs that a list, of a namespace or of all (""), did not have; those that went."""
        known = set(listed)
        old = [key for key, run in self.runs.items() if key not in known and version_of(run) <= version]
        gone = [key for key in old if namespace in ("", key[0])]
        return [key for key in gone if self.drop_run(key)]

    def counts(self) -> tuple[int, int, int]:
        """How many runs, Jobs and pods are known."""
        return len(self.runs), sum(map(len, self.jobs.of.values())), sum(map(len, self.pods.of.values()))

    def _standing(self, key: Key) -> dict[str, str]:
        """Refusals that still hold: once every index has a pod, or a pod was made since, they are history."""
        found = {}
        for job, refusal in self.refusals.get(key, {}).items():
            if refusal.at is None or not self._overcome(key, job, refusal.at):
                found[job] = refusal.message
        return found

    def _overcome(self, key: Key, job: str, since: datetime) -> bool:
        seen = self.jobs.of.get(key, {}).get(job)
        if seen is None:
            return True
        pods = [pod for pod in self.pods.all(key) if pod.is_of(job) and not pod.deleting_since]
        standing = {pod.index for pod in pods if pod.phase != "Failed"}
        newer = any(pod.created_at is not None and pod.created_at > since for pod in pods)
        return newer or len(standing) >= seen.what.completions


def _read(parse: Callable[[Document], Parsed], manifest: Document) -> Parsed | None:
    """A Job or a pod; None for one that somebody labelled as ours and that we did not make. It must end nothing."""
    try:
        return parse(manifest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        metadata = manifest["metadata"]
        place = f"{metadata.get('namespace')}/{metadata.get('name')}"
        logger.warning("%s: is labelled as ours and can't be read (%s): passed over", place, error)
        return None


def version_of(manifest: Document) -> int:
    """The resourceVersion, which grows with every change (KEP-5504 makes it comparable)."""
    return int(manifest["metadata"]["resourceVersion"])


def run_of(manifest: Document) -> Key:
    """The run that a Job or a pod works for."""
    metadata = manifest["metadata"]
    return metadata["namespace"], metadata.get("labels", {}).get(RUN, "")


def refusal_in(event: Document) -> tuple[str, str, str, datetime | None]:
    """Namespace, Job, message and time of a FailedCreate event."""
    involved = event["involvedObject"]
    when = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    message = str(event.get("message", "")).removeprefix("Error creating: ")
    return involved.get("namespace", ""), involved["name"], message, moment(when)


def _told(manifest: Document) -> tuple[Any, ...]:
    metadata = manifest["metadata"]
    named = ("uid", "generation", "deletionTimestamp", "labels")
    return (*(metadata.get(name) for name in named), manifest.get("spec"), manifest.get("status"))
