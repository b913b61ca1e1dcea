"""`selfimprove measure` and `sweep` of a run's own samples: by its folder, or by a table of scores that it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfimprove.records import SCORE
from tests.unit.cli_support import CORRECT, BuiltRun, as_json, built_run, score, selfimprove

VOTES = {("p1", 0): 1.0, ("p1", 1): None, ("p2", 0): 0.5, ("p2", 1): 0.25}
METHODS = {"methods": [{"type": "MajorityVote"}]}


def vote(prompt: str, index: int, value: float | None) -> dict[str, Any]:
    said = {"method": "MajorityVote", "score": value, "verdict": None, "strict_verdict": None, "answer": None}
    return {**score(prompt, index, False), **said}


def verified(tmp_path: Path) -> BuiltRun:
    """Iteration 1 is verified by votes, method by method."""
    run = built_run(tmp_path, verification=METHODS).baseline().generate(1)
    rows = [score(*key, correct=right) for key, right in CORRECT.items()]
    return run.step(1, "verify", SCORE, [*rows, *(vote(*key, value) for key, value in VOTES.items())])


def table_of(run: BuiltRun) -> Path:
    (path,) = run.folder.glob("i001/verify/*/*/part-*.parquet")
    return path


@pytest.mark.parametrize("of", ["run", "table"])
def test_methods_meet_by_sample_and_the_verdict_is_the_utility(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], of: str
) -> None:
    run = verified(tmp_path)
    found = as_json(capfd, "measure", run.folder if of == "run" else table_of(run), "--weighting", "TopK:1")
    assert (found["prompts"], found["samples"], list(found["scores"])) == (2, 4, ["MajorityVote"])
    assert found["utility"]["value"] == 0.5
    assert found["scores"]["MajorityVote"]["nan"] == 1
    assert found["acceptedHistogram"] == [1, 0, 1]


def test_a_run_and_its_table_measure_alike(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = verified(tmp_path)
    for command in ("measure", "sweep"):
        assert as_json(capfd, command, run.folder) == as_json(capfd, command, table_of(run))


def test_of_a_run_the_held_out_samples_and_levels_can_be_had_too(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = verified(tmp_path)
    found = as_json(capfd, "measure", run.folder, "--step", "evaluate", "--iteration", "0", "--by", "level")
    assert found["utility"]["value"] == 0.5
    assert found["byLevel"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--step", "select"], "error: --step: select scores no samples; give verify"),
        (["--iteration", "7"], "error: --iteration: 7 has no whole verify; there are those of 1"),
    ],
)
def test_what_a_run_has_not_is_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    outcome = selfimprove(capfd, "measure", verified(tmp_path).folder, *options)
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert outcome.err.startswith(message)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([vote("p", 0, 0.5), vote("p", 0, 0.5)], "row 2 scores sample 0 of prompt p by MajorityVote twice; mend it"),
        ([vote("p", 0, 0.5), {"prompt": "p"}], "row 2 is no score of a method, and the first row is one; mend it"),
        ([vote("p", 0, "x")], "row 1 has a score that is no number; give a number or null"),  # type: ignore[arg-type]
    ],
)
def test_scores_that_do_not_fit_together_are_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], rows: list[Any], message: str
) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = selfimprove(capfd, "measure", path)
    assert (outcome.code, outcome.err) == (2, f"error: {path}: {message}\n")


def test_a_run_s_options_have_no_meaning_for_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = table_of(verified(tmp_path))
    outcome = selfimprove(capfd, "measure", path, "--step", "evaluate")
    assert outcome.err == f"error: --step: is of a run, and {path} is no folder of one; leave it out\n"


def test_a_name_of_nothing_may_have_meant_a_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = selfimprove(capfd, "measure", path := tmp_path / "vrun")
    remedy = "give samples as .jsonl or .parquet, or the folder of a run"
    assert (outcome.code, outcome.err) == (2, f"error: {path}: no such file or folder; {remedy}\n")


@pytest.mark.parametrize("command", [["measure"], ["sweep"], ["verify", "hf://a/b", "-o", "x.jsonl"]])
def test_a_place_elsewhere_is_named_as_it_was_given(capfd: pytest.CaptureFixture[str], command: list[str]) -> None:
    outcome = selfimprove(capfd, *command, "s3://lab/runs/samples.jsonl")
    line = "error: s3://lab/runs/samples.jsonl: is no file of this machine; give a path or file:///path\n"
    assert (outcome.code, outcome.err) == (2, line)


def test_a_file_may_be_named_by_its_uri(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = table_of(verified(tmp_path))
    assert selfimprove(capfd, "measure", f"file://{path}").out == selfimprove(capfd, "measure", path).out
