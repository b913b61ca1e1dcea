"""What `kubectl describe` tells of a run: the differences between two statuses, one line each.

Read off the statuses, so that an event is sent at most once and only after what it says is written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from selfimprove.api.status import Status, StepStatus, condition_of
from selfimprove.status import is_leaving
from selfimprove.status_conditions import UNPROVEN
from selfimprove_operator.actions import Event

Teller = Callable[[Status | None, Status], Iterator[Event]]


def events_between(
    before: Status | None, after: Status, *, disrupted: str = "", creates: bool = False
) -> tuple[Event, ...]:
    """The events of a change of status, in the order in which things happened.

    `disrupted`: what disrupted it, of which a status keeps the count alone. `creates`: whether a Job is made now.
    """
    if before == after:
        return ()
    counted = before is not None and after.counters.disruptions > before.counters.disruptions
    first = [Event("Warning", "StepDisrupted", disrupted)] if counted else []
    tellers: tuple[Teller, ...] = (*TELLERS, partial(_begun, creates=creates), _stopped, _left)
    return (*first, *(event for teller in tellers for event in teller(before, after)))


def _accepted(before: Status | None, after: Status) -> Iterator[Event]:
    old, new = condition_of(before, "Accepted"), condition_of(after, "Accepted")
    if new is not None and (old is None or (old.status, old.message) != (new.status, new.message)):
        yield Event(
            "Normal" if new.status == "True" else "Warning",
            "Accepted" if new.status == "True" else new.reason,
            new.message,
        )


def _ended(before: Status | None, after: Status) -> Iterator[Event]:
    known = set(before.committed) if before else set()
    fresh = [name for name in after.committed if name not in known]
    if before and after.latest and (before.latest is None or before.latest.iteration != after.latest.iteration):
        fresh.append(f"i{after.latest.iteration:03d}-measure")
    for name in fresh:
        yield Event("Normal", "StepEnded", f"{name} is done")


def _failed(before: Status | None, after: Status) -> Iterator[Event]:
    if before and after.step and after.counters.failures > before.counters.failures:
        yield Event("Warning", "PodFailed", f"{after.step.name}: {after.step.message}")


def _held(before: Status | None, after: Status) -> Iterator[Event]:
    if before and before.state != after.state and "Suspended" in (before.state, after.state):
        name = "Suspended" if after.state == "Suspended" else "Resumed"
        yield Event("Normal", name, after.message)


def _degraded(before: Status | None, after: Status) -> Iterator[Event]:
    old, new = condition_of(before, "Degraded"), condition_of(after, "Degraded")
    if new is None:
        return
    if new.status == "True" and (old is None or old.status != "True"):
        yield Event("Warning", "Degraded", new.message)
    open_before = old is not None and (old.status == "True" or old.reason == UNPROVEN)
    if open_before and (new.status, new.reason) == ("False", "Healthy") and _goes_on(before, after):
        yield Event("Normal", "Healed", "what kept the step from going on is gone")


def _goes_on(before: Status | None, after: Status) -> bool:
    """Whether the work is seen to go on: a run that is over has got over its trouble by its last measure alone."""
    return after.stop is None or (before is not None and after.latest != before.latest)


def _left(before: Status | None, after: Status) -> Iterator[Event]:
    """The run ended in the middle of a step, which stops now."""
    if after.step is None or not is_leaving(after) or (before and is_leaving(before)):
        return
    why = f"the run is over: {after.stop.rule}" if after.stop else after.plan.reason if after.plan else ""
    yield Event("Normal", "StepStopped", f"{after.step.name} is stopped, what it has committed is kept: {why}")


def _begun(before: Status | None, after: Status, creates: bool) -> Iterator[Event]:
    """A step begins when its Job is made: one whose turn came while the run was held does so when that goes on."""
    step = after.step
    if step is None or is_leaving(after) or after.stop is not None or after.state == "Suspended":
        return
    old = (before.step.name, before.step.attempt) if before and before.step else None
    goes_on = before is not None and before.state == "Suspended" and creates
    if (step.name, step.attempt) != old or goes_on:
        yield Event("Normal", "StepBegun", f"{_named(step)}: {after.plan.reason if after.plan else ''}")


def _named(step: StepStatus) -> str:
    """A step by its name, with which attempt at it is made and what its pods do after it."""
    notes = [f"attempt {step.attempt}"] if step.attempt > 1 else []
    notes += [f"with {' and '.join(step.together)}"] if step.together else []
    return f"{step.name} ({', '.join(notes)})" if notes else step.name


def _narrowing(before: Status | None, after: Status) -> Iterator[Event]:
    for type in ("TailNarrowing", "VerifierDrift"):
        old, new = condition_of(before, type), condition_of(after, type)
        if new and new.status == "True" and (old is None or old.status != "True"):
            yield Event("Warning", type, new.message)


def _stopped(before: Status | None, after: Status) -> Iterator[Event]:
    old = (before.stop.rule, before.stop.iteration) if before and before.stop else None
    if after.stop and (after.stop.rule, after.stop.iteration) != old:
        yield Event("Warning" if after.state == "Failed" else "Normal", after.stop.rule, after.stop.message)


TELLERS: tuple[Teller, ...] = (_accepted, _ended, _failed, _narrowing, _held, _degraded)
