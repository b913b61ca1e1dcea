"""The measure step: what the held-out samples say of M_n, of its gap, and of what it gained on M_0 and on the best.

Reads verdicts and scores only, column by column, so that memory does not grow with the length of the samples.
"""

from __future__ import annotations

import time

from selfimprove.artifacts import load_ledger, read_manifest, step_folder
from selfimprove.ledger import StepId
from selfimprove.loop import shards_of
from selfimprove.measures import Table, held_out_measures, scaled_target, table_of
from selfimprove.seeds import derive_seed
from selfimprove.stopping import best_iteration
from selfimprove.summaries import Summary
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.gathering import gather
from selfimprove_workers.judging import acceptance, methods_of, weigh
from selfimprove_workers.keeping import keep_to_retention
from selfimprove_workers.sampling import Plan


def run(context: StepContext) -> Summary:
    """Measure the iteration's model. Raises `FailedError` when held-out samples are missing."""
    began = time.monotonic()
    iteration, split = context.step.iteration, context.step.split
    best = 0 if split or not iteration else best_iteration(load_ledger(context.store), before=iteration)
    wanted = [iteration, 0, *([] if split else [1]), best]
    iterations = sorted({n for n in wanted if n <= iteration})
    inputs: dict[str, str] = {}
    tables = {n: _table(context, StepId(n, "evaluate", split), inputs) for n in iterations}
    spec = context.spec
    evaluation = Plan.of_evaluation(spec)
    measures = held_out_measures(
        tables[iteration],
        iteration=iteration,
        baseline=tables[0] if iteration else None,
        first=tables.get(1) if iteration > 1 else None,
        best=(best, tables[best]) if iteration else None,
        target=scaled_target(spec.resampling.target, spec.generation.samples_per_prompt, evaluation.samples),
        seed=derive_seed(spec.seed, "bootstrap"),
    )
    verification = spec.verification.to_json() if spec.verification else None
    recipe = Recipe(inputs, {"best": best, "verification": verification, "target": spec.resampling.target})
    measures = measures.model_copy(update={"checkpoint": _checkpoint(context)})
    outcome = Outcome([], measures.held_out.prompts, measures=measures)
    summary = commit_step(context, recipe, outcome, began)
    keep_to_retention(context)
    return summary


def _checkpoint(context: StepContext) -> str | None:
    distilled = read_manifest(context.store, step_folder(StepId(context.step.iteration, "distill")))
    return distilled[0].checkpoint if distilled else None


def _table(context: StepContext, step: StepId, inputs: dict[str, str]) -> Table:
    """The held-out samples of one model; its manifests are noted among the inputs."""
    spec = context.spec
    committed = [context.input(step, shard) for shard in range(shards_of(spec, step))]
    inputs |= {step_folder(step, shard): sha256 for shard, (_, sha256) in enumerate(committed)}
    samples = [part for manifest, _ in committed for part in manifest.parts]
    scores = [part for manifest, _ in committed for part in manifest.tables["score"]]
    found = gather(context.store, samples, scores, methods_of(spec))
    return table_of(
        [found.ids[at] for at in found.prompt],
        found.utility,
        strict_utility=found.strict_utility,
        weight=weigh(spec, found.scores, found.prompt, len(found.ids)),
        accepted=acceptance(spec, found.scores, found.truncated),
    )
