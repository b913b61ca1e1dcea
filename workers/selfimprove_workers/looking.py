"""What is looked over before any weight is loaded: prompts and template, at a run's first step guidance too."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove_workers.chat import lint
from selfimprove_workers.context import StepContext
from selfimprove_workers.guidance import check_templates
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.teachers import check_teacher


def look_over(context: StepContext, iteration: int, prompts: Sequence[PromptRow]) -> None:
    """Refuse prompts that do not suit M_n's chat template or length. Raises `UserError` in one line."""
    folder = context.model_folder(iteration)
    longest = context.spec.generation.engine_args.max_model_len or context.models.length(folder)
    lint(context.models.tokenizer(folder), prompts, context.spec, longest)


def look_over_all(context: StepContext, iteration: int) -> None:
    """The same for the prompts of all sets and shards; templates of hints and a teacher that can't be used as well."""
    check_templates(context.spec.resampling)
    look_over(context, iteration, context.every_prompt())
    check_teacher(context)
