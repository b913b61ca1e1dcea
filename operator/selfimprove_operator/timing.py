"""When a step is at work and since when it waits: read off its pods at every look, and kept in its status.

It is at work while a pod of it runs and nobody holds it, and that is what counts as wall-clock time. It waits from
when the last pod ended until another one runs: for a node, an image, the Job controller's next try. Of a pod that was
evicted or deleted nothing may be left to be seen, and this process may be another one than the one that saw it: so both
moments stand in the status.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from selfimprove.api.status import StepStatus
from selfimprove.status import timestamp
from selfimprove_operator.observed import ObservedJob, ObservedPod


def timed(
    step: StepStatus,
    job: ObservedJob | None,
    pods: Sequence[ObservedPod],
    fresh: Sequence[ObservedPod],
    now: datetime,
    *,
    held: bool,
) -> tuple[StepStatus, float]:
    """The step as it stands now, and the seconds of a stretch of work that has ended since the last look.

    `pods`: of the attempt at hand and of shards that are open; `fresh`: those of the attempt that ended since the last
    look. `held`: by the user.
    """
    resting = held or (job is not None and job.suspended)
    at_work = [pod for pod in pods if pod.running_since and not pod.over] if job and not resting else []
    begun = _begun(step, job, at_work, [] if resting else fresh)  # its pods end after that stretch has been taken in
    if begun is None or step.state == "Failed":
        return step, 0.0
    if at_work:
        update = {"state": "Running", "started_at": timestamp(begun), "waiting_since": None}
        return step.model_copy(update=update), 0.0
    end = _end(begun, pods, fresh, now)
    update = {"state": "Pending", "started_at": None, "waiting_since": timestamp(end)}
    return step.model_copy(update=update), (end - begun).total_seconds()


def at_work_since(step: StepStatus) -> datetime | None:
    """Since when it is at work; None for one that is not."""
    return datetime.fromisoformat(step.started_at) if step.state == "Running" and step.started_at else None


def waits_since(step: StepStatus) -> datetime | None:
    """Since when it waits for another pod; None for one that is at work, or has not run yet."""
    return datetime.fromisoformat(step.waiting_since) if step.waiting_since else None


def _begun(
    step: StepStatus, job: ObservedJob | None, at_work: Sequence[ObservedPod], fresh: Sequence[ObservedPod]
) -> datetime | None:
    """Since when it is at work, or was until a moment ago; None where it is not and was not."""
    if (since := at_work_since(step)) is not None:
        return since
    begins = [pod.running_since for pod in at_work if pod.running_since and not pod.deleting_since]
    begins += [pod.ended.started_at for pod in fresh if pod.ended and pod.ended.started_at]
    if not begins:
        return None
    fences = (waits_since(step), job.resumed_at if job else None)
    return max([min(begins), *(fence for fence in fences if fence)])


def _end(begun: datetime, pods: Sequence[ObservedPod], fresh: Sequence[ObservedPod], now: datetime) -> datetime:
    """When the last of its pods ended: as that says itself, or when its successor was made, or else just now."""
    ends = [pod.ended.finished_at for pod in fresh if pod.ended]
    made = [pod.created_at for pod in pods if not pod.over]
    known = [moment for moment in (*ends, *made) if moment is not None and begun < moment <= now]
    return max(known, default=max(begun, now))
