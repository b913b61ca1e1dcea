"""One round of guided attempts at some tail prompts: shown with a hint, stored without it, judged like any sample."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from selfimprove.filtering import GROUND_TRUTH
from selfimprove.weighting import Floats
from selfimprove_workers import chat
from selfimprove_workers.aside import Aside
from selfimprove_workers.choosing import ACCEPTED, NOT_ACCEPTED, REASONS, TRUNCATED
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.base import Completion, Engine, SampleRequest
from selfimprove_workers.engines.ordering import in_order
from selfimprove_workers.examining import Examiner, critique_counts, judges_of
from selfimprove_workers.guidance.base import Attempt
from selfimprove_workers.guidance.golds import gold_position
from selfimprove_workers.guidance.leaks import leak_of
from selfimprove_workers.guidance.solving import solves_for
from selfimprove_workers.judging import absolute_rules, accepted
from selfimprove_workers.sampling import SECONDS_A_PART, Plan
from selfimprove_workers.tail import TailPrompt
from selfimprove_workers.turns import Turn
from selfimprove_workers.verifiers.base import Candidate
from selfimprove_workers.wrong_attempts import latest_wrong


@dataclass(frozen=True)
class Planned:
    """One guided sample to draw."""

    turn: Turn
    sample: int
    prefix: str
    prefix_tokens: list[int]
    request: SampleRequest

    @property
    def prompt(self) -> TailPrompt:
        """Whose sample it is."""
        return self.turn.prompt


@dataclass(frozen=True)
class Lesson:
    """What a round brought of some prompts: SAMPLE rows, one DECISION row each, and what to count."""

    prompts: int
    """How many prompts had their turn, those that were too long to ask included."""
    rows: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    counts: dict[str, int]
    given: list[dict[str, Any]]
    """One GIVEN row for each sample that was begun from a prefix."""

    @cached_property
    def attempts(self) -> dict[str, list[Attempt]]:
        """What came of each prompt's turn."""
        found: dict[str, list[Attempt]] = {}
        for row, decision in zip(self.rows, self.decisions, strict=True):
            found.setdefault(row["prompt"], []).append(attempt_of(row["text"], decision["reason"]))
        return found

    @cached_property
    def tokens(self) -> Counter[str]:
        """What was sampled in each prompt's turn."""
        found: Counter[str] = Counter()
        for row in self.rows:
            found[row["prompt"]] += sampled_tokens(row)
        return found


