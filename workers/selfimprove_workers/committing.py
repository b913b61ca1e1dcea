"""How a step ends: one manifest that says what was made from what, and the summary that it carries."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfimprove.artifacts import File, Manifest, Part, commit, digest_of, summary_of
from selfimprove.summaries import Measures, Selected, Summary
from selfimprove_workers.context import StepContext


@dataclass(frozen=True)
class Recipe:
    """What a step is made from: the same recipe gives the same rows, so parts under its digest may be adopted."""

    inputs: Mapping[str, str]
    """Folder of each input -> sha256 of its manifest."""
    settings: Mapping[str, Any]

    def digest(self, context: StepContext) -> str:
        """Of the step, the inputs and the settings that matter to its rows."""
        return digest_of(context.step.name, context.shard, context.shards, dict(self.inputs), dict(self.settings))


@dataclass(frozen=True)
class Outcome:
    """What a step made."""

    parts: Sequence[Part]
    prompts: int
    tokens: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    files: Sequence[File] = ()
    """Of a checkpoint."""
    rows: int | None = None
    """Rows worked on, where they are not those of `parts`."""
    gpus: int | None = None
    """GPUs in use, where they are not those of the loaded engine."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Of training."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What else a reader of the manifest may want to know; stands beside the settings, outside the digest."""
    selected: Selected | None = None
    measures: Measures | None = None


def commit_step(context: StepContext, recipe: Recipe, outcome: Outcome, began: float) -> Summary:
    """Commit this shard of this step, or adopt what another attempt committed first; `began` by `time.monotonic`."""
    context.progress.finish()
    rows = sum(part.rows for part in outcome.parts) if outcome.rows is None else outcome.rows
    seconds = time.monotonic() - began
    gpus = context.models.gpus if outcome.gpus is None else outcome.gpus
    summary = {
        "step": context.step.step,
        "iteration": context.step.iteration,
        "split": context.step.split,
        "shard": context.shard,
        "shards": context.shards,
        "rows": rows,
        "prompts": outcome.prompts,
        "tokens": outcome.tokens,
        "seconds": round(seconds, 3),
        "gpuSeconds": round(seconds * gpus, 3),
        "counts": dict(outcome.counts),
        "figures": {name: round(value, 9) for name, value in outcome.figures.items()},
        "selected": outcome.selected.to_json() if outcome.selected else None,
        "measures": outcome.measures.to_json() if outcome.measures else None,
    }
    manifest = Manifest(
        step=context.step.step,
        iteration=context.step.iteration,
        split=context.step.split,
        shard=context.shard,
        shards=context.shards,
        digest=recipe.digest(context),
        parts=list(outcome.parts),
        inputs=dict(recipe.inputs),
        settings={**recipe.settings, **outcome.notes},
        files=list(outcome.files),
        tables={name: list(parts) for name, parts in outcome.tables.items()},
        summary=summary,
        attempt=context.attempt,
    )
    return summary_of(context.store, context.folder, *commit(context.store, context.folder, manifest))
