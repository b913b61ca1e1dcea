"""Questions that stand twice in what a user gave: refused, all that is to be done about them in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfimprove.errors import UserError
from selfimprove_workers.datasets.rows import Draft

SHOWN = 3
"""How many are named; all are counted."""
_OTHERS_OWN = ("hf://", "package://")
_COPY = "give a copy of your own without that"


def refuse_repeats(drafts: Sequence[Draft], field: str, uri: str) -> None:
    """Raises `UserError` for an id of two questions, and for questions that stand more than once in one source."""
    ids: dict[str, Draft] = {}
    questions: dict[bytes, Draft] = {}
    repeats = []
    for draft in drafts:
        other = ids.setdefault(draft.row.id, draft)
        if other is not draft and other.question != draft.question:
            raise UserError(
                f"spec.dataset.fields.id: {draft.where} has the id {draft.row.id} of {other.where}; make ids unique"
            )
        first = questions.setdefault(draft.question, draft)
        if first is not draft:
            repeats.append((draft.where, first.where))
    if repeats:
        what = "one" if len(repeats) == 1 else "these"
        raise UserError(f"{field}.uri: {_said(repeats)}; {_COPY if _is_others(uri) else f'remove {what}'}")


def refuse_shared_questions(
    sets: Mapping[str, Sequence[Draft]], fields: Mapping[str, str], uris: Mapping[str, str]
) -> None:
    """Raises `UserError` for questions that stand in two sets; `fields`, `uris`: where the spec gives each, and what.

    A set without a URI is part of the first.
    """
    seen: dict[bytes, tuple[str, Draft]] = {}
    for name, drafts in sets.items():
        shared = []
        for draft in drafts:
            other, first = seen.setdefault(draft.question, (name, draft))
            if other != name:
                shared.append((draft.where, f"{first.where} of {fields[other]}"))
        if shared:
            what = "it" if len(shared) == 1 else "these"
            remedy = _COPY if all(map(_is_others, uris.values())) else f"remove {what} from one of them"
            raise UserError(f"{fields[name]}.uri: {_said(shared)}; {remedy}")


def _said(pairs: Sequence[tuple[str, str]]) -> str:
    """Each row with the one that asks the same before it, the first few of many."""
    if len(pairs) == 1:
        return "{} asks the same as {}".format(*pairs[0])
    named = ", ".join(f"{later} as {earlier}" for later, earlier in pairs[:SHOWN])
    more = f" and {len(pairs) - SHOWN:,} more" if len(pairs) > SHOWN else ""
    return f"{len(pairs):,} rows ask the same as another: {named}{more}"


def _is_others(uri: str) -> bool:
    """Whether a source is published by others, so that who begins a run can't change it."""
    return uri.startswith(_OTHERS_OWN)
