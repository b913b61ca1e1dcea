"""Gold answers that can't be read are borne one by one, and said: when they are loaded, by `status` and by `plan`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from selfimprove.api.spec import Spec
from selfimprove.left_out import left_out, unread
from selfimprove.runs import RunHandle, begin
from selfimprove_workers.datasets import load_sets
from selfimprove_workers.prompts import ensure_prompts
from tests.unit.cli_support import as_json, manifest_of, selfimprove, write_yaml

Capture = pytest.CaptureFixture[str]

VOTE = {"methods": [{"type": "MajorityVote", "weighting": {"type": "Threshold", "threshold": 0.5}}]}


def write(path: Path, answers: list[str]) -> str:
    rows = [{"prompt": f"{path.stem}: what is {i}?", "answer": answer} for i, answer in enumerate(answers)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def dataset(folder: Path, answers: list[str], held: list[str], **settings: Any) -> dict[str, Any]:
    uris = [write(folder / f"{name}.jsonl", each) for name, each in (("train", answers), ("held", held))]
    shape = {"task": "Math", "fields": {"answer": "answer"}, "heldOut": {"uri": uris[1]}}
    return {"uri": uris[0], **shape, **settings}


def run_of(folder: Path, answers: list[str], held: list[str] | None = None, **sections: Any) -> RunHandle:
    document = manifest_of(dataset=dataset(folder, answers, held or ["1"]), **sections)
    return begin(write_yaml(folder, document), str(folder / "runs"))


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def lines_of(said: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in said.messages if "can't be read" in line]


def test_one_line_names_the_field_how_many_one_of_them_and_what_it_means(
    tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    run = run_of(tmp_path, ["1", "???", "3", "???"], resampling={"strategy": "BruteForce"})
    ensure_prompts(run.store, run.spec, "a1")
    (line,) = lines_of(said)
    start = (
        "warning: spec.dataset.fields.answer: answer gives answers that can't be read for 2 of the 4 training prompts"
    )
    assert line.startswith(f"{start}, as '???' of line ")
    assert line.endswith(
        " of train.jsonl; these count nowhere, train nothing and are not sampled again; mend or remove them"
    )


def test_what_they_mean_is_said_of_this_run_alone(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    run = run_of(tmp_path, ["1", "???"], verification=VOTE, resampling={"strategy": "BruteForce"})
    ensure_prompts(run.store, run.spec, "a1")
    (line,) = lines_of(said)
    assert line.endswith("of line 2 of train.jsonl; these count nowhere; mend or remove them")


def test_held_out_ones_are_told_apart(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    run = run_of(tmp_path, ["1", "2"], ["1", "2", "???"])
    ensure_prompts(run.store, run.spec, "a1")
    (line,) = lines_of(said)
    assert "for 1 of the 3 held-out prompts, as '???' of line 3 of held.jsonl; these count nowhere; mend" in line


def test_a_pattern_is_named_where_it_gives_the_answers(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    answers = dataset(tmp_path, ["so #### 1", "so #### ???"], ["so #### 1"], answerPattern="#### (.*)")
    run = begin(write_yaml(tmp_path, manifest_of(dataset=answers)), str(tmp_path / "runs"))
    ensure_prompts(run.store, run.spec, "a1")
    assert lines_of(said)[0].startswith("warning: spec.dataset.answerPattern: #### (.*) gives answers that can't be")


@pytest.mark.parametrize(("task", "count"), [("Math", 1), ("Exact", 0)])
def test_only_answers_that_are_mathematics_have_to_be_read(task: str, count: int, tmp_path: Path) -> None:
    spec = {"model": {"uri": "m"}, "dataset": {**dataset(tmp_path, ["1", "???"], ["1"]), "task": task}}
    assert len(load_sets(Spec.model_validate(spec)).unreadable["train"]) == count


def test_where_all_can_be_read_nothing_is_said(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    run = run_of(tmp_path, ["1", r"\frac{1}{2}", "x + 1"])
    assert ensure_prompts(run.store, run.spec, "a1").settings["train"]["unreadable"] == 0
    assert lines_of(said) == []


def test_status_and_plan_tell_it_too(tmp_path: Path, capfd: Capture) -> None:
    run = run_of(tmp_path, ["1", "???", "3"])
    ensure_prompts(run.store, run.spec, "a1")
    line = "training: 1 of 3 prompts have an answer that can't be read, and count nowhere"
    assert f"Prompts   {line}" in selfimprove(capfd, "status", run.uri, "--details").out
    assert f"Data  {line}" in selfimprove(capfd, "plan", run.uri).out
    assert as_json(capfd, "status", run.uri, "--details")["prompts"]["train"]["unreadable"] == 1


def test_an_account_of_an_earlier_version_counts_none(tmp_path: Path) -> None:
    account = {"train": {"prompts": 9, "dropped": {}, "source": {}}}
    assert unread(account) == left_out(account) == []
