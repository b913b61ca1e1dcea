"""Going on from another run: what is taken over, what is not, and when it is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from selfimprove.adoption import adopt, adopt_step
from selfimprove.artifacts import load_ledger
from selfimprove.errors import SurroundingsError, UserError
from selfimprove.ledger import StepId
from selfimprove.loop import Step, left, next_step
from selfimprove.retention import prune
from tests.unit.cli_support import BuiltRun, built_run, selfimprove


@pytest.fixture
def source(tmp_path: Path) -> BuiltRun:
    """A finished run of three iterations, the second of which is the best."""
    folder = tmp_path / "source"
    folder.mkdir()
    run = built_run(folder, maxIterations=3).baseline(0.5)
    return run.iteration(1, 0.6).iteration(2, 0.9).iteration(3, 0.7)


def fork(source: BuiltRun, iteration: int, uri: str = "", **changes: Any) -> BuiltRun:
    """A run that goes on from another one, and has done nothing yet."""
    resume = {"uri": uri or source.handle.uri, "iteration": iteration}
    folder = source.file.parent.parent / "fork"
    folder.mkdir()
    return built_run(folder, **{"maxIterations": 9, "resumeFrom": resume, **changes})


def take(run: BuiltRun) -> bool:
    store = run.handle.store
    return adopt(store, run.handle.spec, load_ledger(store))


def objects(run: BuiltRun) -> dict[str, bytes]:
    store = run.handle.store
    return {entry.key: store.read(entry.key) for entry in store.list() if entry.key != "run.json"}


def refusal(run: BuiltRun) -> str:
    with pytest.raises(UserError) as refused:
        take(run)
    assert set(objects(run)) == set()
    return str(refused.value)


def test_what_was_committed_up_to_the_iteration_is_here_byte_for_byte(source: BuiltRun) -> None:
    run = fork(source, 2)
    assert take(run)
    theirs, ours = objects(source), objects(run)
    assert ours.items() <= theirs.items()
    assert {key for key in theirs if key.endswith("manifest.json") and not key.startswith("i003")} <= ours.keys()
    assert not any(key.startswith("i003") for key in ours)


def test_the_loop_goes_on_after_it_with_the_same_figures(source: BuiltRun) -> None:
    run = fork(source, 2)
    before = next_step(run.handle.spec, load_ledger(run.handle.store))
    assert isinstance(before, Step)
    assert before.reason == f"it is taken over from {source.handle.uri}"
    take(run)
    ledger, theirs = load_ledger(run.handle.store), load_ledger(source.handle.store)
    after = next_step(run.handle.spec, ledger)
    assert isinstance(after, Step)
    assert after.id == StepId(3, "generate")
    assert ledger.measures(2) == theirs.measures(2)
    assert ledger.selected(1) == theirs.selected(1)


def test_only_what_is_not_taken_over_counts_as_left(source: BuiltRun) -> None:
    run = fork(source, 2, maxIterations=4)
    assert left(run.handle.spec, load_ledger(run.handle.store)).iterations == 2


def test_of_models_the_last_and_the_best_are_taken(source: BuiltRun) -> None:
    run = fork(source, 3)
    take(run)
    assert {key[:4] for key in objects(run) if "/model/" in key} == {"i002", "i003"}


def test_under_all_every_model_is_taken(source: BuiltRun) -> None:
    run = fork(source, 3, storage={"retention": "All"})
    take(run)
    assert {key[:4] for key in objects(run) if "/model/" in key} == {"i001", "i002", "i003"}


def test_in_folders_nothing_is_copied_and_each_run_may_be_deleted_alone(source: BuiltRun) -> None:
    run = fork(source, 1)
    take(run)
    key = next(key for key in objects(run) if key.endswith("model.safetensors"))
    assert (run.folder / key).samefile(source.folder / key)
    shutil.rmtree(source.folder)
    assert (run.folder / key).read_bytes() == b"weights of M_1"


def test_once_taken_the_other_run_is_not_asked_again(source: BuiltRun) -> None:
    run = fork(source, 2)
    take(run)
    shutil.rmtree(source.folder)
    assert not take(run)


def test_one_that_was_killed_in_the_midst_takes_the_rest(source: BuiltRun) -> None:
    run = fork(source, 2)
    take(run)
    whole = objects(run)
    lost = [key for key in whole if key.startswith("i002/distill") or key == "i002/measure/00000/manifest.json"]
    run.handle.store.delete(key for key in lost if not key.endswith("config.json"))
    assert take(run)
    assert objects(run) == whole


def test_a_worker_takes_its_own_shard_and_the_prompts(source: BuiltRun) -> None:
    run = fork(source, 2)
    adopt_step(run.handle.store, run.handle.spec, StepId(1, "verify"), 0)
    assert {key.split("/attempt-")[0].removesuffix("/manifest.json") for key in objects(run)} == {
        "i001/verify/00000",
        "prompts",
    }
    before = objects(run)
    adopt_step(run.handle.store, run.handle.spec, StepId(3, "generate"), 0)
    adopt_step(run.handle.store, run.handle.spec, StepId(0, "evaluate", "test"), 0)
    assert objects(run) == before


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"seed": 7}, "spec.seed: 7 differs from 0, by which "),
        ({"model": {"uri": "hf://lab/other"}}, "spec.model.uri: hf://lab/other differs from hf://lab/base, by which "),
        ({"generation": {"samplesPerPrompt": 4}}, "spec.generation.samplesPerPrompt: 4 differs from 2, by which "),
        ({"distillation": {"epochs": 2}}, "spec.distillation.epochs: 2 differs from 1, by which "),
    ],
)
def test_a_run_with_other_settings_is_refused_by_the_field(
    changes: dict[str, Any], line: str, source: BuiltRun
) -> None:
    assert refusal(fork(source, 1, **changes)).startswith(line)


def test_what_may_change_during_a_run_may_differ(source: BuiltRun) -> None:
    assert take(fork(source, 1, stopping={"minGap": 0.2}, execution={"backoffLimit": 9}))


def test_an_iteration_that_is_not_whole_is_refused_with_the_last_that_is(source: BuiltRun) -> None:
    (source.folder / "i003/measure/00000/manifest.json").unlink()
    assert refusal(fork(source, 3)) == (
        f"spec.resumeFrom.iteration: 3 is not whole at {source.handle.uri}: i003-measure is not committed; "
        "give at most 2"
    )


def test_a_model_that_was_pruned_is_missed_before_anything_is_taken(source: BuiltRun) -> None:
    prune(source.handle.store, source.handle.spec.storage)
    assert refusal(fork(source, 1)) == (
        f"spec.resumeFrom.iteration: 1 needs M_1, which was pruned from {source.handle.uri}; give one of 0, 2, 3"
    )


def test_a_model_that_is_never_pruned_and_gone_is_told_of_as_missing(source: BuiltRun) -> None:
    rmtree(source.folder / "i003/distill/00000/attempt-a1/model")
    assert refusal(fork(source, 3)).startswith("spec.resumeFrom.iteration: 3 needs M_3, whose files are missing from ")


def test_after_pruning_the_best_and_the_last_may_still_be_gone_on_from(source: BuiltRun) -> None:
    prune(source.handle.store, source.handle.spec.storage)
    assert take(fork(source, 3))


def test_a_place_without_a_run_is_refused(source: BuiltRun) -> None:
    nowhere = str(source.file.parent / "nowhere")
    assert refusal(fork(source, 1, uri=nowhere)) == (
        f"spec.resumeFrom.uri: no run was begun at {nowhere}; give the folder or URI of a run"
    )


def test_a_run_does_not_go_on_from_itself(source: BuiltRun) -> None:
    itself = str(source.file.parent.parent / "fork" / "runs" / "demo")
    assert refusal(fork(source, 1, uri=itself)).startswith(f"spec.resumeFrom.uri: {itself} is this run itself")


def test_an_object_that_is_lost_is_named(source: BuiltRun) -> None:
    part = "i001/generate/00000/attempt-a1/part-00000.parquet"
    (source.folder / part).unlink()
    with pytest.raises(SurroundingsError, match=f"{part}: is damaged: .* no such object"):
        take(fork(source, 1))


def test_a_manifest_that_names_what_is_not_its_own_is_not_followed(source: BuiltRun) -> None:
    manifest = source.folder / "i001/generate/00000/manifest.json"
    text = manifest.read_text().replace("i001/generate/00000/attempt-a1", "i001/verify/00000/attempt-a1")
    manifest.unlink()
    manifest.write_text(text)
    with pytest.raises(SurroundingsError, match="names objects of another step"):
        take(fork(source, 1))


def test_plan_refuses_what_run_would(source: BuiltRun, capfd: pytest.CaptureFixture[str]) -> None:
    prune(source.handle.store, source.handle.spec.storage)
    run = fork(source, 1)
    outcome = selfimprove(capfd, "plan", run.file, "--storage", run.storage)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {refusal(run)}\n")
