"""`selfimprove verify` with a model: which scores it writes, what it goes on with, and what it refuses."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from selfimprove.cli.verify import Asked, order_of
from selfimprove_workers import scoring
from selfimprove_workers.progress import Progress
from selfimprove_workers.scoring import score_samples
from selfimprove_workers.verifiers.base import MethodScore, Said
from selfimprove_workers.verifiers.cot_score import CoTScore
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
    assert (found["prompts"], found["samples"], list(found["reasons"])) == (2, 6, ["scores.mc.ece.interval"])


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
    verify(tiny_model, samples, output, "MultipleChoice", labels=["A/B"])
    assert done_before(capfd) == ["MultipleChoice: 0/6"]
    other = make_tiny_model(tmp_path / "other", seed=1)
    verify(other, samples, output, "MultipleChoice", labels=["A/B"])
    assert done_before(capfd) == ["MultipleChoice: 0/6"]


def test_a_score_is_known_by_the_format_that_the_model_computes_in(tiny_model: Path, tmp_path: Path) -> None:
    samples, output = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl"
    made = {}
    for dtype in ("bfloat16", "float32"):
        asked = Asked(
            ["MultipleChoice", "MajorityVote"], {}, {"engineArgs": {"dtype": dtype}}, {"uri": str(tiny_model)}, {}
        )
        assert score_samples(order_of(asked, samples, output).model_dump_json(by_alias=True)) == 0
        made[dtype] = read(output)
    coarse, fine = made.values()
    assert all(
        0 < abs(a["scores"]["MultipleChoice"] - b["scores"]["MultipleChoice"]) < 0.1
        for a, b in zip(coarse, fine, strict=True)
    )
    assert [a["scoredBy"]["MajorityVote"] for a in coarse] == [b["scoredBy"]["MajorityVote"] for b in fine]


def test_a_critique_s_score_is_known_by_how_critiques_are_read(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, made = write(tmp_path / "s.jsonl"), []
    for reading in ("now", "otherwise"):
        monkeypatch.setattr(scoring, "CRITIQUES", reading)
        output = tmp_path / f"{reading}.jsonl"
        verify(tiny_model, samples, output, "CoTBinary", "MultipleChoice")
        made.append(read(output)[0]["scoredBy"])
    assert made[0]["CoTBinary"] != made[1]["CoTBinary"]
    assert made[0]["MultipleChoice"] == made[1]["MultipleChoice"]


def test_a_command_that_scored_nothing_claims_to_keep_nothing(tmp_path: Path, capfd: Capture) -> None:
    output = tmp_path / "o.jsonl"
    failed = selfimprove(
        capfd, "verify", tmp_path / "none", write(tmp_path / "s.jsonl"), "-o", output, "--method", "CoTBinary"
    )
    said = f"{output}: not all is scored; mend what the lines above name, and the same command scores what is left"
    assert (failed.code, failed.err.splitlines()[-1]) == (2, said)


def test_another_method_is_added_to_the_scores_that_the_output_has(tiny_model: Path, tmp_path: Path) -> None:
    samples, output = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl"
    verify(tiny_model, samples, output, "MultipleChoice")
    first = [row["scores"]["MultipleChoice"] for row in read(output)]
    verify(tiny_model, samples, output, "Likelihood")
    rows = read(output)
    assert [row["scores"]["MultipleChoice"] for row in rows] == first
    assert all("Likelihood" in row["scores"] for row in rows)


def test_a_killed_command_goes_on_with_what_it_had_noted(
    tiny_model: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, output, partial = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl", tmp_path / "o.jsonl.partial"
    verify(tiny_model, samples, output, "MultipleChoice")
    whole = read(output)
    output.unlink()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scoring, "SAMPLES_AT_ONCE", 1)
        patch.setattr(Progress, "advance", _killed)
        verify(tiny_model, samples, output, "MultipleChoice")
    assert partial.exists() and not output.exists()
    capfd.readouterr()
    verify(tiny_model, samples, output, "MultipleChoice")
    assert done_before(capfd) == ["MultipleChoice: 4/6"]
    found = read(output)
    scores = [[row.pop("scores")["MultipleChoice"] for row in rows] for rows in (found, whole)]
    masses = [[row.pop("mass")["MultipleChoice"] for row in rows] for rows in (found, whole)]
    assert found == whole and not partial.exists()
    for one, other in (scores, masses):
        assert one == pytest.approx(other, rel=1e-4)  # other batches round other last digits


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


def test_rows_come_out_in_the_order_they_came_in_and_are_scored_by_prompt(tiny_model: Path, tmp_path: Path) -> None:
    mixed = [ROWS[0], ROWS[4], ROWS[1], ROWS[5], ROWS[2], ROWS[3]]
    methods = ("MultipleChoice", "Tournament", "MajorityVote")
    verify(tiny_model, write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl", *methods)
    verify(tiny_model, write(tmp_path / "m.jsonl", mixed), tmp_path / "mo.jsonl", *methods)
    sorted_, found = read(tmp_path / "o.jsonl"), read(tmp_path / "mo.jsonl")
    assert [row["response"] for row in found] == [row["response"] for row in mixed]
    order = [0, 4, 1, 5, 2, 3]
    for name in methods:
        expected = [sorted_[at]["scores"][name] for at in order]
        assert [row["scores"][name] for row in found] == pytest.approx(expected, abs=1e-6)


def test_samples_need_not_fit_in_memory(tiny_model: Path, tmp_path: Path) -> None:
    """20,000 samples of 4 kB each, those of a prompt far apart: 80 MB as text."""
    path, output = tmp_path / "s.jsonl", tmp_path / "o.jsonl"
    with path.open("w") as file:
        for at in range(20_000):
            row = {"question": f"What is {at % 5000} + 1?", "response": "x" * 4000, "answer": str(at % 3)}
            file.write(json.dumps(row) + "\n")
    tracemalloc.start()
    try:
        verify(tiny_model, path, output, "MajorityVote")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert sum(1 for _ in output.open()) == 20_000


def test_what_was_said_of_a_sample_stands_beside_its_score(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (Said("It adds up.\nScore: 9", "stop", 9, 7), Said("Hm.", "stop", None, 2))
    monkeypatch.setattr(CoTScore, "score", lambda self, tools, batch: [MethodScore(9.0, critiques=said) for _ in batch])
    for output in (tmp_path / "o.jsonl", tmp_path / "o.parquet"):
        verify(tiny_model, write(tmp_path / "s.jsonl"), output, "CoTScore", votes=2)
        assert [row["critiques"]["CoTScore"] for row in read(output)] == [
            [{"text": "It adds up.\nScore: 9", "says": 9}, {"text": "Hm.", "says": None}]
        ] * 6


def test_parquet_goes_in_and_out(tiny_model: Path, tmp_path: Path, capfd: Capture) -> None:
    samples, first, second = write(tmp_path / "s.jsonl"), tmp_path / "one.parquet", tmp_path / "two.parquet"
    verify(tiny_model, samples, first, "MultipleChoice")
    verify(tiny_model, first, second, "MajorityVote", "MultipleChoice")
    assert done_before(capfd) == ["MultipleChoice: 0/6", "MajorityVote: 0/6", "MultipleChoice: 6/6"]
    assert set(read(second)[0]["scores"]) == {"MultipleChoice", "MajorityVote"}
    assert as_json(capfd, "measure", second)["samples"] == 6


def test_a_critique_that_says_nothing_is_no_score(tiny_model: Path, tmp_path: Path, capfd: Capture) -> None:
    verify(tiny_model, write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl", "CoTScore", votes=2)
    said = "CoTScore: 6 samples, 6 without a score; 12 critiques, 12 could not be read\n"
    assert said in capfd.readouterr().err
    assert [row["scores"]["CoTScore"] for row in read(tmp_path / "o.jsonl")] == [None] * 6


def test_what_can_not_be_scored_is_one_line(tiny_model: Path, tmp_path: Path, capfd: Capture) -> None:
    samples, output = write(tmp_path / "s.jsonl"), tmp_path / "o.jsonl"

    def said(path: Path = samples, model: Path = tiny_model, method: str = "MultipleChoice", **settings: Any) -> str:
        capfd.readouterr()
        verify(model, path, output, method, code=2, **settings)
        return capfd.readouterr().err

    unequal = said(labels=["Correct/Incorrect"])
    assert unequal.startswith("error: --labels of MultipleChoice: Correct/Incorrect is not one token each")
    assert said(model=tmp_path / "none").startswith("error: MODEL: ")
    asked = write(tmp_path / "asked.jsonl", [{"question": "What is 3 + 4?"}])
    assert said(asked) == f"error: {asked}: row 1 has no response; give the model's words as text\n"
    silent = write(tmp_path / "silent.jsonl", [{"question": "What is 3 + 4?", "response": "7"}])
    assert said(silent, method="MajorityVote").startswith(f"error: {silent}: no row has an answer")
    own = write(tmp_path / "own.jsonl", [{**ROWS[0], "scores": {"MultipleChoice": 0.5}}])
    assert said(own).startswith("error: --method: the samples have other scores named MultipleChoice already")
    assert not output.with_name("o.jsonl.partial").exists()
    output.with_name("o.jsonl.partial").write_text("a text of somebody's")
    assert said().startswith(f"error: {output}.partial: holds no scores of a command that was stopped")
    output.with_name("o.jsonl.partial").unlink()
    write(output)
    assert said().startswith(f"error: -o: {output} exists and holds no scores of verify; choose another file")
    assert read(output) == ROWS
