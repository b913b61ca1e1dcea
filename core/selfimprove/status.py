"""The status of a run, built from what is committed and what is decided: the same on one machine and in a cluster.

Pure: the moment, the step at hand and the status before it come in as arguments, so that the same facts always give the
same status and nothing is written when nothing changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from selfimprove.api.resolve import resolved_defaults
from selfimprove.api.spec import Run, Spec
from selfimprove.api.status import (
    Best,
    Condition,
    Counters,
    IterationStatus,
    PlanStatus,
    State,
    Status,
    StepStatus,
    StopStatus,
    UsageStatus,
)
from selfimprove.api.training import SHOWN_ITERATIONS
from selfimprove.artifacts.keys import step_folder
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import Step, Stop, shards_of, steps_of, trains
from selfimprove.status_conditions import Facts, conditions_of
from selfimprove.status_fitting import fitting
from selfimprove.status_measures import (
    gain_of,
    held_out_of,
    latest_of,
    manifest_of,
    measure_of,
    tail_change_of,
    training_of,
    verifier_of,
    versus_best_of,
)
from selfimprove.stopping import best_iteration, best_reason
from selfimprove.unscored import remembered

_LONGEST = 1000


@dataclass(frozen=True)
class Activity:
    """What an executor knows beside what is committed."""

    running_since: datetime | None = None
    """When the step at hand was started; None while nothing runs."""
    suspended: bool = False
    """Whether the run stands still because `spec.suspend` says so."""
    trouble: str | None = None
    """What in the surroundings keeps the step from going on, with the remedy."""
    unproven: str | None = None
    """The trouble before, while nobody knows that it is gone."""
    disruptions: int = 0
    suspensions: int = 0
    step: StepStatus | None = None
    """The step at hand as the executor knows it; made up from the ledger where it is not given."""
    failures: int | None = None
    """Failed attempts of the whole run, where the ledger knows those of the step at hand only."""


def status_of(
    run: Run,
    spec: Spec,
    ledger: Ledger,
    decision: Step | Stop,
    *,
    run_uri: str,
    now: datetime,
    activity: Activity | None = None,
    previous: Status | None = None,
    generation: int | None = None,
    resolved: Mapping[str, object] | None = None,
    version: str | None = None,
    defaults: dict[str, object] | None = None,
) -> Status:
    """The status of a run.

    `spec`: the resolved one, `run.spec` what was written. `previous`: the status before this one, whose conditions keep
    their transition times, and behind whose iteration none falls: `maxIterations` may not be set below it. `resolved`:
    what resolving added, where that is known already. `version`, `defaults`: of the installation, in a cluster. Old
    iterations are told in less where the whole would be over 16 KB.
    """
    activity = activity or Activity(suspended=spec.suspend)
    running = activity.running_since is not None
    waiting = _waiting(activity, decision)
    told = (activity.trouble, waiting, activity.unproven)
    facts = Facts(spec, ledger, decision, running, activity.suspended, *told)
    iteration = _iteration(ledger, decision)
    status = Status(
        observed_generation=generation,
        state=_state(facts),
        iteration=max(iteration, previous.iteration) if previous else iteration,
        progress=f"{iteration}/{spec.max_iterations}",
        message=_short(_message(facts)),
        run_uri=run_uri,
        version=version,
        defaults=defaults,
        resolved=_shown(resolved_defaults(run.spec, spec) if resolved is None else resolved),
        conditions=_conditions(facts, previous, generation, now),
        committed=committed_of(spec, ledger),
        verdicts=_verdicts(spec, ledger),
        step=activity.step or _step(ledger, decision, activity),
        plan=_plan(decision),
        latest=latest_of(ledger),
        iterations=_iterations(ledger),
        baseline=held_out_of(ledger, 0),
        best=_best(spec, ledger, run_uri),
        usage=_usage(ledger),
        counters=_counters(ledger, activity),
        stop=_stop(decision),
    )
    return fitting(status, beside=len(json.dumps(run.to_json(), separators=(",", ":")).encode()))


def best_uri(spec: Spec, ledger: Ledger, run_uri: str) -> str:
    """Where the best model lies: its checkpoint in storage, or the source that it came from unchanged."""
    n = best_iteration(ledger)
    measures = ledger.measures(n)
    checkpoint = (measures and measures.checkpoint) or step_folder(StepId(n, "distill"))
    return f"{run_uri}/{checkpoint}" if trains(spec, n) else spec.model.uri


def is_leaving(status: Status) -> bool:
    """Whether the step that a status shows is not to be done now, and only stops: the run ended in the middle of it."""
    step, plan = status.step, status.plan
    return step is not None and step.state != "Failed" and step.name != (plan.next if plan else None)


def timestamp(moment: datetime) -> str:
    """A moment as Kubernetes writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _state(facts: Facts) -> State:
    decision = facts.decision
    if isinstance(decision, Stop):
        return "Succeeded" if decision.succeeded else "Failed"
    if facts.suspended:
        return "Suspended"
    return "Running" if facts.running else "Pending"


