"""The evaluate step: samples of the held-out prompts by the iteration's own model, checked and scored.

Scores go beside the samples, since the held-out gap is what the Converged rule reads: the gap on training prompts is of
a model that may have seen their answers.
"""

from __future__ import annotations

import time

from selfimprove.artifacts import PartWriter, digest_of
from selfimprove.records import SAMPLE
from selfimprove.summaries import Summary
from selfimprove_workers.aside import Aside
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.examining import CRITIQUE_TOKENS, Examiner, check_judges, judges_of, judging_settings
from selfimprove_workers.generate import recipe_of
from selfimprove_workers.sampling import Batch, Plan, draw
from selfimprove_workers.scorebook import Scorebook
from selfimprove_workers.verify import CRITIQUES, score_samples


def run(context: StepContext) -> Summary:
    """Sample, check and score this shard's held-out prompts. Raises what `sampling.draw` and the verifiers raise."""
    began = time.monotonic()
    plan = Plan.of_evaluation(context.spec)
    recipe = _recipe(context, plan)
    digest = recipe.digest(context)
    samples = context.writer(digest, SAMPLE)
    if samples.prompts_done < len(context.prompts):
        check_judges(context)
    _sample(context, plan, digest, samples)
    of_these = digest_of(digest, [part.sha256 for part in samples.parts])
    scores = Scorebook(context, of_these, table="score")
    score_samples(context, samples.parts, scores, Aside(context, of_these, CRITIQUES))
    totals, judged = samples.totals, scores.totals
    critiques = judged.get(CRITIQUE_TOKENS, 0)
    outcome = Outcome(
        samples.parts,
        len(context.prompts),
        totals.pop("tokens", 0) + critiques,
        {**judged, **totals},
        tables={"score": scores.parts, **scores.tables},
    )
    return commit_step(context, recipe, outcome, began)


def _recipe(context: StepContext, plan: Plan) -> Recipe:
    plain = recipe_of(context, plan)
    methods = {judge.name: judge.verifier.version for judge in judges_of(context.spec)}
    verification = context.spec.verification
    settings = {
        **plain.settings,
        "grading": context.spec.dataset.grading,
        "acceptTruncated": context.spec.selection.accept_truncated,
        "verification": verification.recipe() if verification else None,
        "versions": methods,
        **judging_settings(context),
    }
    return Recipe(plain.inputs, settings)


def _sample(context: StepContext, plan: Plan, digest: str, writer: PartWriter) -> None:
    """Draw what is left, its verdicts filled in."""
    examiner = Examiner(context)

    def write(batch: Batch) -> None:
        candidates = examiner.candidates(batch.rows)
        counts = {"tokens": batch.tokens}
        for row, candidate in zip(batch.rows, candidates, strict=True):
            if candidate.graded and candidate.check:
                check = candidate.check
                row.update(verdict=check.flexible.value, strict_verdict=check.strict.value, answer=check.answer)
                counts[check.flexible.value] = counts.get(check.flexible.value, 0) + 1
        writer.write(batch.rows, batch.prompts, counts)

    draw(context, plan, digest, writer.prompts_done, write)
