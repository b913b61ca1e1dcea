"""One look at a run, and what to do about it: (run, its Jobs, their pods, now) -> status, actions, events.

Pure and level-triggered: no clock, no I/O, no memory but the status, so that it may be called at any moment, twice, or
by another process after this one died, and always goes on from where things stand. Which step is next is decided by
`loop.next_step`, as on one machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from selfimprove.api.installation import Defaults
from selfimprove.api.spec import Run, Spec
from selfimprove.api.status import Status, StepStatus
from selfimprove.failing import shortened
from selfimprove.ledger import Ledger
from selfimprove.loop import Step, Stop, next_step, shards_of
from selfimprove.status import Activity, is_leaving, status_of
from selfimprove.status_ledger import ledger_of_status, step_of, to_ranges
from selfimprove_operator import policy, trouble
from selfimprove_operator.acceptance import Accepted, Refused, accept
from selfimprove_operator.actions import Action, CreateJob, DeleteJob, Outcome
from selfimprove_operator.events import events_between
from selfimprove_operator.harvest import Harvest, cleared, harvest, known_of
from selfimprove_operator.healing import unproven
from selfimprove_operator.jobs import colocated, job_name_of
from selfimprove_operator.names import attempt_of, is_named_by_us
from selfimprove_operator.observed import Observed, ObservedJob, ObservedPod
from selfimprove_operator.policy import Situation
from selfimprove_operator.timing import at_work_since

GO_ON = (
    "once it is mended, set spec.suspend to true and, when the run shows Suspended, to false; a field that is fixed "
    "needs a run of another name"
)
"""How a run that failed in a cluster goes on."""
_LONGEST = 850
"""Bytes of why it failed: with the above it has to fit a message."""


def reconcile(observed: Observed, defaults: Defaults, now: datetime) -> Outcome:
    """What to write and to do. `defaults`: the installation's, for a run that is not accepted yet."""
    if observed.run["metadata"].get("deletionTimestamp"):
        return Outcome(None)
    if observed.doomed:
        return Outcome(None, _let_go(observed))
    found = accept(observed, defaults, now)
    if isinstance(found, Refused):
        return _outcome(found.status, found.previous, ())
    view = _view(observed, found, now)
    ledger, step, decision = _settled(view)
    situation = _situation(view, ledger, step, decision)
    verdict = policy.decide(situation)
    if verdict.fatal is not None and step is not None:
        ledger = ledger.with_fatal(step_of(step.name), verdict.fatal)
        decision = next_step(view.spec, ledger)
        step = policy.failed(step, verdict.fatal)
        situation = _situation(view, ledger, step, decision)
        verdict = policy.decide(situation)
    status = _status(view, ledger, decision, verdict)
    disrupted = view.harvested.disrupted if view.harvested else ""
    return _outcome(status, found.previous, policy.actions_of(situation, verdict), disrupted)


def _let_go(observed: Observed) -> tuple[Action, ...]:
    """Every Job of the run removed, in a namespace that is being deleted.

    The Job controller keeps a stopped pod until it has made its successor (`backoffLimitPerIndex`), which can't be made
    any more, and the namespace removes Jobs after pods: neither would ever go.
    """
    uid = observed.run["metadata"]["uid"]
    return tuple(DeleteJob(job.name, job.uid) for job in observed.jobs if job.owner == uid and not job.deleting)


@dataclass(frozen=True)
class View:
    """What is at hand for the decision."""

    observed: Observed
    accepted: Accepted
    now: datetime
    jobs: tuple[ObservedJob, ...]
    """The run's own: those of a run of the same name before it are not."""
    harvested: Harvest | None
    ledger: Ledger
    news: bool
    """Whether anything came since the status was written: of the step's pods, or of the user."""

    @property
    def leaves(self) -> bool:
        """Whether the step that the status shows was being left, and not worked on."""
        return self.accepted.previous is not None and is_leaving(self.accepted.previous)

    @property
    def run(self) -> Run:
        """The run as it was written."""
        return self.accepted.run

    @property
    def spec(self) -> Spec:
        """The resolved spec."""
        return self.accepted.spec

    def pods(self, step: str) -> tuple[ObservedPod, ...]:
        """The pods of every attempt at a step: those that the run's own Jobs made, whoever else has their labels."""
        run, id = self.observed.run, step_of(step)
        found = (pod for pod in self.observed.pods if pod.step == step)
        return tuple(pod for pod in found if pod.job == job_name_of(run, id, pod.attempt))


