"""Rows of samples that no run of ours has made, as the verification methods see them.

A score is known by what it was made from: the method, the model and the words it read. So a file that was scored
before is gone on with, and a changed template, model or response is scored anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

from selfimprove.artifacts import digest_of
from selfimprove.errors import UserError
from selfimprove.prompt_ids import content_id
from selfimprove.samples_file import sample_of, scores_of, shown
from selfimprove_workers.verifiers.base import Candidate

MARKS = ("scores", "mass", "critiques", "scoredBy")
"""The maps of a row, by method, that hold what was scored."""

Row = dict[str, Any]
Messages = list[dict[str, str]]


class Given(NamedTuple):
    """What a row says that is judged."""

    row: Row
    prompt: str
    """Its id; where the row has none, one made from what was asked."""
    sample: int | None
    """None: to be numbered."""
    messages: Messages
    text: str
    answer: str | None


def read_row(row: object, number: int, place: str) -> Given:
    """A row as it stands. `place`, `number`: the file and the row, for messages.

    Raises `UserError` naming the row and what to mend.
    """
    refuse = partial(_refuse, place, number)
    if not isinstance(row, dict):
        refuse(f"is a {type(row).__name__}; give one object a row")
    messages, text, answer = _messages(row, refuse), row.get("response"), row.get("answer")
    if not isinstance(text, str):
        refuse("has no response; give the model's words as text")
    prompt = row.get("prompt")
    if prompt is None:
        prompt = content_id(messages)
    elif isinstance(prompt, bool | float | dict | list) or prompt == "":
        refuse("has a prompt that is no id; give the prompt's id as text, or leave it out")
    try:
        sample = sample_of(row.get("sample"))
        scores_of(row.get("scores"))
    except ValueError as error:
        refuse(str(error))
    _check_marks(row, refuse)
    return Given(row, str(prompt), sample, messages, text, None if answer is None else str(answer))


def words_of(prompt: str, sample: int, messages: Messages, text: str) -> str:
    """A digest of which sample it is, and what it says to whom."""
    return digest_of("sample", prompt, sample, messages, text)


def candidate_of(prompt: str, sample: int, messages: Messages, text: str, answer: str | None) -> Candidate:
    """A sample as the methods see it: as text, since nobody knows its tokens."""
    return Candidate(prompt, sample, messages, text, prompt_tokens=(), tokens=(), answer=answer)


def score_keys(recipe: str, samples: Sequence[tuple[str, str | None]], compares: bool) -> list[str]:
    """What the score of each sample of one prompt is made from.

    `recipe`: of the method and the model; `samples`: words and answer of all samples of the prompt; `compares`: the
    others count too.
    """
    whole = digest_of(sorted(samples, key=str)) if compares else None
    return [digest_of(recipe, words, whole)[:32] for words, _ in samples]


def _check_marks(row: Row, refuse: Callable[[str], NoReturn]) -> None:
    """What else the new scores are to stand beside: what is no map of methods could only be written over."""
    for name in MARKS[1:]:
        if row.get(name) is not None and not isinstance(row[name], dict):
            refuse(f"has {name} {shown(row[name])}, which scoring keeps by method; give an object, or rename it")


def _messages(row: Row, refuse: Callable[[str], NoReturn]) -> Messages:
    """The chat that asks: `messages` where the row has them, else its question as the only one."""
    messages, question = row.get("messages"), row.get("question")
    if messages is None:
        if not isinstance(question, str) or not question.strip():
            refuse("has no question; give what was asked as text")
        return [{"role": "user", "content": question}]
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        refuse('has messages that are no chat; give [{"role": "user", "content": "..."}], or a question')
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def _is_message(message: object) -> bool:
    return isinstance(message, dict) and all(isinstance(message.get(name), str) for name in ("role", "content"))


def _refuse(place: str, number: int, what: str) -> NoReturn:
    raise UserError(f"{place}: row {number} {what}")
