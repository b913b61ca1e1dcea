"""What Prometheus reads: how the runs stand, what became of their steps, and how the operator itself does.

The figures of a run are read off its status at every scrape, so that a series ends with its run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from selfimprove.api.status import State, Status
from selfimprove.errors import FAILED, SURROUNDINGS, TERMINATED, WRONG_INPUT
from selfimprove.status import is_leaving
from selfimprove_operator.observed import OUT_OF_MEMORY, ObservedPod
from selfimprove_operator.views import Key

STEP_BUCKETS = (5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400)
CAUSES = {WRONG_INPUT: "WrongInput", FAILED: "Failed", SURROUNDINGS: "Surroundings", TERMINATED: "Stopped"}

Document = Mapping[str, Any]
Figure = Callable[[Document], Any]


class Metrics:
    """All series of one operator."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.step_seconds = Histogram(
            "selfimprove_step_duration_seconds",
            "From when pods of a step began to run, for the last time, to its end",
            ["step"],
            buckets=STEP_BUCKETS,
            registry=registry,
        )
        self.attempts = Counter("selfimprove_step_attempts", "Attempts at steps begun", ["step"], registry=registry)
        self.pod_failures = Counter(
            "selfimprove_pod_failures", "Pods that did not do their work", ["step", "cause"], registry=registry
        )
        self.reconcile_seconds = Histogram(
            "selfimprove_reconcile_seconds", "One look at a run, its writes included", registry=registry
        )
        self.reconcile_errors = Counter(
            "selfimprove_reconcile_errors", "Looks that failed for no passing reason", registry=registry
        )
        self.api_writes = Counter(
            "selfimprove_api_writes", "Calls that write", ["verb", "resource", "code"], registry=registry
        )
        self.queue_depth = Gauge("selfimprove_queue_depth", "Runs that wait to be looked at", registry=registry)
        self.resync_age = Gauge("selfimprove_resync_age_seconds", "Since everything was listed last", registry=registry)
        self.namespaces_unreachable = Gauge(
            "selfimprove_namespaces_unreachable", "Watched namespaces that can't be listed", registry=registry
        )
        self.leader = Gauge("selfimprove_leader", "Whether this process holds the Lease", registry=registry)

    def wrote(self, verb: str, resource: str, status: int) -> None:
        """A call that writes was answered."""
        self.api_writes.labels(verb, resource, str(status)).inc()

    def changed(self, before: Status | None, after: Status, now: datetime) -> None:
        """A status was written: a step may have begun, or ended."""
        old, new = before.step if before else None, after.step
        if (
            new is not None
            and after.stop is None
            and (old is None or (old.name, old.attempt) != (new.name, new.attempt))
        ):
            self.attempts.labels(kind_of(new.name)).inc()
        if before is None or old is None or is_leaving(before):
            return
        if old.started_at and (new is None or new.name != old.name):
            seconds = (now - datetime.fromisoformat(old.started_at)).total_seconds()
            self.step_seconds.labels(kind_of(old.name)).observe(max(seconds, 0.0))

    def ended(self, pod: ObservedPod) -> None:
        """A pod that was there is over. One that was removed before it ran has failed at nothing."""
        if not pod.succeeded and not pod.never_ran:
            self.pod_failures.labels(kind_of(pod.step), cause_of(pod)).inc()


class Runs(Collector):
    """The figures of every run that is known. `runs`: as the views have them."""

    def __init__(self, runs: Mapping[Key, Document]) -> None:
        self._runs = runs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family a figure; no series where a run has none."""
        known = [(key, run.get("status") or {}) for key, run in list(self._runs.items())]
        for name, help, figure in FIGURES:
            family = GaugeMetricFamily(f"selfimprove_run_{name}", help, labels=["namespace", "run"])
            for key, status in known:
                if (value := figure(status)) is not None:
                    family.add_metric(key, float(value))
            yield family
        states = GaugeMetricFamily("selfimprove_run_state", "1 for the state", labels=["namespace", "run", "state"])
        for key, status in known:
            for state in get_args(State):
                states.add_metric((*key, state), float(status.get("state") == state))
        yield states


def kind_of(step: str) -> str:
    """The step without its iteration: `verify` of `i002-verify`."""
    return step.split("-")[1] if "-" in step else step


def cause_of(pod: ObservedPod) -> str:
    """Why a pod did not do its work, in one word."""
    if pod.disrupted:
        return "Disrupted"
    if pod.ended is None:
        return "Unexpected"
    if pod.ended.reason == OUT_OF_MEMORY:
        return OUT_OF_MEMORY
    return CAUSES[TERMINATED] if pod.removed else CAUSES.get(pod.ended.exit_code, "Unexpected")


def _latest(name: str) -> Figure:
    return lambda status: (status.get("latest") or {}).get(name)


def _usage(name: str) -> Figure:
    return lambda status: (status.get("usage") or {}).get(name)


def _relative_gap(status: Document) -> Any:
    """Of the iteration that the other figures are of."""
    latest = (status.get("latest") or {}).get("iteration")
    row: Document = next((row for row in status.get("iterations") or [] if row.get("iteration") == latest), {})
    return (row.get("relativeGap") or {}).get("value")


def _degraded(status: Document) -> float:
    conditions = status.get("conditions") or []
    return float(any(c.get("type") == "Degraded" and c.get("status") == "True" for c in conditions))


FIGURES: tuple[tuple[str, str, Figure], ...] = (
    ("gap", "Generation-verification gap on the training prompts, last iteration", _latest("gap")),
    ("relative_gap", "Relative gap on the training prompts, last iteration", _relative_gap),
    ("tail_coverage", "Tail coverage, held out where it is measured there", _latest("tailCoverage")),
    ("accuracy", "Held-out accuracy of the last iteration", _latest("accuracy")),
    ("iteration", "The iteration that is worked on", lambda status: status.get("iteration")),
    ("gpu_seconds", "GPU-seconds spent, all attempts", _usage("gpuSeconds")),
    ("tokens", "Tokens sampled, all attempts", _usage("tokens")),
    ("degraded", "Whether something in the surroundings keeps the run from going on", _degraded),
)
