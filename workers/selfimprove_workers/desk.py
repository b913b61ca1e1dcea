"""Where orders are done: the table of steps, the model that stays loaded between them, and what an error becomes."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from importlib import import_module

from selfimprove.api.execution import StepName
from selfimprove.artifacts import read_manifest, step_folder, summary_of
from selfimprove.errors import TERMINATED, UNEXPECTED, SelfImproveError
from selfimprove.ledger import StepId
from selfimprove.orders import Failure, Order, Reply
from selfimprove.store import open_store
from selfimprove.store.base import Store
from selfimprove.summaries import Summary
from selfimprove_workers.context import StepContext
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress

_log = logging.getLogger(__name__)

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


class Desk:
    """Does orders one after another, keeping the model of the last one loaded."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._stores: dict[str, Store] = {}
        self._models: ModelHouse | None = None

    def do(self, order: Order) -> Reply:
        """Every step of an order, up to the first that fails."""
        summaries: list[Summary] = []
        for step in order.steps:
            try:
                summaries.append(self._step(order, step.id))
            except Exception as error:
                return Reply(summaries=summaries, failure=_failure(step.id, error))
        return Reply(summaries=summaries)

    def close(self) -> None:
        """Give the model's memory back."""
        if self._models is not None:
            self._models.close()

    def _step(self, order: Order, step: StepId) -> Summary:
        store = self._store(order)
        folder = step_folder(step, order.shard)
        if committed := read_manifest(store, folder):
            return summary_of(store, folder, *committed)
        context = StepContext(
            store=store,
            spec=order.spec,
            step=step,
            shard=order.shard,
            shards=order.shards,
            attempt=order.attempt,
            models=self._model_house(store, order),
            progress=Progress(),
            stopping=self._stopping,
        )
        try:
            return runner(step.step)(context)
        finally:
            context.progress.finish()

    def _store(self, order: Order) -> Store:
        storage = order.spec.storage
        if order.run_uri not in self._stores:
            self._stores[order.run_uri] = open_store(order.run_uri, endpoint=storage.endpoint, region=storage.region)
        return self._stores[order.run_uri]

    def _model_house(self, store: Store, order: Order) -> ModelHouse:
        if self._models is None:
            self._models = ModelHouse(store, order.spec)
        return self._models


def runner(step: StepName) -> Callable[[StepContext], Summary]:
    """The function that does a step."""
    run: Callable[[StepContext], Summary] = import_module(f"selfimprove_workers.{STEPS[step]}").run
    return run


def explain(failure: Failure) -> str:
    """A failure as one line."""
    return f"{failure.step}: {failure.message}"


def _failure(step: StepId, error: Exception) -> Failure:
    if isinstance(error, SelfImproveError):
        if error.exit_code != TERMINATED:
            _log.debug("%s", step.name, exc_info=error)
        return Failure(step=step.name, exit_code=error.exit_code, message=str(error))
    traceback.print_exception(error)
    text = str(error).strip().splitlines()
    return Failure(
        step=step.name, exit_code=UNEXPECTED, message=f"{type(error).__name__}: {text[0] if text else 'no message'}"
    )
