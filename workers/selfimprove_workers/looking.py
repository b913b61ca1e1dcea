"""What is looked over before any weight is loaded: prompts and template, at a run's first step guidance too."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.errors import UserError
from selfimprove_workers.chat import lint
from selfimprove_workers.context import StepContext
from selfimprove_workers.guidance import check_templates, strategies_for
from selfimprove_workers.guidance.lacking import has_prefix, has_reference
from selfimprove_workers.prompts import PromptRow, load_prompts
from selfimprove_workers.teachers import check_teacher


def look_over(context: StepContext, iteration: int, prompts: Sequence[PromptRow]) -> None:
    """Refuse prompts that do not suit M_n's chat template or length. Raises `UserError` in one line."""
    folder = context.model_folder(iteration)
    longest = context.spec.generation.engine_args.max_model_len or context.models.length(folder)
    lint(context.models.tokenizer(folder), prompts, context.spec, longest)


def look_over_all(context: StepContext, iteration: int) -> None:
    """The same for the prompts of all sets and shards; what guidance can't be done by as well."""
    check_templates(context.spec.resampling)
    look_over(context, iteration, context.every_prompt())
    _require_a_prefix(context, iteration)
    check_teacher(context, is_first=True)


def _require_a_prefix(context: StepContext, iteration: int) -> None:
    """Refuse training prompts of which none can be begun for the model, where that is what guides it."""
    if context.spec.resampling.strategy != "StateReset":
        return
    tokenizer = context.models.tokenizer(context.model_folder(iteration))
    (strategy,) = strategies_for(context.spec.resampling, tokenizer, context.task)
    prompts = load_prompts(context.store, "train")
    if not any(has_reference(strategy, prompt) and has_prefix(strategy, prompt) for prompt in prompts):
        raise UserError(
            "spec.resampling.strategy: StateReset begins from a part of the reference solution, and none of the "
            f"{len(prompts):,} training prompts has one that leaves the answer to be found; map longer solutions by "
            "spec.dataset.fields.rationale, or use RationaleDriven or BruteForce"
        )
