"""What keeps a step from going on that is nobody's failure: shown with its remedy, gone when its cause is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from selfimprove.api.status import StepStatus
from selfimprove.errors import SURROUNDINGS
from selfimprove.failing import shortened
from selfimprove_operator.harvest import explain
from selfimprove_operator.observed import ObservedJob, ObservedPod
from selfimprove_operator.origins import Origins
from selfimprove_operator.remedies import refused, refused_keys, unscheduled, waiting
from selfimprove_operator.timing import waits_since

PATIENCE = timedelta(seconds=20)
"""How long a pod may look for a node before anybody is told."""
HEALED = timedelta(seconds=60)
"""By so much a pod has to outlast every one before it to have got over what ended them, whatever they waited for."""
AT_WORK = timedelta(minutes=15)
"""A pod that ran for longer had long begun its work: what ended it came later, and took no longer than this."""
STUCK = timedelta(minutes=5)
"""Past its grace, a pod that is still terminating sits on a node that no longer answers."""
MOST_IGNORED = 10
BY_ITSELF = "once that is mended it goes on by itself"
"""How what a worker said of its surroundings ends."""
_LONGEST = 400
"""Bytes of what somebody else said."""


def trouble_of(
    pods: Sequence[ObservedPod],
    refusal: str,
    done: frozenset[int],
    origins: Origins,
    now: datetime,
    since: datetime | None = None,
) -> str | None:
    """The first thing that a person should mend, in one line; None where all is well.

    `done`: shards that are. `since`: when the run was let go on last; what pods said at their ends before is history.
    """
    if refusal:
        return refused(refusal, origins)
    open_pods = [pod for pod in pods if pod.index not in done]
    for pod in open_pods:
        if not pod.over and (pod.waiting or _looks_long(pod, now)):
            return _waits(pod, origins)
    for index in sorted({pod.index for pod in open_pods}):
        if message := _surroundings([pod for pod in open_pods if pod.index == index], now, since):
            return f"{message}{refused_keys(message, origins)}; {BY_ITSELF}"
    return None


def no_progress(step: StepStatus, pods: Sequence[ObservedPod]) -> str | None:
    """The message when pods end again and again without a failure and without getting further.

    One eviction of every shard is many ends and no trouble, so the limit is one for each shard that is still open.
    """
    if (step.ignored or 0) < MOST_IGNORED * max(step.shards - step.shards_done, 1):
        return None
    last = next((pod.ended_by for pod in reversed(pods) if pod.ended_by), "")
    return (
        f"NoProgress: its pods were stopped {step.ignored} times in a row without one more prompt done"
        f"{f' (the last time: {shortened(last, _LONGEST)})' if last else ''}; give them nodes that last longer"
    )


def never_started(
    step: StepStatus,
    job: ObservedJob,
    pods: Sequence[ObservedPod],
    refusal: str,
    deadline: int,
    origins: Origins,
    now: datetime,
) -> str | None:
    """The message when no pod could start within `execution.pendingDeadlineSeconds`, counted from when the last one
    ended; time in a queue does not count.
    """
    if job.suspended or job.ended or job.started_at is None or any(pod.running_since and not pod.over for pod in pods):
        return None
    ends = [pod.ended.finished_at for pod in pods if pod.ended and pod.ended.finished_at]
    since = max(job.started_at, waits_since(step) or job.started_at, *ends)
    if now - since <= timedelta(seconds=deadline):
        return None
    reasons = [refused(refusal, origins)] if refusal else []
    reasons += [_waits(pod, origins) for pod in pods if not pod.over]
    reason = next(iter(reasons), f"no pod was made; see kubectl describe job -n {origins.namespace} {job.name}")
    return f"no pod could start for execution.pendingDeadlineSeconds {deadline}: {reason}"


def stuck(pods: Sequence[ObservedPod], done: frozenset[int], now: datetime) -> bool:
    """Whether a pod of an open shard can't end because its node does not answer."""
    return any(not pod.over and pod.index not in done and out_of_reach(pod, now) for pod in pods)


def out_of_reach(pod: ObservedPod, now: datetime) -> bool:
    """Whether a pod should have ended long ago: its node does not answer."""
    return pod.deleting_since is not None and now - pod.deleting_since > STUCK


def outlasted(pods: Sequence[ObservedPod], since: datetime, now: datetime) -> bool:
    """Whether a step is at work for longer than its surroundings took to end a pod: in every shard where they did, as
    far as such pods are still there. `since`: when it began to work.
    """
    broken = {pod.index for pod in pods if _broke(pod)}
    if not broken:
        return now - since > HEALED + AT_WORK
    return all(_outlasted([pod for pod in pods if pod.index == index], now) for index in broken)


def _looks_long(pod: ObservedPod, now: datetime) -> bool:
    return bool(pod.unscheduled) and pod.created_at is not None and now - pod.created_at > PATIENCE


def _waits(pod: ObservedPod, origins: Origins) -> str:
    if pod.waiting or not pod.unscheduled:
        return waiting(pod, origins)
    return unscheduled(pod, origins)


def _surroundings(pods: Sequence[ObservedPod], now: datetime, since: datetime | None) -> str | None:
    """What the last ended pod of a shard said of its surroundings, until another one has outlasted those before it."""
    ended = sorted((pod for pod in pods if pod.ended and pod.ended.finished_at), key=_finished)
    if not ended or not _broke(ended[-1]) or _outlasted(pods, now):
        return None
    if since is not None and _finished(ended[-1]) <= since:
        return None
    return explain(ended[-1])


def _outlasted(pods: Sequence[ObservedPod], now: datetime) -> bool:
    """Whether a pod of a shard has run for longer than any that its surroundings ended."""
    time = HEALED + min(max(map(_struggle, pods)), AT_WORK)
    return any(not pod.over and pod.running_since and now - pod.running_since > time for pod in pods)


def _broke(pod: ObservedPod) -> bool:
    """Whether its surroundings ended a pod."""
    return pod.ended is not None and pod.ended.exit_code == SURROUNDINGS


def _struggle(pod: ObservedPod) -> timedelta:
    """How long a pod ran until its surroundings ended it."""
    end = pod.ended
    if end is None or not _broke(pod) or end.started_at is None or end.finished_at is None:
        return timedelta()
    return end.finished_at - end.started_at


def _finished(pod: ObservedPod) -> datetime:
    assert pod.ended is not None and pod.ended.finished_at is not None
    return pod.ended.finished_at
