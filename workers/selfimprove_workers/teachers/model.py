"""A model that is loaded here teaches: the run's own one, or another that takes its place for the while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from selfimprove_workers.chat import render
from selfimprove_workers.engines.base import Engine, SampleRequest
from selfimprove_workers.engines.ordering import in_order, until_stopped
from selfimprove_workers.teachers.base import TEMPERATURE, TOP_P, Answer, Question, Trouble


class ModelTeacher:
    """Answers by sampling. `engine` loads the model when it is called."""

    at_once = None

    def __init__(
        self,
        engine: Callable[[], Engine],
        max_tokens: int,
        template_kwargs: Mapping[str, Any],
        stopping: threading.Event,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self._engine, self._max_tokens, self._template_kwargs = engine, max_tokens, template_kwargs
        self._stopping, self._check = stopping, check

    def check(self) -> None:
        """See that the model's files are there."""
        self._check()

    def begin_round(self) -> None:
        """Nothing: a model that is loaded here answers."""

    def answers(self, questions: Sequence[Question]) -> Generator[Answer]:
        """One answer a question, all of them in one batch."""
        engine = self._engine()
        requests = [self._request(engine, question) for question in questions]
        asked = [request for request in requests if request]
        with closing(until_stopped(self._engine, asked, self._stopping)) as done:
            completions = in_order(done)
            for request in requests:
                if request is None:
                    yield Answer(trouble=Trouble.TOO_LONG)
                    continue
                completion = next(completions, None)
                if completion is None:
                    return
                text = engine.tokenizer.decode(completion.tokens, skip_special_tokens=True)
                yield Answer(text, len(completion.tokens))

    def _request(self, engine: Engine, question: Question) -> SampleRequest | None:
        """The longest form of a question that leaves room for an answer; None where none does."""
        for tokens in self._rendered(engine, question):
            if len(tokens) + self._max_tokens <= engine.max_model_len:
                return SampleRequest(tokens, question.seed, self._max_tokens, TEMPERATURE, TOP_P)
        return None

    def _rendered(self, engine: Engine, question: Question) -> Iterator[list[int]]:
        for text in question.texts:
            yield render(engine.tokenizer, [{"role": "user", "content": text}], self._template_kwargs)
