"""The one-machine executor: asks `next_step`, has a worker process do it, and asks again.

A worker serves every step in a row that wants the same model, so that the model is loaded once (evaluate of M_n and all
of iteration n+1's sampling); it is ended before `distill`, since only the end of a process gives its memory back. What
is decided comes from committed manifests alone, so this process may die at any moment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol
from uuid import uuid4

from selfimprove.adoption import adopt
from selfimprove.api.spec import Spec
from selfimprove.artifacts import load_ledger
from selfimprove.errors import (
    FAILED,
    SURROUNDINGS,
    TERMINATED,
    WRONG_INPUT,
    FailedError,
    SelfImproveError,
    SurroundingsError,
    TerminatedError,
    UserError,
)
from selfimprove.guidance_counts import in_short
from selfimprove.last_failure import forget_failure, note_failure
from selfimprove.ledger import Ledger, StepId
from selfimprove.locks import run_lock
from selfimprove.loop import Step, Stop, next_step, shards_of, too_often
from selfimprove.numerals import counted
from selfimprove.orders import Failure, Order, OrderedStep, Reply
from selfimprove.store.base import Store
from selfimprove.summaries import Summary
from selfimprove.unscored import Unscored, unscored
from selfimprove.worker_process import WorkerProcess

MAX_BACKOFF_SECONDS = 30.0

EventKind = Literal["Begun", "Ended", "Failed", "Stopped"]


@dataclass(frozen=True)
class Event:
    """Something a person at the terminal may want to know."""

    kind: EventKind
    message: str
    step: StepId | None = None
    summary: Summary | None = None
    unscored: Sequence[Unscored] = ()
    """Methods that left samples of the step without a score."""

    def __str__(self) -> str:
        """The event as one line."""
        name = f"{self.step.name}: " if self.step else ""
        return f"{name}{_WORDS[self.kind]}{self.message or _done(self.summary, self.unscored)}"


_WORDS: dict[EventKind, str] = {"Begun": "", "Ended": "done, ", "Failed": "failed: ", "Stopped": "stopped: "}


def _done(summary: Summary | None, unscored: Sequence[Unscored]) -> str:
    if summary is None:
        return ""
    tokens = f", {counted(summary.tokens, 'token')}" if summary.tokens else ""
    more = in_short(summary.counts) if summary.step == "resample" else ", ".join(map(str, unscored))
    rows, prompts = counted(summary.rows, "row"), counted(summary.prompts, "prompt")
    line = f"{rows} of {prompts}{tokens}, {summary.seconds:.1f} s"
    return f"{line}; {more}" if more else line


class LocalRun(Protocol):
    """What the executor needs of a run (see `runs.RunHandle`)."""

    @property
    def spec(self) -> Spec:
        """The resolved spec."""

    @property
    def store(self) -> Store:
        """Where the run lies."""

    @property
    def uri(self) -> str:
        """The same, as text."""


def execute(run: LocalRun, *, on_event: Callable[[Event], None]) -> Stop:
    """Run to the end, from wherever what is committed stands. At once when all is done.

    A step that fails more often than `execution.backoffLimit` ends it with the rule Failed. Raises `UserError` for what
    the user must mend, `SurroundingsError` for what must heal, `FailedError` when a step says that no retry can help,
    `TerminatedError` when a worker was told to stop; all of it resumes with the same call, until which a step's failure
    stays noted beside the run.
    """
    if run.spec.suspend:
        raise UserError("spec.suspend: true holds the run; set it to false to go on")
    with run_lock(run.store), Workshop(run) as workshop:
        forget_failure(run.store)
        ledger = _with_adopted(run, load_ledger(run.store), on_event)
        while isinstance(decision := next_step(run.spec, ledger), Step):
            ledger = _do(workshop, decision, ledger, on_event)
    on_event(Event("Stopped", f"{decision.rule}: {decision.message}"))
    return decision


def execute_steps(run: LocalRun, steps: Sequence[StepId], *, on_event: Callable[[Event], None]) -> None:
    """Have these steps done and no others, as far as they are not committed; each finds its inputs there.

    For who wants samples and verdicts without the rest of an iteration. Raises what `execute` raises, and `FailedError`
    for a step that fails more often than `execution.backoffLimit`.
    """
    with run_lock(run.store), Workshop(run) as workshop:
        ledger = load_ledger(run.store)
        for id in steps:
            shards = shards_of(run.spec, id)
            while missing := tuple(shard for shard in range(shards) if shard not in ledger.shards_done(id)):
                if ledger.failures.get(id, 0) > run.spec.execution.backoff_limit:
                    raise FailedError(f"{id.name}: failed {ledger.failures[id]} times; the lines above say why")
                ledger = _do(workshop, Step(id, "its samples are wanted", shards, missing), ledger, on_event)


def _with_adopted(run: LocalRun, ledger: Ledger, on_event: Callable[[Event], None]) -> Ledger:
    """The ledger after `spec.resumeFrom` was heeded, all at once and without a worker: nothing is computed."""
    if not adopt(run.store, run.spec, ledger):
        return ledger
    resume = run.spec.resume_from
    assert resume is not None
    on_event(Event("Begun", f"iterations 0 to {resume.iteration} are taken over from {resume.uri}"))
    return load_ledger(run.store)


def _do(workshop: Workshop, step: Step, ledger: Ledger, on_event: Callable[[Event], None]) -> Ledger:
    """The ledger after one shard of a step was done, or failed once more."""
    shard = step.missing[0]
    on_event(Event("Begun", step.reason, step.id))
    reply = workshop.do(step, shard)
    for summary in reply.summaries:
        ledger = ledger.with_commit(summary)
        on_event(Event("Ended", "", step.id, summary, unscored(workshop.run.spec, [summary])))
    if reply.failure is None:
        return ledger
    ledger = _after_failure(workshop.run, ledger, step.id, reply.failure)
    on_event(Event("Failed", reply.failure.message, step.id))
    time.sleep(min(2.0 ** ledger.failures.get(step.id, 0), MAX_BACKOFF_SECONDS))
    return ledger


_ENDS: dict[int, type[SelfImproveError]] = {
    WRONG_INPUT: UserError,
    FAILED: FailedError,
    TERMINATED: TerminatedError,
}
"""Failures that no retry of ours can mend."""


def _after_failure(run: LocalRun, ledger: Ledger, step: StepId, failure: Failure) -> Ledger:
    """The ledger with one failure more, noted where it is the last. Raises for those that end the command."""
    ledger, limit = ledger.with_failure(step, failure.message), run.spec.execution.backoff_limit
    failures = ledger.failures[step]
    if failure.exit_code in (WRONG_INPUT, FAILED, SURROUNDINGS):
        note_failure(run.store, step.name, failure.exit_code, failure.message)
    elif failure.exit_code != TERMINATED and failures > limit:
        note_failure(run.store, step.name, FAILED, too_often(failures, limit, failure.message))
    if failure.exit_code == SURROUNDINGS:
        raise SurroundingsError(f"{failure.message}; once that is mended, the same command goes on")
    if end := _ENDS.get(failure.exit_code):
        raise end(failure.message)
    return ledger


class Workshop(AbstractContextManager["Workshop"]):
    """The worker process at hand, if any, and which model it has loaded."""

    def __init__(self, run: LocalRun) -> None:
        self.run = run
        self._worker: WorkerProcess | None = None
        self._model: str | None = None

    def do(self, step: Step, shard: int) -> Reply:
        """Have one shard of a step done, by the worker at hand if it has the right model."""
        worker = self._worker_for(step.id)
        order = Order(
            run_uri=self.run.uri,
            spec=self.run.spec,
            steps=[OrderedStep(iteration=step.id.iteration, step=step.id.step, split=step.id.split)],
            shard=shard,
            shards=step.shards,
            attempt=f"{os.getpid()}-{uuid4().hex[:12]}",
        )
        reply = worker.ask(order)
        if not worker.alive:
            self._worker = self._model = None
        return reply

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the worker: in peace at the end, after it committed its part when something interrupted us."""
        if self._worker:
            self._worker.end(interrupt=error is not None)

    def _worker_for(self, step: StepId) -> WorkerProcess:
        model = model_of(step)
        if self._worker and model not in (None, self._model) and self._model is not None:
            self._worker.end()
            self._worker = self._model = None
        if self._worker is None:
            self._worker = WorkerProcess(self.run.store)
        self._model = self._model if model is None else model
        return self._worker


def model_of(step: StepId) -> str | None:
    """What a step loads: the model that samples, a trainer, or None when it needs no model."""
    if step.step in ("select", "measure"):
        return None
    if step.step == "distill":
        return f"trainer {step.iteration}"
    return f"M_{step.iteration if step.step == 'evaluate' else step.iteration - 1}"