def _waiting(activity: Activity, decision: Step | Stop) -> str | None:
    """What keeps a cluster's step that does not run; None on one machine, where none waits."""
    step = activity.step
    if step is None or activity.running_since is not None:
        return None
    if isinstance(decision, Step) and step.name != decision.id.name:
        return f"waits until {step.name} has stopped"
    if step.waiting_since:
        return f"waits for a pod, none has run since {step.waiting_since}"
    return "waits for its first pod" if step.prompts is None else "waits for another pod"


def _iteration(ledger: Ledger, decision: Step | Stop) -> int:
    """The one worked on; the last look at the test set belongs to the last one that was measured."""
    if isinstance(decision, Stop):
        return decision.iteration
    measured = ledger.measured_iterations()
    return measured[-1] if decision.id.split and measured else decision.id.iteration


def _message(facts: Facts) -> str:
    decision = facts.decision
    if isinstance(decision, Stop):
        return f"{decision.rule}: {decision.message}"
    name = decision.id.name
    if facts.suspended:
        return f"spec.suspend holds the run; {name} is next: {decision.reason}"
    if facts.trouble is not None:
        return f"{name}: {facts.trouble}"
    if facts.waiting is not None:
        return f"{name} {facts.waiting}: {decision.reason}"
    done = decision.shards - len(decision.missing)
    if decision.shards > 1 and (facts.running or done):
        return f"{name}: {done} of {decision.shards} shards done"
    return f"{name} is running" if facts.running else f"{name} is next: {decision.reason}"


def _shown(resolved: Mapping[str, object]) -> dict[str, bool | int | float | str | list[str]]:
    return {path: value for path, value in resolved.items() if isinstance(value, bool | int | float | str | list)}


def _conditions(facts: Facts, previous: Status | None, generation: int | None, now: datetime) -> list[Condition]:
    """Every condition, its time kept from the previous status while its status is the same."""
    before = {condition.type: condition for condition in previous.conditions} if previous else {}
    result = []
    for verdict in conditions_of(facts):
        old = before.get(verdict.type)
        kept = old is not None and old.status == verdict.status
        result.append(
            Condition(
                type=verdict.type,
                status=verdict.status,
                observed_generation=generation,
                last_transition_time=old.last_transition_time if old and kept else timestamp(now),
                reason=verdict.reason,
                message=_short(verdict.message),
            )
        )
    return result


def _step(ledger: Ledger, decision: Step | Stop, activity: Activity) -> StepStatus | None:
    if isinstance(decision, Stop):
        return None
    since = activity.running_since
    return StepStatus(
        name=decision.id.name,
        state="Running" if since else "Pending",
        attempt=ledger.failures.get(decision.id, 0) + 1,
        started_at=timestamp(since) if since else None,
        shards=decision.shards,
        shards_done=decision.shards - len(decision.missing),
    )


