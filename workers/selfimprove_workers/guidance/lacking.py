"""What is known of a prompt's solution, and whether that is enough for a strategy to show anything of it."""

from __future__ import annotations

from selfimprove_workers.guidance.base import Reference, Strategy
from selfimprove_workers.guidance.golds import option_of
from selfimprove_workers.prompts import PromptRow


def reference_of(prompt: PromptRow) -> Reference:
    """What is known of a prompt's solution."""
    question = prompt.messages[-1]["content"] if prompt.messages else ""
    return Reference(
        prompt.answer, prompt.rationale, option_of(prompt.answer, question, prompt.extra), extra=prompt.extra
    )


def has_reference(strategy: Strategy, prompt: PromptRow) -> bool:
    """Whether the dataset has the answer or solution that the strategy needs."""
    lacks_answer = strategy.needs_answer and prompt.answer is None
    lacks_rationale = strategy.needs_rationale and not prompt.solution
    return not (lacks_answer or lacks_rationale)


def has_prefix(strategy: Strategy, prompt: PromptRow) -> bool:
    """Whether the strategy, if it begins from a part of the solution, has one that it may show."""
    return not strategy.needs_prefix or bool(strategy.guide(prompt.messages, reference_of(prompt), (), 1).prefix)
