"""The generate step: k plain samples of every training prompt of a shard, by the model of the iteration before.

That model also reads some of the reference solutions, so that it can be told how far its own texts are from them.
"""

from __future__ import annotations

import time

from selfimprove.artifacts import PROMPTS
from selfimprove.records import SAMPLE
from selfimprove.summaries import Summary
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.reading import TABLE, read_references
from selfimprove_workers.sampling import Batch, Plan, draw


def run(context: StepContext) -> Summary:
    """Sample this shard's prompts, from where an earlier attempt stopped. Raises what `sampling.draw` raises."""
    began = time.monotonic()
    plan = Plan.of_generation(context.spec)
    recipe = recipe_of(context, plan)
    writer = context.writer(recipe.digest(context), SAMPLE)

    def write(batch: Batch) -> None:
        finished = sum(row["finish"] == "stop" for row in batch.rows)
        writer.write(batch.rows, batch.prompts, {"tokens": batch.tokens, "finished": finished})

    draw(context, plan, recipe.digest(context), writer.prompts_done, write)
    totals = writer.totals
    references = read_references(context, recipe.digest(context))
    counts = {"truncated": writer.rows - totals.get("finished", 0), **references.totals}
    tables = {TABLE: references.parts} if references.parts else {}
    outcome = Outcome(writer.parts, len(context.prompts), totals.get("tokens", 0), counts, tables)
    return commit_step(context, recipe, outcome, began)


def recipe_of(context: StepContext, plan: Plan) -> Recipe:
    """What plain samples are made from: the prompts, the model, and how it is sampled."""
    spec = context.spec
    _, prompts = context.prompt_set
    inputs = {PROMPTS: prompts, **context.model_input(context.sampling_iteration)}
    settings = {
        "plan": vars(plan),
        "seed": spec.seed,
        "model": context.models.identity(context.sampling_iteration),
        "chatTemplateKwargs": spec.generation.chat_template_kwargs,
    }
    return Recipe(inputs, settings)