class Tutor:
    """Draws and judges guided samples."""

    def __init__(self, context: StepContext, aside: Aside) -> None:
        self._context, self._aside = context, aside
        self._sampling = Plan.of_generation(context.spec)
        self._judges = {judge.name: judge for judge in judges_of(context.spec)}
        self._rules = absolute_rules(context.spec)
        self._examiner = Examiner(context)
        self._solves = solves_for(context.task)

    def lessons(self, turns: Sequence[Turn], round: int) -> Iterator[Lesson]:
        """`samplesPerRound` guided samples in every turn, in order, as lessons of some turns each.

        Ends early when a signal came. The prompts themselves learn nothing of it: that is the caller's.
        """
        plans = [self._plan(turn, round) for turn in turns]
        requests = [plan.request for each in plans for plan in each]
        held: list[tuple[Turn, list[Planned], list[Completion]]] = []
        since, taken = time.monotonic(), 0
        with closing(self._aside.sample(self._context.engine, requests)) as drawn:
            ordered = in_order(drawn)
            for turn, plan in zip(turns, plans, strict=True):
                done = list(islice(ordered, len(plan)))
                if len(done) < len(plan):
                    break
                held.append((turn, plan, done))
                taken += len(plan)
                self._context.progress.advance(1, sum(len(each.tokens) for each in done))
                if self.judges_while_drawing and time.monotonic() - since > SECONDS_A_PART:
                    self._aside.done(taken)
                    yield self._lesson(held, round)
                    held, since = [], time.monotonic()
        if self.judges_while_drawing:
            self._aside.done(taken)
        self._aside.keep()
        if held:
            yield self._lesson(held, round)

    def draw(self, requests: list[SampleRequest]) -> list[Completion]:
        """Plain draws, in order. Raises `TerminatedError` when a signal came before all were there."""
        with closing(self._aside.sample(self._context.engine, requests)) as drawn:
            done = list(in_order(drawn))
        if len(done) < len(requests):
            self._aside.keep()
            self._context.stop_if_asked()
        return done

    def encode(self, prompt: TailPrompt, text: str) -> list[int]:
        """Tokens of what the student is to go on from after the plain prompt."""
        return chat.following(self._engine.tokenizer, prompt.tokens, text)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text as a person reads it."""
        text: str = self._engine.tokenizer.decode(tokens, skip_special_tokens=True)
        return text

    def fits(self, tokens: Sequence[int]) -> bool:
        """Whether the model has room for a sample of full length after these tokens."""
        return len(tokens) + self._sampling.max_tokens <= self._engine.max_model_len

    @cached_property
    def judges_while_drawing(self) -> bool:
        """Whether samples can be judged while the engine is still drawing others: no rule asks a model."""
        return not any(self._judges[name].verifier.needs_model for name in self._rules)

    @property
    def _engine(self) -> Engine:
        """The student, loaded again where a teacher or another judge took its place."""
        return self._context.engine()

    def _lesson(self, held: list[tuple[Turn, list[Planned], list[Completion]]], round: int) -> Lesson:
        planned = [plan for _, plans, _ in held for plan in plans]
        drawn = [completion for _, _, completions in held for completion in completions]
        idle = [turn for turn, plans, _ in held if not plans]
        rows = [self._row(plan, done, round) for plan, done in zip(planned, drawn, strict=True)]
        passed, judging = self.judge(rows, [plan.prompt for plan in planned])
        reasons = [self._reason(*each) for each in zip(planned, drawn, passed, strict=True)]
        counts = {
            "tried": len(rows),
            "tokens": sum(len(done.tokens) for done in drawn),
            "tooLong": sum(not _untaught(turn) for turn in idle),
            **({"untaught": untaught} if (untaught := sum(map(_untaught, idle))) else {}),
            **_gold_given(planned, reasons),
            **Counter(reasons),
            **judging,
        }
        decisions = [_decision(*each) for each in zip(rows, reasons, strict=True)]
        given = [self._given(plan) for plan in planned if plan.prefix_tokens]
        return Lesson(len(held), rows, decisions, counts, given)

    def _plan(self, turn: Turn, round: int) -> list[Planned]:
        """The requests of one turn; none without the teacher's hint, or with one that is too long for the model."""
        if _untaught(turn):
            return []
        prompt, messages = turn.prompt, turn.prompt.prompt.messages
        reference = replace(prompt.reference, critique=turn.critique)
        guided = turn.strategy.guide(messages, reference, self._shown(turn), turn.strength)
        prefix = self.encode(prompt, guided.prefix) if guided.prefix else []
        shown = [*(prompt.tokens if guided.messages == messages else self._render(guided.messages)), *prefix]
        if not self.fits(shown):
            return []
        indices = range(prompt.drawn, prompt.drawn + self._context.spec.resampling.samples_per_round)
        return [
            Planned(turn, i, guided.prefix, prefix, self._sampling.request(shown, self._seed(turn, i, round)))
            for i in indices
        ]

    def _shown(self, turn: Turn) -> Sequence[Attempt]:
        """The attempts that a strategy may show; with a critique the one that it is of."""
        prompt, context = turn.prompt, self._context
        if not turn.strategy.needs_teacher:
            return prompt.attempts
        return latest_wrong(context.task, context.spec.dataset.grading, prompt.prompt, prompt.attempts)

    def _render(self, messages: list[dict[str, str]]) -> list[int]:
        return chat.render(self._engine.tokenizer, messages, self._context.spec.generation.chat_template_kwargs)

    def _seed(self, turn: Turn, sample: int, round: int) -> int:
        return self._context.seed(turn.strategy.name, turn.prompt.prompt.id, sample, round)

    def _row(self, plan: Planned, done: Completion, round: int) -> dict[str, Any]:
        tokens = [*plan.prefix_tokens, *done.tokens]
        return {
            "prompt": plan.prompt.prompt.id,
            "sample": plan.sample,
            "strategy": plan.turn.strategy.name,
            "round": round,
            "seed": plan.request.seed,
            "text": self.decode(tokens),
            "prompt_tokens": plan.prompt.tokens,
            "tokens": tokens,
            "prefix_length": len(plan.prefix_tokens),
            "logprob_sum": done.logprob_sum,
            "finish": done.finish,
        }

    def _given(self, plan: Planned) -> dict[str, Any]:
        characters = len(self.decode(plan.prefix_tokens))
        return {"prompt": plan.prompt.prompt.id, "sample": plan.sample, "characters": characters}

    def judge(self, rows: list[dict[str, Any]], prompts: Sequence[TailPrompt]) -> tuple[list[bool], dict[str, int]]:
        """Whether each sample passes the absolute rules, and what judging it cost; fills the verdicts of its row."""
        batch = self._examiner.candidates(rows)
        known = self._examiner.verdict_rows(batch)
        verdicts = {(row["prompt"], row["sample"]): row for row in known}
        for row in rows:
            verdict = verdicts.get((row["prompt"], row["sample"]), {})
            row |= {name: verdict.get(name) for name in ("verdict", "strict_verdict", "answer")}
        judged, reads = self._judged(batch, known, prompts)
        scores = {name: _by_candidate(batch, each) for name, each in judged.items()}
        truncated = np.array([row["finish"] == "length" for row in rows], dtype=bool)
        passed = accepted(self._context.spec, scores, truncated)
        assert passed is not None  # find_tail has refused a spec without an absolute rule
        return passed.tolist(), {**critique_counts([row for each in judged.values() for row in each]), **reads}

    def _judged(
        self, batch: list[Candidate], verdicts: list[dict[str, Any]], prompts: Sequence[TailPrompt]
    ) -> tuple[dict[str, list[dict[str, Any]]], dict[str, int]]:
        """SCORE rows of every rule, and what the models that were asked for them read, which no drawing is part of."""
        judged, reads = {}, Counter[str]()
        self._context.models.take_reads()
        for name in self._rules:
            judged[name] = self._scored(name, batch, verdicts, prompts)
            reads.update(self._context.models.take_reads())
        return judged, dict(reads)

    def _scored(
        self, name: str, batch: list[Candidate], verdicts: list[dict[str, Any]], prompts: Sequence[TailPrompt]
    ) -> list[dict[str, Any]]:
        """SCORE rows of one rule. A method that compares sees a prompt's plain samples beside the guided one."""
        if name == GROUND_TRUTH:
            return verdicts
        judge = self._judges[name]
        if not judge.verifier.compares:
            return self._examiner.score_rows(judge, batch)
        plain = {prompt.prompt.id: prompt.plain for prompt in prompts}
        others = self._examiner.candidates([row for rows in plain.values() for row in rows])
        return self._examiner.score_rows(judge, [*others, *batch])

    def _reason(self, plan: Planned, done: Completion, passed: bool) -> str:
        if done.finish == "length" and not self._context.spec.selection.accept_truncated:
            return REASONS[TRUNCATED]
        if not passed:
            return REASONS[NOT_ACCEPTED]
        said = self.decode(done.tokens)
        prompt = plan.prompt.prompt
        question = "\n".join(message["content"] for message in prompt.messages)
        # The prefix as it was graded: a tokenizer may spell it otherwise.
        reference, given = plan.prompt.reference, self.decode(plan.prefix_tokens)
        is_solved = self._solves(given, reference)
        strategy = plan.turn.strategy
        leak = leak_of(strategy.leaks, said, question, reference, plan.prefix, is_solved, strategy.frame)
        return leak.value if leak else ACCEPTED


