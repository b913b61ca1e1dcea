"""Rows of samples that no run of ours has made, as the verification methods see them.

A score is known by what it was made from: the method, the model and the words it read. So a file that was scored
before is gone on with, and a changed template, model or response is scored anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

from selfimprove.artifacts import digest_of
from selfimprove.errors import UserError
from selfimprove_workers.datasets.rows import content_id
from selfimprove_workers.verifiers.base import Candidate

Row = dict[str, Any]


class Sample(NamedTuple):
    """A row of the file, and what of it is judged."""

    row: Row
    candidate: Candidate


def samples_of(rows: Iterable[object], place: str) -> list[Sample]:
    """The rows as samples, those of one prompt side by side, prompts in the order they first come.

    A row without `prompt` belongs with those that ask the same; one without `sample` is numbered. `place`: the file,
    for messages. Raises `UserError` naming the row and what to mend.
    """
    prompts: dict[str, list[Sample]] = defaultdict(list)
    for number, row in enumerate(rows, 1):
        sample = _sample(row, partial(_refuse, place, number), prompts)
        prompts[sample.candidate.prompt].append(sample)
    if not prompts:
        raise UserError(f"{place}: holds no samples; give one object a row")
    for prompt, samples in prompts.items():
        _check_prompt(place, prompt, samples)
    return [sample for samples in prompts.values() for sample in samples]


def whole_prompts(samples: Sequence[tuple[Sample, str]], at_least: int) -> Iterator[list[tuple[Sample, str]]]:
    """Samples, each with its key, some whole prompts at a time; those of one prompt are neighbours."""
    batch: list[tuple[Sample, str]] = []
    for each in samples:
        if len(batch) >= at_least and each[0].candidate.prompt != batch[-1][0].candidate.prompt:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def words_of(candidate: Candidate) -> str:
    """A digest of which sample it is, and what it says to whom."""
    return digest_of("sample", candidate.prompt, candidate.sample, list(candidate.messages), candidate.text)


def score_keys(recipe: str, samples: Sequence[Sample], compares: bool) -> list[str]:
    """What each sample's score is made from.

    `recipe`: of the method and the model; `compares`: the other samples of its prompt count too.
    """
    fields: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for _, candidate in samples if compares else ():
        fields[candidate.prompt].append((words_of(candidate), candidate.answer))
    whole = {prompt: digest_of(sorted(field, key=str)) for prompt, field in fields.items()}
    return [digest_of(recipe, words_of(c), whole.get(c.prompt))[:32] for _, c in samples]


def _sample(row: object, refuse: Callable[[str], NoReturn], prompts: Mapping[str, list[Sample]]) -> Sample:
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
    sample = row.get("sample")
    if sample is None:
        sample = len(prompts.get(str(prompt), ()))
    elif isinstance(sample, bool) or not isinstance(sample, int) or sample < 0:
        refuse("has a sample that is no number; give a whole number from 0, or leave it out")
    candidate = Candidate(
        prompt=str(prompt),
        sample=sample,
        messages=messages,
        text=text,
        prompt_tokens=(),
        tokens=(),
        answer=None if answer is None else str(answer),
    )
    return Sample(row, candidate)


def _messages(row: Row, refuse: Callable[[str], NoReturn]) -> list[dict[str, str]]:
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


def _check_prompt(place: str, prompt: str, samples: Sequence[Sample]) -> None:
    """One question, and every sample once: else samples of two prompts would compete, or one with itself."""
    numbers = [candidate.sample for _, candidate in samples]
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise UserError(
            f"{place}: prompt {prompt} has sample {twice} twice; number the samples of a prompt, or leave sample out"
        )
    if any(candidate.messages != samples[0].candidate.messages for _, candidate in samples):
        raise UserError(f"{place}: prompt {prompt} asks two different questions; give each an id of its own")


def _refuse(place: str, number: int, what: str) -> NoReturn:
    raise UserError(f"{place}: row {number} {what}")
