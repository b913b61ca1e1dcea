"""What to do with the Jobs of a run, as a table: the first row whose question is answered yes decides.

A row sees the situation after the decision and says how the step at hand stands; `actions_of` turns that into calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from selfimprove.api.installation import Defaults
from selfimprove.api.spec import Spec
from selfimprove.api.status import Status, StepStatus, condition_of
from selfimprove.artifacts.keys import step_folder
from selfimprove.loop import Step, Stop, too_often
from selfimprove.status_ledger import step_of
from selfimprove_operator import trouble
from selfimprove_operator.actions import Action, CreateJob, DeleteJob, ExpireJob, StopJob, SuspendJob
from selfimprove_operator.harvest import counts, explain, is_final
from selfimprove_operator.jobs import LET_GO_SECONDS, job_for, settings_digest
from selfimprove_operator.observed import ObservedJob, ObservedPod
from selfimprove_operator.origins import Origins
from selfimprove_operator.timing import at_work_since, waits_since

OVERDUE = timedelta(minutes=1)
"""A Job that does not say by then that it failed will not do so."""


@dataclass(frozen=True)
class Situation:
    """How things stand, the decision taken."""

    run: Mapping[str, Any]
    previous: Status | None
    """The status as it was before this look."""
    spec: Spec
    defaults: Defaults
    run_uri: str
    decision: Step | Stop
    step: StepStatus | None
    """The step at hand, the one that failed, or one that is left and still stops."""
    jobs: Sequence[ObservedJob]
    pods: Sequence[ObservedPod]
    """Of every attempt at the step at hand."""
    refusal: str
    done: frozenset[int]
    finished: frozenset[str]
    """Steps that are wholly done."""
    lost: bool
    now: datetime

    @property
    def job(self) -> ObservedJob | None:
        """The Job of the attempt at hand, if it is there."""
        return next((job for job in self.jobs if self.step and job.name == self.step.job), None)

    @property
    def at_hand(self) -> bool:
        """Whether the step is the one to do now."""
        return self.step is not None and isinstance(self.decision, Step) and self.decision.id.name == self.step.name

    @property
    def attempt_pods(self) -> list[ObservedPod]:
        """The pods of the attempt at hand."""
        return [pod for pod in self.pods if self.step and pod.attempt == self.step.attempt]

    @property
    def let_go_at(self) -> datetime | None:
        """When a run that was held was let go on last, by its status; just now, where that still calls it held."""
        held = condition_of(self.previous, "Suspended")
        if self.previous is None or held is None or not self.previous.counters.suspensions:
            return None
        return self.now if held.status == "True" else datetime.fromisoformat(held.last_transition_time)

    @property
    def origins(self) -> Origins:
        """The fields that the Job at hand is made from."""
        assert self.step is not None
        return Origins(self.spec, self.defaults, step_of(self.step.name), self.run["metadata"]["namespace"])

    @property
    def queued(self) -> bool:
        """Whether Kueue decides when Jobs run."""
        return self.spec.execution.queue_name is not None


@dataclass(frozen=True)
class Verdict:
    """How the step at hand stands."""

    step: StepStatus | None
    running_since: datetime | None = None
    trouble: str | None = None
    fatal: str | None = None
    """The step failed for good, with this message."""
    suspended_now: int = 0
    """Times that this look saw the step put on hold."""


def decide(situation: Situation) -> Verdict:
    """How the step at hand stands."""
    step = situation.step
    if step is None or not situation.at_hand:
        return Verdict(step)
    return next(verdict for row in ROWS if (verdict := row(situation, step)) is not None)


def actions_of(situation: Situation, verdict: Verdict) -> tuple[Action, ...]:
    """What makes the cluster so: the step's Job made or held, everything else let go."""
    return (*_on_the_job(situation, verdict), *_on_others(situation, verdict))