def _view(observed: Observed, accepted: Accepted, now: datetime) -> View:
    """The ledger that the status keeps, and what the step's pods have come to since."""
    uid = observed.run["metadata"]["uid"]
    jobs = tuple(job for job in observed.jobs if job.owner == uid and is_named_by_us(job.name, job.step))
    previous = accepted.previous
    ledger = ledger_of_status(accepted.spec, previous) if previous else Ledger()
    edited = previous is None or previous.observed_generation != observed.run["metadata"].get("generation")
    view = View(observed, accepted, now, jobs, None, ledger, news=edited)
    step = previous.step if previous else None
    if step is None or step.job is None:
        return view
    job = next((job for job in jobs if job.name == step.job), None)
    pods, held = view.pods(step.name), accepted.spec.suspend
    harvested = harvest(ledger, step, job, pods, now, held=held, leaves=view.leaves)
    news = edited or (harvested.ledger, harvested.step) != (ledger, step)
    return replace(view, harvested=harvested, ledger=harvested.ledger, news=news)


def _settled(view: View) -> tuple[Ledger, StepStatus | None, Step | Stop]:
    """The ledger, the step at hand and the decision, after what the user changed is heeded.

    The decision reads the ledger as the status will keep it, so that the next look, which sees no more, agrees.
    """
    ledger = _as_kept(view, view.ledger)
    old = _kept_step(view)
    decision = next_step(view.spec, ledger)
    if isinstance(decision, Stop) and old is not None and old.state == "Failed" and view.spec.suspend:
        ledger = cleared(ledger, step_of(old.name))
        old = policy.next_attempt(old).model_copy(update={"failures": None, "message": None, "ignored": None})
        decision = next_step(view.spec, ledger)
    if isinstance(decision, Stop) and decision.rule == "Failed":
        return ledger, policy.failed(old, old.message) if old else None, decision
    if leaving := _leaving(view, ledger, decision, old):
        return ledger, leaving, decision
    return ledger, None if isinstance(decision, Stop) else _step_at_hand(view, decision, old), decision


def _leaving(view: View, ledger: Ledger, decision: Step | Stop, old: StepStatus | None) -> StepStatus | None:
    """The step that was at hand and is not to be done now, until nothing of it runs: an edited rule ended the loop in
    the middle of it. It is shown that long, since what its pods spend is counted by it.
    """
    if old is None or (isinstance(decision, Step) and decision.id.name == old.name):
        return None
    if len(ledger.shards_done(step_of(old.name))) >= old.shards or not _lasts(view, old.name):
        return None
    return old.model_copy(update={"state": "Pending"}) if old.state == "Failed" else old


def _lasts(view: View, step: str) -> bool:
    """Whether a Job of a step, or a pod of one, has not come to its end."""
    jobs = any(job.step == step and not job.ended for job in view.jobs)
    return jobs or any(not pod.over and not trouble.out_of_reach(pod, view.now) for pod in view.pods(step))


def _as_kept(view: View, ledger: Ledger) -> Ledger:
    """The ledger after a round through the status; one that came from there, and nothing since, has been."""
    if not view.news:
        return ledger
    status = _bare(view, ledger, next_step(view.spec, ledger), Activity(step=_kept_step(view)))
    return ledger_of_status(view.spec, status)


def _kept_step(view: View) -> StepStatus | None:
    if view.harvested is None:
        return view.accepted.previous.step if view.accepted.previous else None
    return _with_shards(view.harvested.step, view.harvested.ledger)


def _with_shards(step: StepStatus, ledger: Ledger) -> StepStatus:
    done = ledger.shards_done(step_of(step.name))
    return step.model_copy(update={"done": to_ranges(done), "shards_done": len(done)})


def _step_at_hand(view: View, decision: Step, old: StepStatus | None) -> StepStatus:
    """The step to show: the old one while it lasts, else a new one. One that was being left is tried anew."""
    if old is not None and old.name == decision.id.name:
        again = policy.next_attempt(old) if view.leaves else old
        return again.model_copy(update={"shards_done": decision.shards - len(decision.missing)})
    together = [each.name for each in colocated(view.spec, decision.id)]
    attempt = _tried(view, decision.id.name) + 1
    return StepStatus(
        name=decision.id.name,
        attempt=attempt,
        shards=decision.shards,
        shards_done=decision.shards - len(decision.missing),
        together=together or None,
        job=job_name_of(view.observed.run, decision.id, attempt),
        accounted=known_of(view.pods(decision.id.name)),
    )


