"""`SelfImprovementRun.status`: what the system reports of a run, in a cluster and on one machine alike.

Measures are decimal strings, counts are integers: a cluster's columns and its diffs must not depend on how a float is
printed. Everything has a bound, since a status must stay under 16 KB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from selfimprove.api.base import Model
from selfimprove.api.training import SHOWN_ITERATIONS

State = Literal["Pending", "Running", "Suspended", "Succeeded", "Failed"]
ConditionType = Literal[
    "Accepted",
    "Progressing",
    "Suspended",
    "Finished",
    "Succeeded",
    "Failed",
    "Converged",
    "TailNarrowing",
    "VerifierDrift",
    "Degraded",
]
Decimal = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", max_length=32)]
Message = Annotated[str, Field(max_length=1024)]
Address = Annotated[str, Field(max_length=2048)]
StepText = Annotated[str, Field(max_length=64)]
Time = Annotated[str, Field(max_length=32)]
"""RFC 3339 in UTC, as `2026-11-22T17:05:00Z`."""


class Measure(Model):
    """A measure with its 95% interval, as decimal strings."""

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


class Gain(Measure):
    """Accuracy of the best model minus that of M_0, paired by prompt."""

    measured_on: Literal["Test", "HeldOut"]
    """HeldOut: on the prompts that chose the best, which flatters it."""


class Condition(Model):
    """One condition, as metav1 has them: keyed by type."""

    type: ConditionType
    status: Literal["True", "False", "Unknown"]
    observed_generation: int | None = None
    last_transition_time: Time
    reason: Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    message: Message = ""


class StepStatus(Model):
    """The step at hand, or the one that failed."""

    name: StepText
    state: Literal["Pending", "Running", "Failed"] = "Pending"
    attempt: Annotated[int, Field(ge=1)] = 1
    started_at: Time | None = None
    """Since when it runs, while it does."""
    waiting_since: Time | None = None
    """When its last pod ended, while it waits for another."""
    shards: int = 1
    shards_done: int = 0
    done: Annotated[str, Field(max_length=4096)] | None = None
    """The shards that are committed, as ranges: `0-3,7`."""
    together: Annotated[list[StepText], Field(max_length=4)] | None = None
    """Steps that the same Job does right after it, shard by shard."""
    failures: int | None = None
    """Failed attempts, of the shard that failed most."""
    message: Message | None = None
    """What the last failed attempt said."""
    job: Annotated[str, Field(max_length=63)] | None = None
    """The Job that does it, in a cluster."""
    ignored: int | None = None
    """Ends in a row that count as no failure (signals, disruptions), without a prompt more done in between."""
    prompts: int | None = None
    """Prompts of it that are known to be done, as the pod that was last told to stop said; None before a pod of it has
    run, which is how an iteration is known to have begun."""
    accounted: Annotated[list[Annotated[str, Field(max_length=36)]], Field(max_length=256)] | None = None
    """Ended pods of it whose time is in `usage` already, while their objects last."""


class PlanStatus(Model):
    """What comes next, and why."""

    next: StepText | None = None
    reason: Message = ""


class Latest(Model):
    """The figures of the last iteration that was measured, for the columns of `kubectl get`."""

    iteration: int
    gap: Decimal | None = None
    tail_coverage: Decimal | None = None
    accuracy: Decimal | None = None


class HeldOutStatus(Model):
    """Held-out measures of one model."""

    accuracy: Measure | None = None
    gap: Measure | None = None
    relative_gap: Measure | None = None
    keep_rate: Measure | None = None
    coverage: Measure | None = None
    tail_coverage: Measure | None = None
    pass_at_k: Annotated[dict[str, Measure], Field(max_length=4)] | None = None
    """k -> pass@k for at most four k: the smallest, the largest, and two between. All of them are in storage."""


class ManifestStatus(Model):
    """Where the manifest that has all of it lies, and what it hashes to."""

    uri: Address
    sha256: Annotated[str, Field(max_length=64)]


class Versus(Measure):
    """Held-out accuracy minus that of the best model before, paired by prompt, with its 99.5% interval."""

    iteration: int
    """The other model."""
    n: int
    """Prompts that were compared."""


class IterationStatus(Model):
    """What one iteration found: on the training prompts before distillation, held out after it."""

    iteration: int
    examples: int | None = None
    """Examples that `select` kept for training."""
    gap: Measure | None = None
    relative_gap: Measure | None = None
    keep_rate: Measure | None = None
    coverage: Measure | None = None
    tail_coverage: Measure | None = None
    held_out: HeldOutStatus | None = None
    versus_best: Versus | None = None
    tail_change: Measure | None = None
    """Held-out tail coverage minus iteration 1's, paired by prompt."""
    tail_prompts: int | None = None
    """Held-out prompts that were compared for it."""
    hard_change: Measure | None = None
    """Share of hard levels in the plain training examples, less that of the first iteration to compare with."""
    verifier: Annotated[dict[str, Measure], Field(max_length=3)] | None = None
    """What VerifierDrift is judged by: `METHOD.auroc`, `METHOD.aurocChange` and `METHOD.massChange` of the methods that
    stand worst, on the training prompts."""
    tokens: int = 0
    gpu_seconds: int = 0
    manifest: ManifestStatus | None = None


