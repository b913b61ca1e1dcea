"""What kept the last run from going on is told to whoever looks, until its step is done or tried anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove.artifacts.keys import FAILURE, is_of_a_run
from selfimprove.errors import FAILED, SURROUNDINGS, WRONG_INPUT
from selfimprove.last_failure import forget_failure, note_failure
from tests.fixtures.s3 import S3Place
from tests.unit.cli_support import BuiltRun, as_json, built_run, selfimprove

Capture = pytest.CaptureFixture[str]
WHY = "its loss is NaN; lower distillation.learningRate (log: /runs/demo/worker.log)"


@pytest.fixture
def run(tmp_path: Path) -> BuiltRun:
    """Its next step is i001-distill."""
    return built_run(tmp_path).baseline().generate(1).verify(1).select(1)


def conditions(document: dict[str, list[dict[str, str]]]) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["message"]) for each in document["conditions"]}


@pytest.mark.parametrize("exit_code", [FAILED, WRONG_INPUT])
def test_a_run_whose_step_failed_for_good_is_failed_in_its_status(
    exit_code: int, run: BuiltRun, capfd: Capture
) -> None:
    note_failure(run.handle.store, "i001-distill", exit_code, WHY)
    found = as_json(capfd, "status", run.folder)
    assert (found["state"], found["message"]) == ("Failed", f"Failed: i001-distill: {WHY}")
    assert found["stop"] == {"rule": "Failed", "iteration": 1, "message": f"i001-distill: {WHY}"}
    told = conditions(found)
    assert told["Failed"] == told["Finished"] == ("True", f"i001-distill: {WHY}")
    assert told["Succeeded"][0] == "False"


def test_its_tables_name_step_reason_log_and_how_it_goes_on(run: BuiltRun, capfd: Capture) -> None:
    note_failure(run.handle.store, "i001-distill", FAILED, WHY)
    lines = selfimprove(capfd, "status", run.folder).out.splitlines()
    assert lines[0].startswith("demo: failed at i001-distill, ")
    assert " ".join(" ".join(lines).split()).count(f"Stopped Failed: i001-distill: {WHY}") == 1
    assert "Next      the next `selfimprove run` tries it again" in lines


def test_what_heals_has_not_failed_the_run_and_is_its_trouble(run: BuiltRun, capfd: Capture) -> None:
    note_failure(run.handle.store, "i001-distill", SURROUNDINGS, "the disk is full; free some")
    found = as_json(capfd, "status", run.folder)
    assert (found["state"], found["message"]) == ("Pending", "i001-distill: the disk is full; free some")
    assert conditions(found)["Degraded"] == ("True", "the disk is full; free some")
    text = " ".join(selfimprove(capfd, "status", run.folder).out.split())
    assert "Next i001-distill could not go on: the disk is full; free some; the next `selfimprove run`" in text


def test_plan_says_what_run_would_do_and_what_became_of_it_last(run: BuiltRun, capfd: Capture) -> None:
    note_failure(run.handle.store, "i001-distill", FAILED, WHY)
    lines = selfimprove(capfd, "plan", run.folder).out.splitlines()
    assert lines[1] == f"Last  i001-distill failed: {WHY}; the next `selfimprove run` tries it again"
    assert lines[2] == "Next  i001-distill"
    found = as_json(capfd, "plan", run.folder)
    assert found["next"]["step"] == found["lastFailure"]["step"] == "i001-distill"
    assert (found["lastFailure"]["exitCode"], found["lastFailure"]["message"]) == (FAILED, WHY)


@pytest.mark.parametrize("how", ["done meanwhile", "forgotten", "not to be read"])
def test_nothing_is_told_of_a_failure_that_is(how: str, run: BuiltRun, capfd: Capture) -> None:
    store = run.handle.store
    note_failure(store, "i001-distill", FAILED, WHY)
    if how == "done meanwhile":
        run.distill(1)
    elif how == "forgotten":
        forget_failure(store)
    else:
        store.write(FAILURE, b"{")
    assert as_json(capfd, "status", run.folder)["state"] == "Pending"
    assert as_json(capfd, "plan", run.folder)["lastFailure"] is None
    assert "fail" not in selfimprove(capfd, "status", run.folder).out


def test_the_note_is_the_run_s_own_and_goes_with_it(run: BuiltRun, capfd: Capture) -> None:
    note_failure(run.handle.store, "i001-distill", FAILED, WHY)
    assert is_of_a_run(FAILURE)
    assert selfimprove(capfd, "prune", run.folder).code == 0
    assert (run.folder / FAILURE).exists()
    assert selfimprove(capfd, "delete", run.folder, "--yes").code == 0
    assert not run.folder.exists()


@pytest.mark.s3
def test_of_a_run_on_s3_it_is_told_as_of_one_in_a_folder(s3: S3Place, tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, at=s3.uri).baseline().generate(1).verify(1).select(1)
    note_failure(run.handle.store, "i001-distill", FAILED, WHY)
    assert as_json(capfd, "status", run.handle.uri)["state"] == "Failed"
    forget_failure(run.handle.store)
    assert as_json(capfd, "status", run.handle.uri)["state"] == "Pending"
