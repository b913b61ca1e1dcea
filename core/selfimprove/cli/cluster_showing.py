"""How a run of a cluster stands, as the tables of a run on one machine: from its status alone, without its storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from selfimprove.api.status import Status
from selfimprove.cluster_run import ClusterRun
from selfimprove.ledger import Ledger
from selfimprove.report import Report, ending

_HINT = (
    "strict accuracy, and each model's gain on M_0 with its 95% interval: selfimprove status {run} --details, "
    "which reads the manifests (--endpoint URL where the cluster's S3 is out of reach from here)"
)
_WARNINGS = ("TailNarrowing", "VerifierDrift", "Degraded")
"""Conditions that a person should hear of while they are True."""


def report_of(seen: ClusterRun) -> Report:
    """What the tables say of it."""
    status = seen.status
    return Report(
        seen.ledger,
        heading=f"{seen.run.metadata.name}: {_heading(seen)}",
        best=status.best.iteration if status.best else None,
        checkpoint=status.best.model_uri if status.best else None,
        stop=ending(status.stop.rule, status.stop.message, seen.ledger) if status.stop else None,
        now=_now(status),
        ahead=_ahead(status),
        warnings=list(_warnings(seen)),
        hint=_HINT.format(run=_named(seen)) if seen.ledger.measured_iterations() else None,
    )


def with_manifests(report: Report, ledger: Ledger) -> Report:
    """The report with every figure that the run's manifests have, `ledger` being read from those: a status keeps fewer.

    What was spent stays the operator's count, which has failed attempts in it.
    """
    told = report.ledger.committed
    committed = {step: ledger.committed.get(step, shards) for step, shards in told.items()}
    return replace(report, ledger=replace(report.ledger, committed=committed), hint=None)


def _named(seen: ClusterRun) -> str:
    """The run as a command line names it: the namespace that this command was told, the next one must be told too."""
    namespace = seen.run.metadata.namespace
    return f"{seen.name} -n {namespace}" if namespace else seen.name


def _heading(seen: ClusterRun) -> str:
    status = seen.status
    if not seen.accepted:
        return "not accepted"
    if status.stop:
        return f"{status.state.lower()} after iteration {status.stop.iteration}"
    return f"{status.state.lower()}, iteration {status.iteration} of at most {seen.spec.max_iterations}"


def _now(status: Status) -> str | None:
    """What the step at hand is doing, or waits for, where it has begun; else the plan says all there is."""
    step = status.step
    if step is None or status.stop or not (step.state == "Running" or step.waiting_since):
        return None
    attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
    return f"{status.message}{attempt}" + (f"; Job {step.job}" if step.job else "")


def _ahead(status: Status) -> str | None:
    plan = status.plan
    return f"{plan.next}: {plan.reason}" if plan and plan.next and not status.stop else None


def _warnings(seen: ClusterRun) -> Iterator[str]:
    if seen.refusal:
        yield f"not accepted: {seen.refusal}"
    yield from (c.message for c in seen.status.conditions if c.type in _WARNINGS and c.status == "True")
    if not seen.settled:
        yield "the operator has not looked at the last change of the resource yet"