def _by_candidate(batch: Sequence[Candidate], rows: list[dict[str, Any]]) -> Floats:
    by_sample = {(row["prompt"], row["sample"]): row["score"] for row in rows}
    scores = [by_sample.get((candidate.prompt, candidate.sample)) for candidate in batch]
    return np.array([np.nan if score is None else score for score in scores], dtype=np.float64)


def attempt_of(text: str, reason: str) -> Attempt:
    """What a strategy may know of a sample, from what was decided of it."""
    return Attempt(text, reason == ACCEPTED, reason in (REASONS[NOT_ACCEPTED], REASONS[TRUNCATED]))


def sampled_tokens(row: Mapping[str, Any]) -> int:
    """The tokens of a SAMPLE row that were sampled, those that were given left out."""
    return len(row["tokens"]) - int(row["prefix_length"])


def _untaught(turn: Turn) -> bool:
    """Whether a turn lacks the critique that it is about."""
    return turn.strategy.needs_teacher and turn.critique is None


def _gold_given(planned: Sequence[Planned], reasons: Sequence[str]) -> dict[str, int]:
    """How many were given the answer in their prefix (`schedule: Paper`), and how many of those were accepted."""
    given = [reason for plan, reason in zip(planned, reasons, strict=True) if _holds_gold(plan)]
    return {"goldGiven": len(given), "goldGivenAccepted": given.count(ACCEPTED)} if given else {}


def _holds_gold(plan: Planned) -> bool:
    reference = plan.prompt.reference
    return gold_position(plan.prefix, reference.answer, reference.option) < len(plan.prefix)


def _decision(row: dict[str, Any], reason: str) -> dict[str, Any]:
    weight = 1.0 if reason == ACCEPTED else 0.0
    return {**{name: row[name] for name in ("prompt", "sample", "strategy")}, "weight": weight, "reason": reason}
