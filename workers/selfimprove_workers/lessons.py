"""The rounds of `resample`: who has a turn, as long as rounds and tokens last, from where an attempt stopped."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property, partial

from selfimprove.api.probing import most_draws
from selfimprove_workers.book import Book
from selfimprove_workers.consulting import Consultant
from selfimprove_workers.context import StepContext
from selfimprove_workers.guidance.base import Attempt
from selfimprove_workers.tail import TailPrompt
from selfimprove_workers.turns import Course, Turn
from selfimprove_workers.tutoring import Tutor

_log = logging.getLogger(__name__)

SAMPLES_AT_ONCE = 512
"""Drawn, judged and committed together where a model judges; else a round is one batch, committed as it goes."""


class Lessons:
    """Every round that is allowed, those of earlier attempts at this step first, from what they left."""

    def __init__(self, context: StepContext, course: Course, book: Book, consultant: Consultant, tutor: Tutor) -> None:
        self._context, self._course, self._book = context, course, book
        self._consultant, self._tutor = consultant, tutor
        self._recorded, self._done = book.recorded(), book.samples.prompts_done
        self._kept_back: dict[str, int] = {}
        """Prompt -> draws of the leak probe that it is owed, since it was won."""

    def give(self, prompts: Sequence[TailPrompt]) -> int:
        """Guide these prompts until none is left, or the rounds or the tokens are used up.

        How many were still short of the target when it was the tokens that ended it; else 0.
        """
        settings = self._context.spec.resampling
        for round in range(1, settings.max_rounds + 1):
            pool = [prompt for prompt in prompts if prompt.accepted < settings.target]
            for group in self._course.groups(pool):
                if not self._group(self._course.turns(group, round), round):
                    return self._out_of_tokens(prompts, round)
        return 0

    def _out_of_tokens(self, prompts: Sequence[TailPrompt], round: int) -> int:
        settings = self._context.spec.resampling
        short = sum(prompt.accepted < settings.target for prompt in prompts)
        _log.warning(
            "spec.resampling.maxTokens: what is left of %s%s pays for no further turn in round %d of %d; %d prompts "
            "still have fewer than %d accepted samples",
            self._budget,
            " beside the leak probe" if settings.leak_probe else "",
            *(round, settings.max_rounds, short, settings.target),
        )
        return short

    @property
    def _budget(self) -> str:
        """What this shard may spend, as a person reads it."""
        whole, shards = self._context.spec.resampling.max_tokens, self._context.shards
        return f"{self._book.budget:.0f} (this shard's share of {whole})" if shards > 1 else str(whole)

    def _group(self, turns: list[Turn], round: int) -> bool:
        """What one group's turns bring; False when the tokens that are left would not pay for the next one."""
        past, turns = turns[: self._done], turns[self._done :]
        self._done -= len(past)
        for turn in past:
            self._learn(turn, round, *self._recorded.get((round, turn.prompt.prompt.id), ([], 0)))
        if not turns:
            return True
        self._context.progress.start(f"{self._context.step.name} round {round}", len(past) + len(turns), len(past))
        while turns:
            affordable = partial(self._affordable, round)
            now = self._consultant.consulted(affordable(turns[: self._most_at_once]), round, affordable)
            if not now:
                return False
            for lesson in self._tutor.lessons(now, round):
                self._book.write(lesson)
                for turn in turns[: lesson.prompts]:
                    prompt = turn.prompt.prompt.id
                    self._learn(turn, round, lesson.attempts.get(prompt, []), lesson.tokens[prompt])
                turns = turns[lesson.prompts :]
                self._context.stop_if_asked()
            self._context.stop_if_asked()
        return True

    def _learn(self, turn: Turn, round: int, attempts: list[Attempt], tokens: int) -> None:
        turn.prompt.learn(attempts)
        if any(attempt.accepted for attempt in attempts):
            self._kept_back.setdefault(turn.prompt.prompt.id, self._owed(turn))
        self._course.learn(turn, attempts, tokens + self._consultant.tokens(turn, round))

    @cached_property
    def _most_at_once(self) -> int | None:
        """Turns that are drawn together; None for as many as there are."""
        if self._tutor.judges_while_drawing:
            return None
        return SAMPLES_AT_ONCE // self._context.spec.resampling.samples_per_round or 1

    def _affordable(self, round: int, turns: Sequence[Turn]) -> Sequence[Turn]:
        """The turns, from the first, that stay within the budget even when all that they draw is of full length.

        A critique that is still to come is taken to cost as much as the most expensive one so far. The leak probe of
        every prompt that was won, or may be by then, is kept back.
        """
        longest = self._context.spec.generation.max_tokens
        critique = max(longest, self._consultant.dearest)
        left = self._book.left - longest * sum(self._kept_back.values())
        for at, turn in enumerate(turns):
            owed = 0 if turn.prompt.prompt.id in self._kept_back else self._owed(turn)
            left -= longest * (self._context.spec.resampling.samples_per_round + owed)
            left -= 0 if self._consultant.asked(turn, round) else critique
            if left < 0:
                return turns[:at]
        return turns

    def _owed(self, turn: Turn) -> int:
        """Draws of the leak probe that a turn's prompt is owed once it is won."""
        return most_draws(turn.strategy.needs_prefix) if self._context.spec.resampling.leak_probe else 0
