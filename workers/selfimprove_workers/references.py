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

VERSION = "references-3"
"""To be raised when the same dataset gives other examples."""


def reference_examples(context: StepContext, tokenizer: Any) -> tuple[pa.Table, dict[str, int]]:
    """EXAMPLE rows of the training prompts, at most one of each, and how many prompts have none by reason.

    `noReference`: the dataset has none. `wrongReference`: the task does not find the gold answer in it, so it would
    teach a model to answer where nobody reads (programs are not run for that). `unreadableGold`: the task can't read
    the prompt's answer, so nobody can say that its reference is right. Raises `UserError` when none is left.
    """
    known = [prompt for prompt in context.prompts if prompt.solution]
    verdicts = [_verdict(context, prompt) for prompt in known]
    good = [prompt for prompt, verdict in zip(known, verdicts, strict=True) if verdict is Verdict.CORRECT]
    unreadable = verdicts.count(Verdict.GOLD_UNPARSABLE)
    counts = {
        "noReference": len(context.prompts) - len(known),
        "wrongReference": len(known) - len(good) - unreadable,
        "unreadableGold": unreadable,
    }
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


def _verdict(context: StepContext, prompt: PromptRow) -> Verdict:
    """Whether a prompt's solution states its answer; of a prompt without one, and of programs, it is believed to."""
    if prompt.answer is None or context.spec.dataset.task == "Program":
        return Verdict.CORRECT
    return context.task.check(prompt.rationale or "", prompt.answer, prompt.extra).flexible


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