def _plan(decision: Step | Stop) -> PlanStatus:
    if isinstance(decision, Stop):
        return PlanStatus(reason=_short(f"the run is over: {decision.rule}"))
    return PlanStatus(next=decision.id.name, reason=_short(decision.reason))


def _iterations(ledger: Ledger) -> list[IterationStatus]:
    """The last ones of which anything is known, oldest first."""
    known = {n for n, spent in ledger.gpu_seconds.items() if n and spent}
    for id, shards in ledger.committed.items():
        if id.iteration and not id.split and any(s.tokens or s.selected or s.measures for s in shards.values()):
            known.add(id.iteration)
    return [_one(ledger, n) for n in sorted(known)[-SHOWN_ITERATIONS:]]


def _one(ledger: Ledger, n: int) -> IterationStatus:
    selected = ledger.selected(n)
    summaries = [
        summary
        for id, shards in ledger.committed.items()
        if id.iteration == n and not id.split
        for summary in shards.values()
    ]
    tail_change, tail_prompts = tail_change_of(ledger, n)
    return IterationStatus(
        iteration=n,
        examples=selected.examples if selected else None,
        held_out=held_out_of(ledger, n),
        versus_best=versus_best_of(ledger, n),
        tail_change=tail_change,
        tail_prompts=tail_prompts,
        hard_change=measure_of(selected.hard_share_change) if selected else None,
        verifier=verifier_of(ledger, n),
        tokens=sum(summary.tokens for summary in summaries),
        gpu_seconds=round(ledger.gpu_seconds.get(n) or sum(summary.gpu_seconds for summary in summaries)),
        manifest=manifest_of(ledger, n),
        **(training_of(selected.training) if selected else {}),
    )


def _best(spec: Spec, ledger: Ledger, run_uri: str) -> Best | None:
    """None until something is measured."""
    if not ledger.measured_iterations():
        return None
    n = best_iteration(ledger)
    measures = ledger.measures(n)
    return Best(
        iteration=n,
        model_uri=best_uri(spec, ledger, run_uri),
        accuracy=measure_of(measures.held_out.accuracy) if measures else None,
        gain=gain_of(ledger, n),
        message=_short(best_reason(ledger)),
    )


def committed_of(spec: Spec, ledger: Ledger) -> list[str]:
    """Steps that are wholly done and that no measured iteration tells of: of the one at hand, and of the test set."""
    done = len(ledger.measured_iterations())
    at_hand = [step for step in steps_of(spec, done) if len(ledger.shards_done(step)) == shards_of(spec, step)]
    tests = [step for step in ledger.committed if step.split and len(ledger.shards_done(step)) == shards_of(spec, step)]
    return [step.name for step in (*at_hand, *sorted(tests))]


def _verdicts(spec: Spec, ledger: Ledger) -> dict[str, int]:
    """How the iteration at hand was graded, and what its methods could not score; of the last one until there is
    another."""
    iterations = [id.iteration for id in ledger.committed if id.step == "verify" and ledger.committed[id]]
    if not iterations:
        return {}
    step = StepId(max(iterations), "verify")
    shards = ledger.committed[step]
    return {**ledger.verdicts(step), **remembered(spec, list(shards.values()), len(shards) == shards_of(spec, step))}


def _usage(ledger: Ledger) -> UsageStatus:
    spent = ledger.usage
    return UsageStatus(
        gpu_seconds=round(spent.gpu_seconds), tokens=spent.tokens, wall_seconds=round(spent.wall_seconds)
    )


def _counters(ledger: Ledger, activity: Activity) -> Counters:
    failures = sum(ledger.failures.values()) if activity.failures is None else activity.failures
    return Counters(failures=failures, disruptions=activity.disruptions, suspensions=activity.suspensions)


def _stop(decision: Step | Stop) -> StopStatus | None:
    if isinstance(decision, Step):
        return None
    return StopStatus(rule=decision.rule, iteration=decision.iteration, message=_short(decision.message))


def _short(text: str) -> str:
    """On one line, within the bound of a message."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
