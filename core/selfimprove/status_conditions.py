"""The conditions of a run: each one question, answered from the same facts.

All of them are always there, so that `kubectl wait --for=condition=...` and its negation both work from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from selfimprove.api.spec import Spec
from selfimprove.api.status import ConditionType
from selfimprove.ledger import Ledger
from selfimprove.loop import Step, Stop
from selfimprove.stopping import warnings
from selfimprove.verifier_drift import judged_iteration

UNPROVEN = "Unproven"
"""The reason of a `Degraded` that is not True and may be so again, its message that of the trouble."""


@dataclass(frozen=True)
class Facts:
    """What conditions are answered from."""

    spec: Spec
    ledger: Ledger
    decision: Step | Stop
    running: bool
    suspended: bool
    trouble: str | None
    waiting: str | None = None
    """What a step that has a Job waits for."""
    unproven: str | None = None
    """A trouble that is not to be seen any more, and of which nobody knows yet that it is gone."""

    @property
    def stop(self) -> Stop | None:
        """The end, where it has come."""
        return self.decision if isinstance(self.decision, Stop) else None


class Verdict(NamedTuple):
    """One condition without its times."""

    type: ConditionType
    status: Literal["True", "False"]
    reason: str
    message: str


Answer = tuple[bool, str, str]
"""Whether it holds, the reason in one word, and the message."""


def conditions_of(facts: Facts) -> list[Verdict]:
    """Every condition, in the order of the design."""
    answers = [(type, answer(facts)) for type, answer in ANSWERS.items()]
    return [Verdict(type, "True" if holds else "False", reason, message) for type, (holds, reason, message) in answers]


def _accepted(facts: Facts) -> Answer:
    return True, "Valid", "the spec is valid and its defaults are resolved"


def _progressing(facts: Facts) -> Answer:
    if facts.stop:
        return False, "Finished", "the run is over"
    if facts.suspended:
        return False, "Suspended", "spec.suspend holds the run"
    assert isinstance(facts.decision, Step)
    reason = "StepRunning" if facts.running else "StepPending"
    waits = f" {facts.waiting}" if facts.waiting else ""
    return True, reason, f"{facts.decision.id.name}{waits}: {facts.decision.reason}"


def _suspended(facts: Facts) -> Answer:
    if facts.suspended and not facts.stop:
        return True, "Asked", "spec.suspend is true; what is committed is kept"
    return False, "NotAsked", ""


def _finished(facts: Facts) -> Answer:
    return (True, facts.stop.rule, facts.stop.message) if facts.stop else (False, "GoingOn", "")


def _succeeded(facts: Facts) -> Answer:
    stop = facts.stop
    if stop is None:
        return False, "GoingOn", ""
    return stop.succeeded, stop.rule, stop.message


def _failed(facts: Facts) -> Answer:
    stop = facts.stop
    if stop is None or stop.succeeded:
        return False, "NoFailure", ""
    return True, stop.rule, stop.message


def _converged(facts: Facts) -> Answer:
    if facts.stop and facts.stop.rule == "Converged":
        return True, "GapBelowMinGap", facts.stop.message
    return False, "GapAboveMinGap" if facts.ledger.measured_iterations() else "NotMeasured", ""


def _tail_narrowing(facts: Facts) -> Answer:
    return _warned(facts, "TailNarrowing", measured=bool(facts.ledger.measured_iterations()))


def _verifier_drift(facts: Facts) -> Answer:
    return _warned(facts, "VerifierDrift", measured=judged_iteration(facts.ledger) is not None)


def _warned(facts: Facts, type: ConditionType, measured: bool) -> Answer:
    for notice in warnings(facts.spec, facts.ledger):
        if notice.type == type:
            return True, notice.reason, notice.message
    return False, "NotSeen" if measured else "NotMeasured", ""


def _degraded(facts: Facts) -> Answer:
    if facts.trouble is not None and not facts.stop:
        return True, "Surroundings", facts.trouble
    if facts.unproven is not None:
        return False, UNPROVEN, facts.unproven
    return False, "Healthy", ""


ANSWERS: dict[ConditionType, Callable[[Facts], Answer]] = {
    "Accepted": _accepted,
    "Progressing": _progressing,
    "Suspended": _suspended,
    "Finished": _finished,
    "Succeeded": _succeeded,
    "Failed": _failed,
    "Converged": _converged,
    "TailNarrowing": _tail_narrowing,
    "VerifierDrift": _verifier_drift,
    "Degraded": _degraded,
}

FINDINGS: tuple[ConditionType, ...] = ("Converged", "TailNarrowing", "VerifierDrift")
"""Those that say what was found of the model or of what selects; the others say how the run stands."""
