"""Rows of files as prompts: `fields`, `template`, `answerPattern` and the rest of `dataset` applied to each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from selfimprove.api.source import Dataset
from selfimprove.errors import UserError
from selfimprove.prompt_ids import content_id
from selfimprove_workers.datasets.answers import (
    MATHEMATICAL,
    asks_for_percentage,
    choices_of,
    gold_answer,
    require_shown,
)
from selfimprove_workers.datasets.columns import some_text_at, text_at, value_at
from selfimprove_workers.datasets.files import Row
from selfimprove_workers.datasets.prompting import Prompter
from selfimprove_workers.datasets.rows import Draft, PromptRow, question_key


def map_rows(dataset: Dataset, rows: Iterable[Row]) -> Iterator[Draft]:
    """The prompts of a dataset's rows, in order. Raises `UserError` naming the row and the field."""
    prompter = Prompter(dataset)
    for row in rows:
        choices = choices_of(dataset, row)
        asked = value_at(row, dataset.fields.prompt, "spec.dataset.fields.prompt")
        messages, question = prompter.chat(row, asked, choices)
        if choices is None:
            require_shown(dataset, row, question)
        prompt = PromptRow(
            id=_given_id(dataset, row) or content_id(messages),
            messages=messages,
            answer=gold_answer(dataset, row, choices),
            rationale=some_text_at(row, dataset.fields.rationale, "spec.dataset.fields.rationale"),
            level=some_text_at(row, dataset.fields.difficulty, "spec.dataset.fields.difficulty"),
            extra=_extra(dataset, choices, question),
        )
        yield Draft(prompt, row.where, question_key(question))


def _given_id(dataset: Dataset, row: Row) -> str | None:
    if dataset.fields.id is None:
        return None
    given = text_at(row, dataset.fields.id, "spec.dataset.fields.id")
    if not given:
        raise UserError(f"spec.dataset.fields.id: {row.where} has no id; fill it, or leave fields.id out")
    return given


def _extra(dataset: Dataset, choices: list[dict[str, str]] | None, question: str) -> dict[str, Any] | None:
    if choices is not None:
        return {"choices": choices}
    return {"percent": True} if dataset.task in MATHEMATICAL and asks_for_percentage(question) else None
