"""What a generated set lost is said when it is loaded, by `status --details` and by `plan`, and not just counted."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from selfimprove.left_out import left_out
from selfimprove.runs import RunHandle, begin
from selfimprove_workers.prompts import ensure_prompts
from tests.unit.cli_support import as_json, manifest_of, selfimprove, write_yaml

Capture = pytest.CaptureFixture[str]

DIGITS = "gym://chain_sum?size={}&min_terms=2&max_terms=2&max_digits=1"


@pytest.fixture
def run(tmp_path: Path) -> RunHandle:
    """A run of sums of two digits, of which there are few, before anything is loaded."""
    dataset = {"uri": DIGITS.format(100), "task": "Gym", "heldOut": {"uri": DIGITS.format(20)}}
    return begin(write_yaml(tmp_path, manifest_of(dataset=dataset)), str(tmp_path / "runs"))


def account(prompts: int, size: int, duplicates: int = 0, contaminated: int = 0) -> dict[str, Any]:
    dropped = {"duplicates": duplicates, "contaminated": contaminated}
    return {"prompts": prompts, "dropped": dropped, "source": {"size": size}}


def test_repeats_and_what_is_measured_on_are_told_apart() -> None:
    assert left_out({"train": account(31, 40, 6, 3), "heldOut": account(8, 8)}) == [
        "training: 31 of 40 questions: 6 are repeats, 3 stand in the held-out set"
    ]


def test_a_limit_is_told_of_too_since_the_numbers_must_add_up() -> None:
    assert left_out({"train": account(20, 4000, 1, 1)}) == [
        "training: 20 of 4,000 questions: 1 is a repeat, 1 stands in the held-out set, 3,978 are above dataset.limit"
    ]


def test_a_test_set_is_what_the_others_give_way_to() -> None:
    accounts = {"train": account(9, 10, 0, 1), "heldOut": account(5, 7, 0, 2), "test": account(3, 4, 1)}
    assert left_out(accounts) == [
        "training: 9 of 10 questions: 1 stands in the held-out or the test set",
        "held out: 5 of 7 questions: 2 stand in the test set",
        "test: 3 of 4 questions: 1 is a repeat",
    ]


def test_files_lose_nothing() -> None:
    assert left_out({"train": {"prompts": 9, "dropped": {}, "source": {"uri": "train.jsonl", "digest": "0"}}}) == []


def test_the_first_step_logs_it_once(run: RunHandle, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for attempt in ("a1", "a2"):
        ensure_prompts(run.store, run.spec, attempt)
    assert [line.partition(" of ")[0] for line in caplog.messages] == ["training: 74", "held out: 19"]


def test_status_and_plan_tell_it_once_it_is_known(run: RunHandle, capfd: Capture) -> None:
    assert "questions" not in selfimprove(capfd, "status", run.uri, "--details").out
    assert "of 100 training and 20 held-out prompts" in selfimprove(capfd, "plan", run.uri).out
    assert as_json(capfd, "status", run.uri, "--details")["prompts"] == {}
    kept = {split: each["prompts"] for split, each in ensure_prompts(run.store, run.spec, "a1").settings.items()}
    line = f"training: {kept['train']} of 100 questions: "
    assert f"Prompts   {line}" in selfimprove(capfd, "status", run.uri, "--details").out
    plan = selfimprove(capfd, "plan", run.uri).out
    assert f"Data  {line}" in plan
    assert f"of {kept['heldOut']} held-out and {kept['train']} training prompts" in plan
    assert as_json(capfd, "plan", run.uri)["prompts"] == kept
    told = as_json(capfd, "status", run.uri, "--details")["prompts"]
    assert {split: each["prompts"] for split, each in told.items()} == kept
    assert kept["train"] + sum(told["train"]["dropped"].values()) == 100
