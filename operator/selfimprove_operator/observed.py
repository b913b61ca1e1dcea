"""What the cluster shows of a run, parsed once from the API's objects, so that decisions read fields and not dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from selfimprove_operator.names import ATTEMPT, INDEX, ITERATION, SETTINGS, SPLIT, STEP

Manifest = Mapping[str, Any]
OUT_OF_MEMORY = "OOMKilled"
"""The reason of a container that took more memory than it may."""
_KILLED = 137
"""By SIGKILL: of a pod that is deleted, once its grace is over."""


@dataclass(frozen=True)
class Ended:
    """How a container ended."""

    exit_code: int
    message: str
    started_at: datetime | None
    finished_at: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class ObservedPod:
    """A pod of one of the run's Jobs."""

    name: str
    uid: str
    step: str
    """As the ledger names it."""
    attempt: int
    index: int
    phase: str
    created_at: datetime | None
    job: str = ""
    """The name of the Job that made it."""
    gpus: int = 0
    ended: Ended | None = None
    running_since: datetime | None = None
    waiting: str = ""
    """Why its container does not start: the kubelet's reason and message."""
    unscheduled: str = ""
    """Why no node takes it: the scheduler's message."""
    disrupted: bool = False
    ended_by: str = ""
    """What ended it as a whole, whatever its container says: the kubelet that took it not, or who disrupted it."""
    deleting_since: datetime | None = None
    """When its grace is over."""
    told_to_go_at: datetime | None = None
    """When somebody asked for its deletion."""

    @property
    def succeeded(self) -> bool:
        """Whether it did its work. The container's end is told a moment before the pod's phase changes."""
        done = self.ended is not None and self.ended.exit_code == 0
        return self.phase == "Succeeded" or (done and self.phase != "Failed")

    def is_of(self, job: str) -> bool:
        """Whether a Job made it."""
        return self.name.startswith(f"{job}-")

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.phase in ("Succeeded", "Failed") or self.ended is not None

    @property
    def never_ran(self) -> bool:
        """Whether it was deleted before its container ran: the kubelet gives it an end all the same, of code 137."""
        return self.deleting_since is not None and (self.ended is None or self.ended.started_at is None)

    @property
    def removed(self) -> bool:
        """Whether its deletion ended it and not its own work: before it ran, or by SIGKILL once its grace was over."""
        if self.deleting_since is None or self.ended is None:
            return self.never_ran
        killed = self.ended.exit_code == _KILLED and self.ended.reason != OUT_OF_MEMORY
        return killed or self.never_ran


@dataclass(frozen=True)
class ObservedJob:
    """One of the run's Jobs."""

    name: str
    uid: str
    owner: str
    step: str
    """As the ledger names it: `i002-verify`."""
    started_at: datetime | None = None
    suspended: bool = False
    resumed_at: datetime | None = None
    """When it was let go on last, if it ever was suspended."""
    queued: bool = False
    """Kueue decides when it runs."""
    deleting: bool = False
    completions: int = 1
    retries: int = 0
    """Failures of an index that it takes."""
    deadline: int | None = None
    """Seconds that it may run."""
    settings: str = ""
    """A digest of the user's settings that it was made with."""
    has_ttl: bool = False
    ended: str = ""
    """Complete or Failed, once it is."""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Observed:
    """One look at a run: itself, its Jobs, their pods, and what events said of pods that could not be made."""

    run: Manifest
    jobs: Sequence[ObservedJob] = ()
    pods: Sequence[ObservedPod] = ()
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Job -> why the API server took none of its pods (quota, Pod Security)."""
    refused: str = ""
    """What the API server had against one of the run's Jobs when it was asked in a dry run."""
    doomed: bool = False
    """Its namespace is being deleted: nothing can be made there any more."""


