"""What a step says of itself when it ends: small enough for a pod's termination message, enough for the decision.

The operator sees these and nothing of storage; on one machine they are read from the manifests. They are therefore all
that `loop.next_step` may look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, PlainSerializer

from selfimprove.api.base import Model
from selfimprove.api.execution import StepName

MAX_BYTES = 3500
"""A summary is cut silently by Kubernetes at 4,096 bytes; ours stay well below."""


Figure = Annotated[float, PlainSerializer(lambda value: round(value, 9), when_used="json")]
"""Nine decimals in JSON: far below any interval, and a summary with every measure still fits."""


def as_shown(value: float) -> float:
    """A figure as the status shows it, and as every rule and table reads it: a cluster remembers no more than that.

    Four places: a measure over a thousand prompts has no more to say. Never a negative zero.
    """
    return round(value, 4) + 0.0


class Estimate(Model):
    """A measure with its seeded bootstrap interval over prompts (95% unless said otherwise)."""

    value: Figure
    low: Figure | None = None
    high: Figure | None = None
    n: int | None = None


def document_of(estimate: Estimate | None) -> dict[str, Any] | None:
    """An estimate as a program reads it: `{"value", "low", "high", "n"}`, every digit, and null where it has none."""
    return None if estimate is None else estimate.model_dump()


def estimate_in(document: Mapping[str, Any] | None) -> Estimate | None:
    """The estimate that a document holds, whatever stands beside it."""
    return None if document is None else Estimate(**{name: document[name] for name in Estimate.model_fields})


class Difference(Model):
    """A paired difference of held-out accuracy between two models, by prompt: this one minus the other."""

    iteration: int
    """The other model."""
    value: Figure
    low: Figure
    high: Figure
    low995: Figure
    """Lower and upper end of the 99.5% interval, which the Regressed rule reads."""
    high995: Figure
    n: int


class PromptMeasures(Model):
    """The measures of one model on one set of prompts. None: not measurable, e.g. without answers."""

    accuracy: Estimate | None = None
    strict_accuracy: Estimate | None = None
    gap: Estimate | None = None
    relative_gap: Estimate | None = None
    keep_rate: Estimate | None = None
    empty_filter_rate: float | None = None
    relative_gap_skipped: int | None = None
    coverage: Estimate | None = None
    tail_coverage: Estimate | None = None
    tail_prompts: int | None = None
    pass_at_k: dict[str, Estimate] | None = None
    prompts: int = 0
    samples: int = 0


class Measures(Model):
    """What `measure` of iteration n found on the held-out prompts, all of it about M_n."""

    held_out: PromptMeasures
    versus_baseline: Difference | None = None
    versus_best: Difference | None = None
    """Against the best of the iterations before this one."""
    strict_versus_baseline: Difference | None = None
    tail_change: Estimate | None = None
    """Held-out tail coverage minus iteration 1's, paired by prompt: below 0 beyond the interval warns of narrowing."""
    checkpoint: str | None = None
    """Where M_n lies in the run's folder; None for M_0. Here, since the operator reads nothing of storage."""


class Selected(Model):
    """What `select` of iteration n found on the training prompts, all of it about M_(n-1)."""

    training: PromptMeasures
    examples: int
    guided_examples: int = 0
    prompts_in_training: int = 0
    hard_share_change: Estimate | None = None
    """Share of hard levels among the plain examples, less that of the first iteration it can be compared with: below 0
    beyond the interval warns of narrowing."""
    verifier: dict[str, Estimate] | None = None
    """What VerifierDrift is judged by, at most three figures, each of the method that stands worst: `METHOD.auroc`,
    `METHOD.aurocChange` and `METHOD.massChange`, the changes since iteration 1, paired by prompt."""


class ManifestRef(Model):
    """Where a step's manifest is, and what it must hash to."""

    uri: str
    sha256: str


class Summary(Model):
    """The outcome of one shard of one step."""

    step: StepName
    iteration: Annotated[int, Field(ge=0)]
    split: str = ""
    """Empty, or `test` for the last evaluate and measure on `dataset.test`."""
    shard: int = 0
    shards: int = 1
    manifest: ManifestRef
    rows: int = 0
    prompts: int = 0
    tokens: int = 0
    """Tokens sampled (generate, resample, evaluate, a teacher's too) or trained on (distill)."""
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    """GPUs in use times seconds, of this attempt."""
    counts: dict[str, int] = {}
    figures: dict[str, Figure] = {}
    """Of distill, as means over the last epoch's steps: loss; under DPO also rewardAccuracy (the share of pairs whose
    preferred sample gained more than the other), rewardMargin and its two terms, nll."""
    selected: Selected | None = None
    measures: Measures | None = None