def _tried(view: View, step: str) -> int:
    """The last attempt at a step of which a Job is left: the run was over in between, and has been reopened."""
    return max((attempt_of(job.name) for job in view.jobs if job.step == step), default=0)


def _situation(view: View, ledger: Ledger, step: StepStatus | None, decision: Step | Stop) -> Situation:
    pods = view.pods(step.name) if step else ()
    return Situation(
        run=view.observed.run,
        previous=view.accepted.previous,
        spec=view.spec,
        defaults=view.accepted.defaults,
        run_uri=view.accepted.run_uri,
        decision=decision,
        step=step,
        jobs=view.jobs,
        pods=pods,
        refusal=view.observed.refusals.get(step.job or "", "") if step else "",
        done=ledger.shards_done(step_of(step.name)) if step else frozenset(),
        finished=_finished(view, ledger),
        lost=view.harvested is not None and view.harvested.lost,
        now=view.now,
    )


def _finished(view: View, ledger: Ledger) -> frozenset[str]:
    """The steps that are wholly done."""
    committed = ledger.committed.items()
    return frozenset(step.name for step, shards in committed if len(shards) >= shards_of(view.spec, step))


def _status(view: View, ledger: Ledger, decision: Step | Stop, verdict: policy.Verdict) -> Status:
    previous, harvested = view.accepted.previous, view.harvested
    before = previous.counters if previous else None
    counted = harvested.failures if harvested else 0
    step = verdict.step and _with_shards(verdict.step, ledger)
    pods = _open_pods(view, ledger, step)
    activity = Activity(
        running_since=verdict.running_since,
        suspended=view.spec.suspend,
        trouble=verdict.trouble,
        unproven=None if verdict.trouble else unproven(previous, step, ledger, pods, view.now),
        disruptions=(before.disruptions if before else 0) + (harvested.disruptions if harvested else 0),
        suspensions=(before.suspensions if before else 0) + verdict.suspended_now,
        step=step,
        failures=(before.failures if before else 0) + counted,
    )
    return _bare(view, _with_wall(ledger, view, step), _as_said(decision, previous), activity)


def _open_pods(view: View, ledger: Ledger, step: StepStatus | None) -> list[ObservedPod]:
    """The pods of the attempt at hand whose shards are not done."""
    if step is None:
        return []
    done = ledger.shards_done(step_of(step.name))
    return [pod for pod in view.pods(step.name) if pod.attempt == step.attempt and pod.index not in done]


def _as_said(decision: Step | Stop, previous: Status | None) -> Step | Stop:
    """An end keeps the words it was first told in: they were made from more than the status keeps."""
    if isinstance(decision, Step):
        return decision
    told = previous.stop if previous else None
    if told and (told.rule, told.iteration) == (decision.rule, decision.iteration):
        return replace(decision, message=told.message)
    if decision.rule == "Failed":
        return replace(decision, message=f"{shortened(decision.message, _LONGEST)}; {GO_ON}")
    return decision


def _with_wall(ledger: Ledger, view: View, step: StepStatus | None) -> Ledger:
    """Work that ends by our decision: the step failed, or is begun again, while a pod of it still runs."""
    since = at_work_since(view.harvested.step) if view.harvested else None
    if since is None or (step is not None and at_work_since(step) == since):
        return ledger
    return ledger.with_wall_seconds(max((view.now - since).total_seconds(), 0.0))


def _bare(view: View, ledger: Ledger, decision: Step | Stop, activity: Activity) -> Status:
    metadata = view.observed.run["metadata"]
    accepted = view.accepted
    return status_of(
        accepted.run,
        accepted.spec,
        ledger,
        decision,
        run_uri=accepted.run_uri,
        now=view.now,
        activity=activity,
        previous=accepted.previous,
        generation=metadata.get("generation"),
        resolved=accepted.resolved,
        version=accepted.version,
        defaults=accepted.defaults.to_json(),
    )


def _outcome(status: Status, previous: Status | None, actions: tuple[Action, ...], disrupted: str = "") -> Outcome:
    changed = previous is None or status != previous
    creates = any(isinstance(action, CreateJob) for action in actions)
    events = events_between(previous, status, disrupted=disrupted, creates=creates)
    return Outcome(status if changed else None, actions, events)
