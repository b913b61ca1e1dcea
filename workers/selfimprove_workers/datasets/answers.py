"""Gold answers and choices as the task's checker wants them, each fault one line that names the row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from selfimprove.api.problem import on_one_line
from selfimprove.api.source import Dataset
from selfimprove.errors import UserError
from selfimprove_workers.datasets.columns import text_at, value_at
from selfimprove_workers.datasets.files import Row
from selfimprove_workers.tasks.choice import LETTERS, NUMBERS
from selfimprove_workers.tasks.math_task import gold_of

MATHEMATICAL = ("Math", "Program")
"""Tasks whose answers are compared as mathematics."""
MAX_GOLD = 300
"""A longer answer of such a task is a worked solution, not a final answer."""

CHOICE_NAMES = ("choices", "options")
"""What public sets call the column or the part of a struct that holds the choices."""

PERCENT_ASKED = re.compile(
    r"\b(?:what|which|how (?:many|much)|find|express\w*|as an?|in|by|the|calculate|determine)\b[^.?!]{0,60}"
    r"\bpercent(?:age|ages|s)?\b|\b(?:as an?|in) %|\bwhat %",
    re.IGNORECASE,
)


def gold_answer(dataset: Dataset, row: Row, choices: list[dict[str, str]] | None) -> str | None:
    """The gold answer of a row; None where the dataset maps none. Raises `UserError`."""
    field = "spec.dataset.fields.answer"
    if dataset.fields.answer is None:
        return None
    answer = (text_at(row, dataset.fields.answer, field) or "").strip()
    if dataset.answer_pattern is not None:
        answer = _matched(dataset.answer_pattern, answer, row)
    if not answer:
        raise UserError(f"{field}: {row.where} has an empty answer; fill or remove it")
    if dataset.task == "Choice":
        return _label(answer, choices, row)
    return _math_gold(answer, row) if dataset.task in MATHEMATICAL else answer


def answers_by(dataset: Dataset) -> str:
    """The field of the dataset that says where answers are, and its value."""
    field = "answerPattern" if dataset.answer_pattern is not None else "fields.answer"
    return on_one_line(f"{field}: {dataset.answer_pattern or dataset.fields.answer}")


def choices_of(dataset: Dataset, row: Row) -> list[dict[str, str]] | None:
    """The choices of a row as {label, text}; None where none are mapped.

    Shapes: {text: [...], label: [...]} (ARC), a list of texts (MMLU; labels A, B, ...), a list of {label, text},
    {A: ..., B: ...}. Raises `UserError`.
    """
    if dataset.fields.choices is None:
        return None
    field = f"spec.dataset.fields.choices: {dataset.fields.choices} in {row.where}"
    value = value_at(row, dataset.fields.choices, "spec.dataset.fields.choices")
    pairs = _pairs(value)
    if pairs is None:
        raise UserError(f"{field} is no list of choices; give texts, or a struct of text and label")
    labels = [label for label, _ in pairs]
    if len(pairs) < 2 or len(set(labels)) < len(labels) or not all(label and text for label, text in pairs):
        raise UserError(f"{field} has {len(pairs)} choices, which must be two or more, distinct and not empty; mend it")
    return [{"label": label, "text": text} for label, text in pairs]


def require_shown(dataset: Dataset, row: Row, question: str) -> None:
    """Refuse a multiple-choice row that has choices which its prompt does not show and no field maps.

    Such a question asks to choose among nothing. Raises `UserError`.
    """
    if dataset.task != "Choice":
        return
    shown = question.casefold()
    for path, value in _named_choices(row.values):
        pairs = _pairs(value) or []
        if len(pairs) > 1 and not all(text.strip().casefold() in shown for _, text in pairs):
            raise UserError(
                f"spec.dataset.fields.choices: {row.where} has {len(pairs)} choices in {path}, which its prompt does "
                f"not show; map them with `choices: {path}`"
            )


def asks_for_percentage(question: str) -> bool:
    """Whether a question asks for a percentage, so that 5 and 5% answer it alike."""
    return PERCENT_ASKED.search(question) is not None


def _named_choices(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is called choices in a row, by its path: columns, and parts of structs."""
    for name, value in values.items():
        if name.lower() in CHOICE_NAMES:
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items() if part.lower() in CHOICE_NAMES)


def _pairs(value: Any) -> list[tuple[str, str]] | None:
    if isinstance(value, list):
        if all(isinstance(item, dict) and "text" in item for item in value):
            return [
                (str(item.get("label", letter)), str(item["text"]))
                for item, letter in zip(value, LETTERS, strict=False)
            ]
        return [(letter, str(text)) for letter, text in zip(LETTERS, value, strict=False)] if len(value) <= 10 else None
    if not isinstance(value, dict):
        return None
    texts, labels = value.get("text"), value.get("label")
    if isinstance(texts, list) and isinstance(labels, list) and len(texts) == len(labels):
        return [(str(label).strip(), str(text)) for label, text in zip(labels, texts, strict=True)]
    if value and all(isinstance(text, str | int | float) for text in value.values()):
        return [(str(label), str(text)) for label, text in value.items()]
    return None


def _label(answer: str, choices: list[dict[str, str]] | None, row: Row) -> str:
    """The label that an answer column means: the label itself, an index from 0 into lettered choices, or the text."""
    if choices is None:
        if answer in LETTERS + NUMBERS:
            return answer
        raise UserError(
            f"spec.dataset.fields.answer: {answer[:40]!r} in {row.where} is no label from A to J or 1 to 4; "
            "map fields.choices"
        )
    labels = [choice["label"] for choice in choices]
    if answer in labels:
        return answer
    if answer.isdigit() and int(answer) < len(labels) and labels == list(LETTERS[: len(labels)]):
        return labels[int(answer)]
    texts = [choice["label"] for choice in choices if choice["text"].strip() == answer]
    if len(texts) == 1:
        return texts[0]
    known = ", ".join(labels)
    raise UserError(f"spec.dataset.fields.answer: {answer[:40]!r} in {row.where} is none of {known}; mend it")


def _math_gold(answer: str, row: Row) -> str:
    gold = gold_of(answer)
    if len(gold) > MAX_GOLD or "\n" in gold:
        hint = '; for this one: "#### (.*)"' if "####" in gold else ""
        raise UserError(
            f"spec.dataset.answerPattern: {row.where} has a worked solution of {len(gold)} characters as its answer; "
            f"give a pattern whose group 1 is the final answer{hint}"
        )
    return gold


def _matched(pattern: str, answer: str, row: Row) -> str:
    match = _compiled(pattern).search(answer)
    if match is None:
        end = " ".join(answer.split())
        tail = f"...{end[-60:]}" if len(end) > 60 else end
        shown = on_one_line(pattern)
        raise UserError(f"spec.dataset.answerPattern: {shown} matches nothing in {row.where} ({tail!r}); mend it")
    return ((match[1] if match.re.groups else match[0]) or "").strip()


@lru_cache(maxsize=16)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UserError(f"spec.dataset.answerPattern: {pattern} is no regular expression ({error}); mend it") from error
