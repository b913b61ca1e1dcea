"""What a teacher says of wrong attempts: asked once, kept, and refused where it gives the answer away."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pyarrow as pa

from selfimprove.artifacts import PartWriter, read_rows
from selfimprove_workers.context import StepContext
from selfimprove_workers.guidance.golds import option_of
from selfimprove_workers.guidance.interactive import Interactive
from selfimprove_workers.guidance.naming import is_said_anyway, names_answer
from selfimprove_workers.guidance.numbering import without_numbering
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.sampling import SECONDS_A_PART
from selfimprove_workers.tasks.base import Task, Verdict
from selfimprove_workers.teachers.base import Answer, Question, Teacher, Trouble
from selfimprove_workers.turns import Turn
from selfimprove_workers.wrong_attempts import latest_wrong

CRITIQUE = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("round", pa.int32(), False),
        pa.field("outcome", pa.string(), False),  # "given", or why the student gets none
        pa.field("critique", pa.string(), False),  # what the teacher wrote, also where it was refused
        pa.field("tokens", pa.int32(), False),
    ]
)
"""One question to the teacher."""

GIVEN = "given"
STATES_ANSWER = "states the answer"
NOTHING_WRONG = "no wrong attempt"

_LEAST_LETTERS = 10
"""Of whatever alphabet; fewer say nothing of a solution."""


class Consultant:
    """Asks the teacher for the turns that need it. `writer` keeps what it said, so that nothing is asked twice."""

    def __init__(self, context: StepContext, teacher: Teacher, writer: PartWriter) -> None:
        self._context, self._teacher, self._writer = context, teacher, writer
        batches = read_rows(context.store, writer.parts, CRITIQUE)
        self._round = 0
        self._known: dict[tuple[int, str], dict[str, Any]] = {}
        self.dearest = 0
        """Tokens of the most expensive answer so far: an endpoint may not keep to the length it is asked for."""
        self._know([row for batch in batches for row in batch.to_pylist()])

    def asked(self, turn: Turn, round: int) -> bool:
        """Whether a turn's critique costs nothing any more: it was asked for, or none is needed."""
        return not turn.strategy.needs_teacher or (round, turn.prompt.prompt.id) in self._known

    def tokens(self, turn: Turn, round: int) -> int:
        """What a turn's critique has cost."""
        row = self._known.get((round, turn.prompt.prompt.id)) if turn.strategy.needs_teacher else None
        return int(row["tokens"]) if row else 0

    def consulted(
        self, turns: Sequence[Turn], round: int, affordable: Callable[[Sequence[Turn]], Sequence[Turn]]
    ) -> list[Turn]:
        """The turns with their critiques; without one where the teacher could not give any that may be shown.

        `affordable`: those of some turns, from the first, that may still be paid for. An endpoint is asked for as many
        critiques at a time as may be on their way, and only turns that stay affordable come back. Raises
        `TerminatedError` when a signal came, after what was said is kept.
        """
        if missing := sum(not self.asked(turn, round) for turn in turns):
            self._context.progress.start(f"{self._context.step.name} round {round}, teacher", missing)
        limited = self._context.spec.resampling.max_tokens is not None
        at_once = (self._teacher.at_once if limited else None) or max(len(turns), 1)
        for at in range(0, len(turns), at_once):
            self._ask([turn for turn in turns[at : at + at_once] if not self.asked(turn, round)], round)
            turns = affordable(turns)
        return [replace(turn, critique=self._critique(turn, round)) for turn in turns]

    def _critique(self, turn: Turn, round: int) -> str | None:
        row = self._known.get((round, turn.prompt.prompt.id)) if turn.strategy.needs_teacher else None
        return row["critique"] if row and row["outcome"] == GIVEN else None

    def _ask(self, turns: Sequence[Turn], round: int) -> None:
        """Ask in the order of the turns, and keep what was said every now and then."""
        if not turns:
            return
        if round != self._round:
            self._teacher.begin_round()
            self._round = round
        asking = [self._question(turn, round) for turn in turns]
        held: list[dict[str, Any]] = []
        since = time.monotonic()
        with closing(self._teacher.answers([question for question in asking if question])) as answers:
            for turn, question in zip(turns, asking, strict=True):
                answer = next(answers, None) if question else Answer()
                if answer is None:
                    break
                held.append(self._row(turn.prompt.prompt, round, answer, bool(question)))
                self._context.progress.advance(1, answer.tokens)
                if time.monotonic() - since > SECONDS_A_PART:
                    self._keep(held)
                    held, since = [], time.monotonic()
        self._keep(held)
        self._context.stop_if_asked()

    def _question(self, turn: Turn, round: int) -> Question | None:
        assert isinstance(turn.strategy, Interactive)  # the one strategy that needs a teacher
        prompt, context = turn.prompt, self._context
        wrong = latest_wrong(context.task, context.spec.dataset.grading, prompt.prompt, prompt.attempts)
        texts = turn.strategy.ask(prompt.prompt.messages, prompt.reference, wrong)
        return Question(texts, context.seed("Critique", prompt.prompt.id, 0, round)) if texts else None

    def _row(self, prompt: PromptRow, round: int, answer: Answer, asked: bool) -> dict[str, Any]:
        text = without_thoughts(answer.text)
        outcome = outcome_of(self._context.task, prompt, answer, text) if asked else NOTHING_WRONG
        return {"prompt": prompt.id, "round": round, "outcome": outcome, "critique": text, "tokens": answer.tokens}

    def _keep(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        counts = Counter(f"critique.{row['outcome']}" for row in rows)
        self._writer.write(rows, len(rows), {**counts, "tokens": sum(row["tokens"] for row in rows)})
        self._know(rows)

    def _know(self, rows: Sequence[dict[str, Any]]) -> None:
        self._known.update({(row["round"], row["prompt"]): row for row in rows})
        self.dearest = max([self.dearest, *(row["tokens"] for row in rows)])


def outcome_of(task: Task, prompt: PromptRow, answer: Answer, text: str) -> str:
    """What a critique comes to, its thoughts left out of `text`: `GIVEN`, or why the student gets none."""
    if answer.trouble:
        return answer.trouble.value
    if sum(map(str.isalpha, text)) < _LEAST_LETTERS:
        return Trouble.NONSENSE.value
    gold, question = prompt.answer or "", prompt.messages[-1]["content"] if prompt.messages else ""
    option = option_of(gold, question, prompt.extra)
    check = task.check(without_numbering(text, gold, question), gold, prompt.extra)
    read = check.strict if is_said_anyway(gold, option, question) else check.flexible
    named = names_answer(text, gold, option, question)
    return STATES_ANSWER if named or read is Verdict.CORRECT else GIVEN


def without_thoughts(text: str) -> str:
    """What a reasoning model says after its thoughts; nothing where it never came to an end of them."""
    before, closed, after = text.rpartition("</think>")
    return after.strip() if closed else "" if "<think>" in before + after else text.strip()
