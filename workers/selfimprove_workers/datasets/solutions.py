"""Reference solutions that a run is to show or to train on: a mapped column may hold none."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove_workers.datasets.rows import PromptRow

_SHOWN_BY = ("RationaleDriven", "StateReset")


def require_solutions(spec: Spec, train: Sequence[PromptRow]) -> None:
    """Refuse training prompts of which none has a solution where there is a need of them. Raises `UserError`."""
    column, user = spec.dataset.fields.rationale, _needed_by(spec)
    if column is not None and user is not None and not any(prompt.solution for prompt in train):
        raise UserError(
            f"spec.dataset.fields.rationale: {column} holds nothing for any of the {len(train):,} training prompts, "
            f"and {user} needs it; map the column of the solutions, or give another"
        )


def lacking_solutions(spec: Spec, train: Sequence[PromptRow]) -> list[str]:
    """How many training prompts lack a solution that could be used, as one line; none where all have theirs."""
    column, adaptive = spec.dataset.fields.rationale, spec.resampling.strategy == "Adaptive"
    user = _needed_by(spec) or ("spec.resampling.strategy: Adaptive" if adaptive else None)
    lacking = sum(not prompt.solution for prompt in train)
    if column is None or user is None or not lacking:
        return []
    return [
        f"spec.dataset.fields.rationale: {column} holds nothing for {lacking:,} of the {len(train):,} training "
        f"prompts; {user} has nothing to go by there"
    ]


def _needed_by(spec: Spec) -> str | None:
    """What can't do without solutions, as its field and value."""
    if spec.resampling.strategy in _SHOWN_BY:
        return f"spec.resampling.strategy: {spec.resampling.strategy}"
    return "spec.selection.seedTraining: References" if spec.selection.seed_training == "References" else None