def next_attempt(step: StepStatus) -> StepStatus:
    """The step as its next attempt begins."""
    attempt = step.attempt + 1
    job = f"{step.job.rpartition('-')[0]}-{attempt}" if step.job else None
    untimed = {"started_at": None, "waiting_since": None}
    return step.model_copy(update={"state": "Pending", "attempt": attempt, "job": job, **untimed})


def failed(step: StepStatus, message: str | None) -> StepStatus:
    """The step as it stands for good: it is not at work any more, whatever of it still stops."""
    untimed = {"started_at": None, "waiting_since": None}
    return step.model_copy(update={"state": "Failed", "message": message, **untimed})


Row = Callable[[Situation, StepStatus], Verdict | None]


def _held(situation: Situation, step: StepStatus) -> Verdict | None:
    """The user holds the run. Under Kueue, whose Jobs nobody else may suspend, the next attempt goes on later."""
    if not situation.spec.suspend:
        return None
    held = _put_on_hold(step)
    return replace(held, step=next_attempt(step)) if situation.queued and situation.job is not None else held


def _wrong(situation: Situation, step: StepStatus) -> Verdict | None:
    """A pod said that no retry can help; the Job's own verdict comes a second later."""
    for pod in situation.attempt_pods:
        if is_final(pod):
            return Verdict(step, fatal=explain(pod))
    return None


def _job_failed(situation: Situation, step: StepStatus) -> Verdict | None:
    """The Job gave up: too many failures of a shard, or its deadline."""
    job = situation.job
    if job is None or job.ended != "Failed":
        return None
    if job.reason == "DeadlineExceeded":
        field = situation.origins.to_give("activeDeadlineSeconds")
        longer = f"it ran longer than {job.deadline} s" if job.deadline else "its Job ran out of its time"
        return Verdict(step, fatal=f"{field}: {longer}; give more{_log(situation, step)}")
    limit = situation.spec.execution.backoff_limit
    last = step.message or job.message or job.reason
    return Verdict(step, fatal=too_often(step.failures or 1, limit, last))


def _log(situation: Situation, step: StepStatus) -> str:
    """Where the log of a step lies whose pods are gone, once one has run: a deadline leaves none of those that ran."""
    if at_work_since(step) is None and waits_since(step) is None:
        return ""
    shard = min(set(range(step.shards)) - situation.done, default=0)
    return f" (log: under {situation.run_uri}/{step_folder(step_of(step.name), shard)})"


def _no_progress(situation: Situation, step: StepStatus) -> Verdict | None:
    message = trouble.no_progress(step, situation.attempt_pods)
    return Verdict(step, fatal=message) if message else None


def _never_started(situation: Situation, step: StepStatus) -> Verdict | None:
    if situation.job is None:
        return None
    deadline = situation.spec.execution.pending_deadline_seconds
    message = trouble.never_started(
        step, situation.job, situation.attempt_pods, situation.refusal, deadline, situation.origins, situation.now
    )
    return Verdict(step, fatal=message) if message else None


def _outcome_lost(situation: Situation, step: StepStatus) -> Verdict | None:
    """It did its work and its last word is lost: the next attempt finds the manifest and answers at once."""
    return Verdict(next_attempt(step)) if situation.lost else None


def _mended(situation: Situation, step: StepStatus) -> Verdict | None:
    """It waits for something to be mended, and the user has changed what its pods are made with."""
    job = situation.job
    if job is None or job.ended or job.settings in ("", settings_digest(situation.spec, step_of(step.name))):
        return None
    return Verdict(next_attempt(step)) if _trouble(situation) else None


def _stuck(situation: Situation, step: StepStatus) -> Verdict | None:
    """A pod on a node that no longer answers blocks its shard for ever."""
    return Verdict(next_attempt(step)) if trouble.stuck(situation.attempt_pods, situation.done, situation.now) else None


