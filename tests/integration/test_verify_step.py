"""The verify step on committed samples: which rows it writes, and how it goes on after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfimprove.errors import FailedError, TerminatedError, UserError
from selfimprove_workers import verify
from selfimprove_workers.chat import render
from tests.integration.steps_support import Rows, Workshop, workshop

SUMS = [
    {"id": "p1", "question": "What is 3 + 4?", "answer": "7"},
    {"id": "p2", "question": "And 5 + 5?", "answer": "10"},
]
LIKELIHOOD = {"type": "Likelihood"}
VOTE = {"type": "MajorityVote"}


def verification(*methods: dict[str, Any]) -> dict[str, Any]:
    return {"verification": {"methods": list(methods)}}


def answered(prompt: str, *texts: str) -> Rows:
    return [{"prompt": prompt, "sample": i, "text": text} for i, text in enumerate(texts)]


def scored(shop: Workshop, method: str) -> dict[tuple[str, int], dict[str, Any]]:
    rows = shop.rows(shop.manifest("verify").parts, "score")
    return {(row["prompt"], row["sample"]): row for row in rows if row["method"] == method}


def test_every_sample_gets_its_typed_verdict_whatever_selects(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(LIKELIHOOD))
    rows = [*answered("p1", "The answer is 7.", "It must be 8"), *answered("p2", "No idea.")]
    shop.commit_samples([*rows, {"prompt": "p2", "sample": 1, "text": "So it is 1", "finish": "length"}])
    summary = verify.run(shop.context("verify"))
    found = scored(shop, "GroundTruth")
    assert {key: row["verdict"] for key, row in found.items()} == {
        ("p1", 0): "Correct",
        ("p1", 1): "Wrong",
        ("p2", 0): "NoAnswer",
        ("p2", 1): "Truncated",
    }
    assert found["p1", 0]["score"] == 1.0
    assert found["p1", 0]["answer"] == "7"
    assert summary.counts == {"Correct": 1, "Wrong": 1, "NoAnswer": 1, "Truncated": 1}
    assert (summary.prompts, summary.rows, summary.tokens) == (2, 8, 0)


def test_without_answers_there_are_no_verdicts_and_the_rest_is_scored(tiny_model: Path, tmp_path: Path) -> None:
    prompts = [{"id": "p1", "question": "What is 3 + 4?"}]
    shop = workshop(tmp_path, tiny_model, prompts, **verification(VOTE, LIKELIHOOD))
    shop.commit_samples(answered("p1", "It is 7", "7", "I think 8", "who knows"))
    summary = verify.run(shop.context("verify"))
    assert scored(shop, "GroundTruth") == {}
    assert [row["score"] for row in scored(shop, "MajorityVote").values()] == [0.5, 0.5, 0.25, None]
    assert [row["score"] for row in scored(shop, "Likelihood").values()] == [-1.0] * 4
    assert summary.counts == {"noScore.MajorityVote": 1}


def test_strict_grading_makes_the_strict_verdict_the_utility_and_keeps_both(tiny_model: Path, tmp_path: Path) -> None:
    strict = workshop(tmp_path, tiny_model, SUMS, dataset={"grading": "Strict"})
    strict.commit_samples(
        [*answered("p1", "so we get 3 + 4, 7 that is, by adding", "The answer is 7."), *answered("p2")]
    )
    verify.run(strict.context("verify"))
    found = scored(strict, "GroundTruth")
    assert [row["score"] for row in found.values()] == [0.0, 1.0]
    assert [row["verdict"] for row in found.values()] == ["Correct", "Correct"]


def test_labels_are_read_after_the_samples_own_tokens_by_the_runs_own_model(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, **verification({"type": "MultipleChoice", "name": "mc"}))
    tokenizer = shop.models.tokenizer(tiny_model)
    prompt = render(tokenizer, [{"role": "user", "content": SUMS[0]["question"]}], {})
    texts = ["It is 7.", "It is 9."]
    rows = [
        {**row, "prompt_tokens": prompt, "tokens": tokenizer.encode(row["text"], add_special_tokens=False)}
        for row in answered("p1", *texts)
    ]
    shop.commit_samples(rows)
    verify.run(shop.context("verify"))
    found = scored(shop, "mc").values()
    assert all(0 < row["score"] < 1 and 0 < row["mass"] < 1 for row in found)
    assert len({row["score"] for row in found}) == 2
    settings = shop.manifest("verify").settings["methods"]["mc"]
    assert settings["version"].startswith("multiple-choice-1@")


def test_another_model_can_verify_in_a_pass_of_its_own(tiny_model: Path, tmp_path: Path) -> None:
    judge = {"type": "MultipleChoice", "name": "judge", "verifier": {"uri": str(tiny_model)}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(judge, LIKELIHOOD))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")])
    verify.run(shop.context("verify"))
    rows = shop.rows(shop.manifest("verify").parts, "score")
    assert [row["method"] for row in rows] == ["GroundTruth"] * 4 + ["Likelihood"] * 4 + ["judge"] * 4
    assert all(row["score"] is not None for row in rows)


def test_an_interrupted_step_goes_on_at_the_prompt_where_it_stopped(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "SAMPLES_PER_PART", 2)
    judge = {"type": "MultipleChoice", "name": "judge", "verifier": {"uri": str(tiny_model)}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(judge, LIKELIHOOD))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")], per_part=1)
    parts = []
    for _ in range(3):
        context = shop.context("verify")
        context.stopping.set()
        with pytest.raises(TerminatedError):
            verify.run(context)
        parts.append(sorted(entry.key for entry in shop.store.list("i001/verify/")))
    verify.run(shop.context("verify"))
    assert [len(keys) for keys in parts] == [1, 2, 3]
    rows = shop.rows(shop.manifest("verify").parts, "score")
    whole = [(row["method"], row["prompt"], row["sample"]) for row in rows]
    samples = [("p1", 0), ("p1", 1), ("p2", 0), ("p2", 1)]
    assert sorted(whole) == sorted((m, p, i) for m in ("GroundTruth", "Likelihood", "judge") for p, i in samples)
    assert shop.manifest("verify").summary["counts"] == {"Correct": 2, "Wrong": 2}


def test_a_verifier_that_the_tokenizer_cannot_serve_is_refused_in_one_line(tiny_model: Path, tmp_path: Path) -> None:
    unequal = {"type": "MultipleChoice", "name": "mc", "labels": {"positive": "Correct", "negative": "Incorrect"}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(unequal))
    shop.commit_samples(answered("p1", "7"))
    with pytest.raises(
        UserError, match=r"^spec\.verification\.methods\[mc\]\.labels: Correct/Incorrect is not one token"
    ):
        verify.run(shop.context("verify"))


def test_without_samples_there_is_nothing_to_verify(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS)
    with pytest.raises(FailedError, match="i001/generate/00000"):
        verify.run(shop.context("verify"))


@pytest.mark.model
def test_a_real_model_answers_with_the_labels_it_is_asked_for(smollm2: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, smollm2, SUMS, **verification({"type": "MultipleChoice"}))
    shop.commit_answers({"p1": ["3 + 4 = 7", "3 + 4 = 9"], "p2": ["5 + 5 = 10"]})
    found = scored(shop, "MultipleChoice").values()
    assert all(row["mass"] > 0.3 for row in found)
    assert all(0.05 < row["score"] < 0.95 for row in found)


@pytest.mark.model
def test_a_real_tokenizer_with_one_spelling_of_incorrect_is_told_of_a_pair_it_has(
    smollm2: Path, tmp_path: Path
) -> None:
    unequal = {"type": "MultipleChoice", "labels": {"positive": "Correct", "negative": "Incorrect"}}
    shop = workshop(tmp_path, smollm2, SUMS, **verification(unequal))
    with pytest.raises(
        UserError, match=r"Correct/Incorrect is not one token each in the same spelling here; use Yes/No$"
    ):
        shop.commit_answers({"p1": ["3 + 4 = 7"], "p2": ["5 + 5 = 10"]})


def test_programs_are_run_side_by_side_and_judged_by_what_they_print(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, dataset={"task": "Program"}, **verification(VOTE))
    block = "```python\n{}\n```".format
    right, hostile = block("print(3 + 4)"), block("import os\nwhile True:\n    os.fork()")
    shop.commit_samples(
        [*answered("p1", right, block("print(8)"), hostile), *answered("p2", "I say it is 10.", block("10 / 0"))]
    )
    summary = verify.run(shop.context("verify"))
    assert {key: row["verdict"] for key, row in scored(shop, "GroundTruth").items()} == {
        ("p1", 0): "Correct",
        ("p1", 1): "Wrong",
        ("p1", 2): "Wrong",
        ("p2", 0): "NoAnswer",
        ("p2", 1): "Wrong",
    }
    assert scored(shop, "GroundTruth")["p1", 0]["answer"] == "7"
    assert summary.counts["Correct"] == 1
