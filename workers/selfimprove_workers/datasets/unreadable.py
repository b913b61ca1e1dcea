"""Gold answers that nothing can be compared with: public sets have single ones, which are borne and said."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.api.source import Dataset
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove.filtering import GROUND_TRUTH, methods_of
from selfimprove.left_out import PROMPTS_OF
from selfimprove_workers.datasets.answers import MATHEMATICAL, answers_by
from selfimprove_workers.datasets.rows import Draft
from selfimprove_workers.tasks.math_task import read_gold

_SHOWN = 40


def unreadable(task: str, drafts: Sequence[Draft]) -> list[Draft]:
    """The prompts whose answer the task can't read, so that every sample of theirs will be GoldUnparsable.

    Of tasks that compare answers as mathematics; others can read whatever their loading has let pass.
    """
    if task not in MATHEMATICAL:
        return []
    return [draft for draft in drafts if draft.row.answer is not None and read_gold(draft.row.answer) is None]


def require_readable(dataset: Dataset, drafts: Sequence[Draft], unread: Sequence[Draft]) -> None:
    """Refuse a set of which no gold says anything: nothing in it could ever be right. Raises `UserError`."""
    if not unread or len(unread) < len(drafts):
        return
    raise UserError(
        f"spec.dataset.{answers_by(dataset)} gives {_shown(unread[0])}, which can't be read as an answer, and none of "
        f"{len(drafts):,} can; give a pattern whose group 1 is the final answer, or another column"
    )


def unreadable_answers(spec: Spec, split: str, unread: Sequence[Draft], prompts: int) -> list[str]:
    """One line about a set of `prompts` prompts of which some answers can't be read; none where all can."""
    if not unread:
        return []
    return [
        f"spec.dataset.{answers_by(spec.dataset)} gives answers that can't be read for {len(unread):,} of the "
        f"{prompts:,} {PROMPTS_OF[split]} prompts, as {_shown(unread[0])}; these count nowhere"
        f"{_trained_on(spec) if split == 'train' else ''}; mend or remove them"
    ]


def _shown(draft: Draft) -> str:
    return f"{(draft.row.answer or '')[:_SHOWN]!r} of {draft.where}"


def _trained_on(spec: Spec) -> str:
    """What becomes of such a prompt in training: only the ground truth has a need of its answer."""
    if GROUND_TRUTH not in methods_of(spec):
        return ""
    return ", train nothing" + ("" if spec.resampling.strategy == "None" else " and are not sampled again")
