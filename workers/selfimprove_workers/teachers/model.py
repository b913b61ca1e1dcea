"""A model that is loaded here teaches: the run's own one, or another that takes its place for the while."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from selfimprove_workers.aside import Aside
from selfimprove_workers.chat import render
from selfimprove_workers.engines.base import Engine, SampleRequest
from selfimprove_workers.engines.ordering import in_order
from selfimprove_workers.teachers.base import TEMPERATURE, TOP_P, Answer, Question, Trouble


class ModelTeacher:
    """Answers by sampling. `engine` loads the model when it is called."""

    at_once = None

    def __init__(
        self,
        engine: Callable[[], Engine],
        max_tokens: int,
        template_kwargs: Mapping[str, Any],
        aside: Aside,
    ) -> None:
        self._engine, self._max_tokens, self._template_kwargs = engine, max_tokens, template_kwargs
        self._aside = aside

    def begin_round(self) -> None:
        """Nothing: a model that is loaded here answers."""

    def end_step(self) -> None:
        """Nothing, for the same reason."""

    def answers(self, questions: Sequence[Question]) -> Generator[Answer]:
        """One answer a question, all of them in one batch; what was said out of order is put aside at a signal."""
        engine = self._engine()
        requests = [self._request(engine, question) for question in questions]
        asked = [request for request in requests if request]
        with closing(self._aside.sample(self._engine, asked)) as drawn:
            completions, given = in_order(drawn), 0
            for request in requests:
                if request is None:
                    yield Answer(trouble=Trouble.TOO_LONG)
                    continue
                completion = next(completions, None)
                if completion is None:
                    self._aside.done(given)
                    self._aside.keep()
                    return
                given += 1
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
