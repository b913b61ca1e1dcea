"""`selfimprove verify` with a model: which scores it writes, what it goes on with, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from selfimprove.cli.verify import Asked, order_of
from selfimprove_workers.scoring import score_samples
from tests.fixtures.models import make_tiny_model
from tests.unit.cli_support import as_json, selfimprove

Capture = pytest.CaptureFixture[str]
Rows = list[dict[str, Any]]
ROWS: Rows = [
    {"question": "What is 3 + 4?", "response": f"It is {n}.", "utility": int(n == 7), "answer": str(n), "by": "me"}
    for n in (7, 8, 7, 9)
] + [
    {"question": "And 5 + 5?", "response": f"So {n}", "utility": int(n == 10), "answer": str(n), "by": "me"}
    for n in (10, 11)
]


def write(path: Path, rows: Rows = ROWS) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path) -> Rows:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    return [json.loads(line) for line in path.read_text().splitlines()]


def verify(model: Path, samples: Path, output: Path, *methods: str, code: int = 0, **settings: Any) -> None:
    """As the command has it done, in this process."""
    asked = Asked(methods, settings, {"engine": "Transformers", "maxTokens": 8}, {"uri": str(model)}, {})
    assert score_samples(order_of(asked, samples, output).model_dump_json(by_alias=True)) == code


def done_before(capfd: Capture) -> list[str]:
    """How much of each method was there when it began, as the first line of its progress says."""
    lines = [line for line in capfd.readouterr().err.splitlines() if line.endswith(" samples")]
    return [line.removesuffix(" samples") for line in lines]


def test_scores_stand_beside_the_rows_own_and_measure_reads_them(
    tiny_model: Path, tmp_path: Path, capfd: Capture
) -> None:
    samples = write(tmp_path / "s.jsonl", [{**row, "scores": {"mine": i}} for i, row in enumerate(ROWS)])
    output = tmp_path / "o.jsonl"
    outcome = selfimprove(
        capfd, "verify", tiny_model, samples, "--method", "mc=MultipleChoice", "--method", "Tournament",
        "--method", "Likelihood", "--method", "MajorityVote", "-o", output, "--engine", "Transformers",
    )  # fmt: skip
    assert (outcome.code, outcome.out) == (0, f"{output}\n"), outcome.err
    assert "mc: 6 samples, 0 without a score, label mass 0." in outcome.err
    rows = read(output)
    assert [row["scores"]["mine"] for row in rows] == list(range(6))
    assert [row["sample"] for row in rows] == [0, 1, 2, 3, 0, 1] and all(row["by"] == "me" for row in rows)
    assert all(0 < row["scores"]["mc"] < 1 and 0 < row["mass"]["mc"] < 1 for row in rows)
    assert sorted(row["scores"]["Tournament"] for row in rows[:4]) == [0, 0, 1, 2]
    assert all(row["scores"]["Likelihood"] < 0 for row in rows)
    assert [row["scores"]["MajorityVote"] for row in rows] == [0.5, 0.25, 0.5, 0.25, 0.5, 0.5]
    found = as_json(capfd, "measure", output, "--score", "mc", "--weighting", "TopK:1")
    assert (found["prompts"], found["samples"], found["reasons"]) == (2, 6, {})


def test_what_was_scored_is_kept_as_long_as_model_words_and_template_are_the_same(
    tiny_model: Path, tmp_path: Path, capfd: Capture
) -> None:
    samples, output = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl"
    both = ("MultipleChoice", "Tournament")
    verify(tiny_model, samples, output, *both)
    before = read(output)
    assert done_before(capfd) == ["MultipleChoice: 0/6", "Tournament: 0/6"]
    verify(tiny_model, samples, output, *both)
    assert done_before(capfd) == ["MultipleChoice: 6/6", "Tournament: 6/6"] and read(output) == before
    write(samples, [{**ROWS[0], "response": "It must be 7."}, *ROWS[1:]])
    verify(tiny_model, samples, output, *both)
    assert done_before(capfd) == ["MultipleChoice: 5/6", "Tournament: 2/6"]
    verify(tiny_model, samples, output, "MultipleChoice", labels="A/B")
    assert done_before(capfd) == ["MultipleChoice: 0/6"]
    other = make_tiny_model(tmp_path / "other", seed=1)
    verify(other, samples, output, "MultipleChoice", labels="A/B")
    assert done_before(capfd) == ["MultipleChoice: 0/6"]


def test_another_method_is_added_to_the_scores_that_the_output_has(tiny_model: Path, tmp_path: Path) -> None:
    samples, output = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl"
    verify(tiny_model, samples, output, "MultipleChoice")
    first = [row["scores"]["MultipleChoice"] for row in read(output)]
    verify(tiny_model, samples, output, "Likelihood")
    rows = read(output)
    assert [row["scores"]["MultipleChoice"] for row in rows] == first
    assert all("Likelihood" in row["scores"] for row in rows)


def test_a_killed_command_goes_on_with_what_it_had_noted(tiny_model: Path, tmp_path: Path, capfd: Capture) -> None:
    samples, output = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl"
    verify(tiny_model, samples, output, "MultipleChoice")
    whole = read(output)
    notes = [
        json.dumps({"key": row["scoredBy"]["MultipleChoice"], "score": 0.125, "mass": 0.5}) + "\n" for row in whole[:3]
    ]
    output.unlink()
    partial = tmp_path / "o.jsonl.partial"
    partial.write_text("".join(notes)[:-20])
    capfd.readouterr()
    verify(tiny_model, samples, output, "MultipleChoice")
    assert done_before(capfd) == ["MultipleChoice: 2/6"]
    assert [row["scores"]["MultipleChoice"] for row in read(output)][:2] == [0.125, 0.125]
    assert read(output)[2:] == whole[2:] and not partial.exists()


def test_parquet_goes_in_and_out(tiny_model: Path, tmp_path: Path, capfd: Capture) -> None:
    samples, first, second = write(tmp_path / "s.jsonl"), tmp_path / "one.parquet", tmp_path / "two.parquet"
    verify(tiny_model, samples, first, "MultipleChoice")
    verify(tiny_model, first, second, "MajorityVote", "MultipleChoice")
    assert done_before(capfd) == ["MultipleChoice: 0/6", "MajorityVote: 0/6", "MultipleChoice: 6/6"]
    assert set(read(second)[0]["scores"]) == {"MultipleChoice", "MajorityVote"}
    assert as_json(capfd, "measure", second)["samples"] == 6


def test_a_critique_that_says_nothing_is_no_score(tiny_model: Path, tmp_path: Path, capfd: Capture) -> None:
    verify(tiny_model, write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl", "CoTScore", votes=2)
    assert "CoTScore: 6 samples, 6 without a score" in capfd.readouterr().err
    assert [row["scores"]["CoTScore"] for row in read(tmp_path / "o.jsonl")] == [None] * 6


def test_what_can_not_be_scored_is_one_line(tiny_model: Path, tmp_path: Path, capfd: Capture) -> None:
    samples, output = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl"

    def said(path: Path = samples, model: Path = tiny_model, method: str = "MultipleChoice", **settings: Any) -> str:
        capfd.readouterr()
        verify(model, path, output, method, code=2, **settings)
        return capfd.readouterr().err

    unequal = said(labels="Correct/Incorrect")
    assert unequal.startswith("error: --labels of MultipleChoice: Correct/Incorrect is not one token each")
    assert said(model=tmp_path / "none").startswith("error: MODEL: ")
    asked = write(tmp_path / "asked.jsonl", [{"question": "What is 3 + 4?"}])
    assert said(asked) == f"error: {asked}: row 1 has no response; give the model's words as text\n"
    silent = write(tmp_path / "silent.jsonl", [{"question": "What is 3 + 4?", "response": "7"}])
    assert said(silent, method="MajorityVote").startswith(f"error: {silent}: no row has an answer")
    own = write(tmp_path / "own.jsonl", [{**ROWS[0], "scores": {"MultipleChoice": 0.5}}])
    assert said(own).startswith("error: --method: the samples have other scores named MultipleChoice already")
    write(output)
    assert said().startswith(f"error: -o: {output} exists and holds no scores of verify; choose another file")
    assert read(output) == ROWS
