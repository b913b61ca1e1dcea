"""What a run at work removes by itself after an iteration, and what it never touches."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the workers' libraries are not installed")

from selfimprove.errors import SurroundingsError
from selfimprove.ledger import StepId
from selfimprove.retention import prune
from selfimprove.store import LocalStore
from selfimprove_workers.context import StepContext
from selfimprove_workers.keeping import keep_to_retention
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress
from tests.unit.cli_support import BuiltRun, built_run


class Guarded(LocalStore):
    """A folder whose owner gave no right to delete."""

    def delete(self, keys: Iterable[str]) -> None:
        if list(keys):
            raise SurroundingsError(f"{self.uri}: access denied; give these credentials the right to delete there")


def after_measure(run: BuiltRun, n: int) -> StepContext:
    """The measure step of iteration n, its manifest committed."""
    store = run.handle.store
    step, models = StepId(n, "measure"), ModelHouse(store, run.handle.spec)
    return StepContext(store, run.handle.spec, step, 0, 1, "m", models, Progress(), threading.Event())


def models(run: BuiltRun) -> list[str]:
    return sorted(e.key[:4] for e in run.handle.store.list() if e.key.endswith("model/model.safetensors"))


def test_the_best_and_the_last_model_stay_at_every_iteration(tmp_path: Path) -> None:
    run = built_run(tmp_path, maxIterations=4).baseline(0.5)
    kept = []
    for n, accuracy in ((1, 0.9), (2, 0.6), (3, 0.7), (4, 0.95)):
        run.iteration(n, accuracy)
        keep_to_retention(after_measure(run, n))
        kept.append(models(run))
    assert kept == [["i001"], ["i001", "i002"], ["i001", "i003"], ["i004"]]


def test_a_trained_m_0_stays_since_it_answers_the_test_set_at_the_end(tmp_path: Path) -> None:
    dataset = {"uri": "./train.jsonl", "task": "Math", "fields": {"answer": "answer", "rationale": "why"}}
    run = built_run(tmp_path, dataset=dataset, maxIterations=2, selection={"seedTraining": "References"})
    run.distill(0).baseline(0.5)
    for n in (1, 2):
        run.iteration(n, 0.5 + 0.1 * n)
        keep_to_retention(after_measure(run, n))
    assert models(run) == ["i000", "i002"]


def test_under_all_every_model_stays(tmp_path: Path) -> None:
    run = built_run(tmp_path, maxIterations=3, storage={"retention": "All"}).baseline(0.5)
    for n in (1, 2, 3):
        run.iteration(n, 0.6)
        keep_to_retention(after_measure(run, n))
    assert models(run) == ["i001", "i002", "i003"]


def test_what_another_attempt_at_this_iteration_may_still_read_stays_until_the_next(tmp_path: Path) -> None:
    run = built_run(tmp_path, maxIterations=2).baseline(0.5).iteration(1)
    part = "i001/evaluate/00000/attempt-late/part-00000.parquet"
    run.handle.store.write(part, b"x")
    keep_to_retention(after_measure(run, 1))
    assert part in {entry.key for entry in run.handle.store.list()}
    run.iteration(2)
    keep_to_retention(after_measure(run, 2))
    assert part not in {entry.key for entry in run.handle.store.list()}


def test_an_open_step_is_never_touched(tmp_path: Path) -> None:
    run = built_run(tmp_path, maxIterations=2).baseline(0.5).iteration(1)
    part = "i002/generate/00000/attempt-b/part-00000.parquet"
    run.handle.store.write(part, b"x")
    prune(run.handle.store, run.handle.spec.storage)
    assert part in {entry.key for entry in run.handle.store.list()}


def test_what_can_not_be_removed_is_told_and_fails_no_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = built_run(tmp_path, maxIterations=2).baseline(0.5).iteration(1, 0.4).iteration(2, 0.4)
    context = after_measure(run, 2)
    context.store = Guarded(run.folder)
    keep_to_retention(context)
    assert models(run) == ["i001", "i002"]
    (message,) = caplog.messages
    assert message.startswith("storage.retention: what may go could not be removed (")
    assert "the right to delete there" in message
