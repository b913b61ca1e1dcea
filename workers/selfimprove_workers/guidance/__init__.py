"""Guidance strategies, one file each, found by their name in the spec."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from selfimprove.api.hinting import TEACHER, asks_a_teacher, readers_of
from selfimprove.api.selecting import Resampling, StrategyName
from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.base import Strategy
from selfimprove_workers.guidance.brute_force import BruteForce
from selfimprove_workers.guidance.interactive import Interactive
from selfimprove_workers.guidance.prefixes import TokenEnds
from selfimprove_workers.guidance.rationale_driven import RationaleDriven
from selfimprove_workers.guidance.solving import Solves, solves_for
from selfimprove_workers.guidance.state_reset import StateReset
from selfimprove_workers.tasks.base import Task
from selfimprove_workers.templates import Template, hint_among, hint_of

_TEMPLATE = "spec.resampling.template"

STRATEGIES: dict[StrategyName, Callable[[Resampling, Any, Solves], Strategy]] = {
    "BruteForce": lambda resampling, tokenizer, solves: BruteForce(),
    "AnswerDriven": lambda resampling, tokenizer, solves: AnswerDriven(_shown(resampling, "AnswerDriven")),
    "RationaleDriven": lambda resampling, tokenizer, solves: RationaleDriven(_shown(resampling, "RationaleDriven")),
    "Interactive": lambda resampling, tokenizer, solves: Interactive(
        _asked(resampling), _shown(resampling, "Interactive")
    ),
    "StateReset": lambda resampling, tokenizer, solves: StateReset(
        resampling.schedule, token_ends_of(tokenizer), solves
    ),
}


WEAKEST_FIRST: tuple[StrategyName, ...] = (
    "BruteForce",
    "Interactive",
    "StateReset",
    "AnswerDriven",
    "RationaleDriven",
)
"""What Adaptive chooses from, by how much the hint tells."""


def strategies_for(resampling: Resampling, tokenizer: Any, task: Task | None = None) -> list[Strategy]:
    """The strategy that a spec asks for; of Adaptive all that it may choose from, the weakest hint first.

    Adaptive asks a teacher only where one is named: its tokens are no student's. `task`: what checks answers, so that
    nothing is shown that it takes for one. Raises `ValueError` for None.
    """
    if resampling.strategy == "None":
        raise ValueError("strategy None guides nobody")
    names = WEAKEST_FIRST if resampling.strategy == "Adaptive" else (resampling.strategy,)
    untaught = resampling.strategy == "Adaptive" and resampling.teacher is None
    solves = solves_for(task)
    return [
        STRATEGIES[name](resampling, tokenizer, solves) for name in names if not (untaught and name == "Interactive")
    ]


def check_templates(resampling: Resampling) -> None:
    """Raises `UserError` for a template of the user's own by which a hint can't be given."""
    if (own := resampling.template) is not None and (hints := readers_of(resampling)):
        hint_among(hints, own, _TEMPLATE)
    if asks_a_teacher(resampling):
        _asked(resampling)


def _shown(resampling: Resampling, name: StrategyName) -> Template | None:
    """The user's template for the student of this strategy; None where there is none, or it is another's."""
    if (own := resampling.template) is None:
        return None
    whose, template = hint_among(readers_of(resampling), own, _TEMPLATE)
    return template if whose == name else None


def _asked(resampling: Resampling) -> Template:
    """The template for the teacher."""
    return hint_of(TEACHER, resampling.critique_template, "spec.resampling.critiqueTemplate")


def token_ends_of(tokenizer: Any) -> TokenEnds:
    """Where a tokenizer's tokens end in a text; words stand in for tokens where it keeps no offsets."""
    if not getattr(tokenizer, "is_fast", False):
        return lambda text: [found.end() for found in re.finditer(r"\s*\S+", text)]
    return lambda text: [
        end for _, end in tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    ]