def job_of(manifest: Manifest) -> ObservedJob:
    """A Job as the API gives it."""
    metadata, spec, status = manifest["metadata"], manifest.get("spec", {}), manifest.get("status", {})
    labels = metadata.get("labels", {})
    all_conditions = {c["type"]: c for c in status.get("conditions") or []}
    conditions = {type: condition for type, condition in all_conditions.items() if condition["status"] == "True"}
    held = all_conditions.get("Suspended", {})
    end = conditions.get("Complete") or conditions.get("Failed") or conditions.get("FailureTarget") or {}
    return ObservedJob(
        name=metadata["name"],
        uid=metadata["uid"],
        owner=_owner(metadata).get("uid", ""),
        step=_step_name(labels),
        started_at=moment(status.get("startTime")),
        suspended=bool(spec.get("suspend")),
        resumed_at=moment(held.get("lastTransitionTime")) if held.get("status") == "False" else None,
        queued="kueue.x-k8s.io/queue-name" in labels,
        deleting=bool(metadata.get("deletionTimestamp")),
        settings=(metadata.get("annotations") or {}).get(SETTINGS, ""),
        completions=int(spec.get("completions") or 1),
        retries=int(spec.get("backoffLimitPerIndex") or 0),
        deadline=spec.get("activeDeadlineSeconds"),
        has_ttl=spec.get("ttlSecondsAfterFinished") is not None,
        ended={"Complete": "Complete"}.get(end.get("type", ""), "Failed" if end else ""),
        reason=end.get("reason", ""),
        message=end.get("message", ""),
    )


def pod_of(manifest: Manifest, gpu_resource: str) -> ObservedPod:
    """A worker pod as the API gives it. `gpu_resource`: the name under which nodes count their GPUs."""
    metadata, spec, status = manifest["metadata"], manifest.get("spec", {}), manifest.get("status", {})
    labels = metadata.get("labels", {})
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    container: Manifest = next(iter(status.get("containerStatuses") or []), {})
    state = container.get("state") or {}
    sidecars = status.get("initContainerStatuses") or []
    scheduled, disruption = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    return ObservedPod(
        name=metadata["name"],
        uid=metadata["uid"],
        step=_step_name(labels),
        attempt=int(labels.get(ATTEMPT, 0)),
        index=int((metadata.get("annotations") or {}).get(INDEX) or labels.get(INDEX) or 0),
        phase=status.get("phase", "Pending"),
        created_at=moment(metadata.get("creationTimestamp")),
        job=_owner(metadata).get("name", ""),
        gpus=sum(_gpus(container_spec, gpu_resource) for container_spec in spec.get("containers", [])),
        ended=_ended(state.get("terminated")),
        running_since=moment((state.get("running") or {}).get("startedAt")),
        waiting=next(filter(None, map(_waiting, [*sidecars, container])), ""),
        unscheduled=scheduled.get("message", "") if scheduled.get("status") == "False" else "",
        disrupted=disruption.get("status") == "True",
        ended_by=_said(status) or disruption.get("message", ""),
        deleting_since=(deleting := moment(metadata.get("deletionTimestamp"))),
        told_to_go_at=deleting and deleting - timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0),
    )


def _owner(metadata: Manifest) -> Manifest:
    """Who made an object and looks after it: of a pod its Job, of a Job its run."""
    return next((owner for owner in metadata.get("ownerReferences") or [] if owner.get("controller")), {})


def _step_name(labels: Manifest) -> str:
    return "-".join(filter(None, (f"i{int(labels.get(ITERATION, 0)):03d}", labels.get(STEP), labels.get(SPLIT))))


def moment(text: str | None) -> datetime | None:
    """A time as the API writes it."""
    return datetime.fromisoformat(text) if text else None


def _ended(terminated: Manifest | None) -> Ended | None:
    if terminated is None:
        return None
    return Ended(
        exit_code=int(terminated.get("exitCode", 1)),
        message=terminated.get("message", ""),
        started_at=_begun(terminated.get("startedAt")),
        finished_at=moment(terminated.get("finishedAt")),
        reason=terminated.get("reason", ""),
    )


def _begun(text: str | None) -> datetime | None:
    """When a container began; None where it never did (StartError), which the kubelet writes as the year 1970."""
    begun = moment(text)
    return begun if begun is not None and begun.timestamp() > 0 else None


def _gpus(container: Manifest, resource: str) -> int:
    limits = (container.get("resources") or {}).get("limits") or {}
    return int(parse_quantity(limits.get(resource, 0)))  # type: ignore[no-untyped-call]


def _waiting(container: Manifest) -> str:
    """What keeps a container from starting; empty where nothing is wrong."""
    waiting = (container.get("state") or {}).get("waiting") or {}
    return _said(waiting) if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing") else ""


def _said(state: Manifest) -> str:
    return ": ".join(filter(None, (state.get("reason"), state.get("message"))))
