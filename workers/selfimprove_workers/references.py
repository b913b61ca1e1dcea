"""The first fine-tuning of guided self-improvement: on the dataset's own solutions (arXiv 2411.00750, section 2.1).

A reference is trained on as a sample of the model's own would be: under the plain prompt, its turn ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from selfimprove.errors import UserError
from selfimprove.records import EXAMPLE
from selfimprove_workers.chat import end_of_turn, following, render
from selfimprove_workers.context import StepContext
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.tasks import Verdict

VERSION = "references-2"
"""To be raised when the same dataset gives other examples."""
_TRUE = frozenset((Verdict.CORRECT, Verdict.GOLD_UNPARSABLE))
"""Verdicts of references that are trained on: where the gold can't be read, nobody can say that one is wrong."""


def reference_examples(context: StepContext, tokenizer: Any) -> tuple[pa.Table, dict[str, int]]:
    """EXAMPLE rows of the training prompts, at most one of each, and how many prompts have none by reason.

    `noReference`: the dataset has none. `wrongReference`: the task does not find the gold answer in it, so it would
    teach a model to answer where nobody reads (programs are not run for that). Raises `UserError` when none is left.
    """
    known = [prompt for prompt in context.prompts if prompt.solution]
    good = [prompt for prompt in known if _states_the_answer(context, prompt)]
    counts = {"noReference": len(context.prompts) - len(known), "wrongReference": len(known) - len(good)}
    if not good:
        raise UserError(
            f"spec.selection.seedTraining: References: {len(known):,} of {len(context.prompts):,} training prompts "
            "have a reference solution, none of which states its prompt's answer as spec.dataset.task reads it; map "
            "another spec.dataset.fields.rationale, or give None"
        )
    rows = [_example(context, tokenizer, prompt) for prompt in good]
    return pa.Table.from_pylist(rows, EXAMPLE), {name: count for name, count in counts.items() if count}


def reference_tokens(tokenizer: Any, prompt_tokens: Sequence[int], solution: str) -> list[int]:
    """A reference solution as the model would have sampled it after the prompt, its turn ended."""
    said = following(tokenizer, prompt_tokens, solution)
    end = end_of_turn(tokenizer)
    return said if end is None else [*said, end]


def _states_the_answer(context: StepContext, prompt: PromptRow) -> bool:
    if prompt.answer is None or context.spec.dataset.task == "Program":
        return True
    return context.task.check(prompt.rationale or "", prompt.answer, prompt.extra).flexible in _TRUE


def _example(context: StepContext, tokenizer: Any, prompt: PromptRow) -> dict[str, Any]:
    asked = render(tokenizer, prompt.messages, context.spec.generation.chat_template_kwargs)
    return {
        "prompt": prompt.id,
        "sample": 0,
        "iteration": 0,
        "strategy": "",
        "level": prompt.level,
        "prompt_tokens": asked,
        "tokens": reference_tokens(tokenizer, asked, prompt.solution or ""),
        "weight": 1.0,
    }