def _vanished(situation: Situation, step: StepStatus) -> Verdict | None:
    """A Job that was seen at work is gone, or going."""
    job = situation.job
    gone = job is None and step.waiting_since is not None
    return Verdict(next_attempt(step)) if gone or (job is not None and job.deleting) else None


def _evicted(situation: Situation, step: StepStatus) -> Verdict | None:
    """Kueue took the step's place away; it gives it another in its own time."""
    job = situation.job
    if job is None or not (job.queued and job.suspended):
        return None
    return _put_on_hold(step)


def _put_on_hold(step: StepStatus) -> Verdict:
    """A step that had run waits for nothing from now on: it is counted once that it was held."""
    waited = step.waiting_since is not None
    return Verdict(step.model_copy(update={"state": "Pending", "waiting_since": None}), suspended_now=int(waited))


def _at_work(situation: Situation, step: StepStatus) -> Verdict:
    """It goes on, or waits for what keeps it."""
    return Verdict(step, at_work_since(step), _trouble(situation))


def _trouble(situation: Situation) -> str | None:
    return trouble.trouble_of(
        situation.attempt_pods,
        situation.refusal,
        situation.done,
        situation.origins,
        situation.now,
        since=situation.let_go_at,
    )


ROWS: tuple[Row, ...] = (
    _held,
    _wrong,
    _job_failed,
    _no_progress,
    _never_started,
    _outcome_lost,
    _mended,
    _stuck,
    _vanished,
    _evicted,
    _at_work,
)


def _on_the_job(situation: Situation, verdict: Verdict) -> Iterator[Action]:
    """The Job of the attempt that the verdict names."""
    step = verdict.step
    if step is None or not situation.at_hand:
        return
    job = next((job for job in situation.jobs if job.name == step.job), None)
    if job is None and not situation.spec.suspend:
        yield CreateJob(_manifest(situation, step))
    elif job is not None and not job.queued and job.suspended != situation.spec.suspend and not job.ended:
        yield SuspendJob(job.name, situation.spec.suspend)


def _on_others(situation: Situation, verdict: Verdict) -> Iterator[Action]:
    """Jobs whose outcome is taken expire; those of an attempt that is given up go; that of a step that failed, or that
    the run ended without, ends.
    """
    current = verdict.step.job if verdict.step and situation.at_hand else None
    for job in situation.jobs:
        if job.name == current or job.deleting:
            continue
        if not job.ended and job.step not in situation.finished and not _ends_by_itself(situation, job):
            yield from _ended(situation, job)
        elif not job.has_ttl:
            yield ExpireJob(job.name, situation.spec.execution.ttl_seconds_after_finished)


def _ended(situation: Situation, job: ObservedJob) -> Iterator[Action]:
    """A Job that would go on. Where the run is over, it and its pods are kept with their logs: a person wants to know
    why. A deadline ends no Job that has not begun.
    """
    if isinstance(situation.decision, Step) or job.suspended or job.started_at is None:
        yield DeleteJob(job.name, job.uid)
    elif job.deadline != LET_GO_SECONDS:
        yield StopJob(job.name, situation.spec.execution.ttl_seconds_after_finished)


def _ends_by_itself(situation: Situation, job: ObservedJob) -> bool:
    """Whether its pods failed in a way that fails a Job: it says so itself a moment later, with the better reason."""
    pods = [pod for pod in situation.pods if pod.job == job.name]
    failures = Counter(pod.index for pod in pods if counts(pod, job))
    if not (any(is_final(pod) for pod in pods) or max(failures.values(), default=0) > job.retries):
        return False
    ends = [pod.ended.finished_at for pod in pods if pod.ended and pod.ended.finished_at]
    return situation.now - max(ends, default=situation.now) < OVERDUE


def _manifest(situation: Situation, step: StepStatus) -> dict[str, Any]:
    together = [step_of(name) for name in step.together or ()]
    return job_for(
        situation.run,
        situation.spec,
        situation.defaults,
        situation.run_uri,
        step_of(step.name),
        together,
        step.attempt,
    )