class Best(Model):
    """The result so far: M_n, where it lies, and what it is worth."""

    iteration: int
    model_uri: Annotated[Address | None, Field(alias="modelURI")] = None
    accuracy: Measure | None = None
    gain: Gain | None = None
    message: Message = ""


class UsageStatus(Model):
    """What was spent, all attempts together."""

    gpu_seconds: int = 0
    tokens: int = 0
    wall_seconds: int = 0
    """In which its steps ran."""


class Counters(Model):
    """How often something went wrong, was disrupted, or was put on hold."""

    failures: int = 0
    disruptions: int = 0
    suspensions: int = 0


class StopStatus(Model):
    """Why the loop ended."""

    rule: StepText
    iteration: int
    message: Message = ""


class Status(Model):
    """All that is reported of a run."""

    observed_generation: int | None = None
    state: State
    iteration: int = 0
    progress: Annotated[str, Field(max_length=16)]
    """Iteration worked on / maxIterations, as `2/3`."""
    message: Message = ""
    run_uri: Annotated[Address, Field(alias="runURI")]
    version: Annotated[str, Field(max_length=64)] | None = None
    """Of the code that accepted the run."""
    defaults: dict[str, Any] | None = None
    """What the installation gave by default when the run was accepted: a later upgrade changes no accepted run."""
    resolved: Annotated[dict[str, bool | int | float | str | list[str]], Field(max_length=128)] = {}
    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    committed: Annotated[list[StepText], Field(max_length=16)] = []
    """Steps that are wholly done, of the iteration at hand and of the last look at the test set."""
    verdicts: Annotated[dict[str, int], Field(max_length=16)] = {}
    """Of the iteration at hand: how `verify` graded its samples."""
    step: StepStatus | None = None
    plan: PlanStatus | None = None
    latest: Latest | None = None
    iterations: Annotated[list[IterationStatus], Field(max_length=SHOWN_ITERATIONS)] = []
    baseline: HeldOutStatus | None = None
    best: Best | None = None
    usage: UsageStatus = UsageStatus()
    counters: Counters = Counters()
    stop: StopStatus | None = None


def condition_of(status: Status | None, type: str) -> Condition | None:
    """The condition of a type; None where there is none, or no status."""
    return next((found for found in status.conditions if found.type == type), None) if status else None


def read_status(found: Mapping[str, Any] | None) -> Status | None:
    """The status as a cluster keeps it; None before there is one. Raises `ValidationError` for one that is no such.

    What is not ours is left out: conditions that others added, fields that a later version writes.
    """
    if not found:
        return None
    ours = [
        condition for condition in found.get("conditions") or [] if condition.get("type") in get_args(ConditionType)
    ]
    return Status.model_validate({**found, "conditions": ours}, extra="ignore")
