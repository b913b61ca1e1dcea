"""Why a sample was not kept, in the words of the method that filtered it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfimprove.api.spec import Spec
from selfimprove.cli.reasons import with_reasons
from selfimprove.records import GIVEN, SAMPLE, SCORE, VOTE
from tests.unit.cli_support import as_json, built_run, manifest_of, score, selfimprove
from tests.unit.cli_support import sample as sample_row

Capture = pytest.CaptureFixture[str]
Weights = dict[str, Any]

QUANTILE = {"type": "Quantile", "quantile": 0.5}


def spec_with(*methods: dict[str, Any]) -> Spec:
    return Spec.model_validate(manifest_of(verification={"methods": list(methods)})["spec"])


def sample(scores: dict[str, float | None], reason: str = "not accepted", strategy: str = "") -> dict[str, Any]:
    return {"strategy": strategy, "scores": scores, "reason": reason}


def reasons(spec: Spec, *samples: dict[str, Any]) -> list[str]:
    return [each["reason"] for each in with_reasons(spec, samples)]


@pytest.mark.parametrize(
    ("weighting", "sentence"),
    [
        ({"type": "Threshold", "threshold": 0.6}, "Likelihood 0.25 is below the threshold 0.6"),
        ({"type": "Quantile", "quantile": 0.7}, "Likelihood 0.25 is below 0.75, its prompt's 0.7 quantile"),
        ({"type": "TopK", "k": 1}, "Likelihood 0.25 is not among its prompt's 1 highest, from 0.75 up"),
        (
            {"type": "Softmax", "beta": 0.0001},
            "Likelihood 0.25 is so far below its prompt's highest that beta 0.0001 leaves 0",
        ),
    ],
)
def test_a_filtered_sample_says_its_score_and_the_cut(weighting: Weights, sentence: str) -> None:
    spec = spec_with({"type": "Likelihood", "weighting": weighting})
    found = reasons(spec, sample({"Likelihood": 0.75}, "kept"), sample({"Likelihood": 0.25}))
    assert found == ["kept", sentence]


def test_each_method_that_filtered_it_is_named_and_no_other() -> None:
    by_share = {"type": "MultipleChoice", "name": "judge", "weighting": QUANTILE}
    spec = spec_with({"type": "GroundTruth"}, by_share, {"type": "MajorityVote"})
    right = {"GroundTruth": 1.0, "judge": 0.9, "MajorityVote": 0.6}
    wrong = {"GroundTruth": 0.0, "judge": 0.2, "MajorityVote": 0.7}
    assert reasons(spec, sample(right, "kept"), sample(wrong))[1] == (
        "not accepted; judge 0.2 is below 0.9, its prompt's 0.5 quantile"
    )


def test_what_was_let_go_for_another_reason_keeps_it() -> None:
    spec = spec_with({"type": "Likelihood", "weighting": QUANTILE})
    others = [sample({"Likelihood": 0.1}, why) for why in ("truncated", "duplicate", "over the cap")]
    found = reasons(spec, sample({"Likelihood": 0.9}, "kept"), *others, sample({"Likelihood": None}, "no score"))
    assert found == ["kept", "truncated", "duplicate", "over the cap", "no score"]


def test_a_guided_sample_is_accepted_or_not_and_has_no_part_in_its_prompts_share() -> None:
    spec = spec_with({"type": "Likelihood", "weighting": QUANTILE})
    plain = [sample({"Likelihood": 0.9}, "kept"), sample({"Likelihood": 0.5})]
    found = reasons(spec, *plain, sample({}, strategy="StateReset"))
    assert found[1:] == ["Likelihood 0.5 is below 0.9, its prompt's 0.5 quantile", "not accepted"]


def test_close_numbers_get_as_many_digits_as_it_takes_to_tell_them_apart() -> None:
    spec = spec_with({"type": "Likelihood", "weighting": QUANTILE})
    found = reasons(spec, sample({"Likelihood": 0.123456}, "kept"), sample({"Likelihood": 0.123451}))
    assert found[1] == "Likelihood 0.12345 is below 0.12346, its prompt's 0.5 quantile"


def test_the_tail_is_counted_by_the_grading_that_counts(tmp_path: Path, capfd: Capture) -> None:
    """Strictly none of these samples has an answer, so that both prompts are tail."""
    strict = {**manifest_of()["spec"]["dataset"], "grading": "Strict"}
    run = built_run(tmp_path, dataset=strict).baseline().generate(1).verify(1)
    prompts = as_json(capfd, "samples", run.folder, "--tail")["prompts"]
    assert [prompt["prompt"] for prompt in prompts] == ["p1", "p2"]


def test_a_prompt_is_not_looked_for_in_the_tail(tmp_path: Path, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "samples", tmp_path, "--prompt", "p1", "--tail")
    line = "--tail: chooses among prompts, and --prompt names p1; give one of the two"
    assert (outcome.code, outcome.err) == (2, f"error: {line}\n")


def test_samples_says_it_to_people_and_to_programs(tmp_path: Path, capfd: Capture) -> None:
    method = {"type": "MultipleChoice", "weighting": QUANTILE}
    run = built_run(tmp_path, verification={"methods": [method]}).baseline().generate(1)
    scores = {("p1", 0): 0.9, ("p1", 1): 0.8, ("p2", 0): 0.4, ("p2", 1): 0.1}
    rows = [{**score(*key, correct=True), "method": "MultipleChoice", "score": s} for key, s in scores.items()]
    run.step(1, "verify", SCORE, rows).select(1)
    sentence = "MultipleChoice 0.1 is below 0.4, its prompt's 0.5 quantile"
    assert f"not kept: {sentence}\n" in selfimprove(capfd, "samples", run.folder).out
    second = as_json(capfd, "samples", run.folder)["prompts"][1]["samples"]
    assert second[1]["reason"] == sentence


def vote(sample: int, text: str, says: float | None, finish: str = "stop") -> dict[str, Any]:
    judged = {"prompt": "p1", "sample": sample, "method": "judge", "vote": 0}
    return {**judged, "text": text, "finish": finish, "says": says, "tokens": 9}


def test_step_verify_shows_the_critiques_that_a_score_came_from(tmp_path: Path, capfd: Capture) -> None:
    method = {"type": "CoTScore", "name": "judge"}
    run = built_run(tmp_path, verification={"methods": [method]}).baseline().generate(1)
    votes = [vote(0, "All is well.\x1b[2J\nScore: 9", 9.0), vote(1, "Hm, let me", None, "length")]
    rows = [{**score("p1", i, correct=True), "method": "judge", "score": s} for i, s in enumerate((9.0, None))]
    run.step(1, "verify", SCORE, rows, tables={"critique": [run.table(1, "verify", "critique", VOTE, votes)]})
    first, second = as_json(capfd, "samples", run.folder, "--step", "verify", "--prompt", "p1")["prompts"][0]["samples"]
    assert [(each["method"], each["says"]) for each in first["critiques"]] == [("judge", 9.0)]
    assert second["critiques"][0]["text"] == "Hm, let me"
    out = selfimprove(capfd, "samples", run.folder, "--step", "verify", "--prompt", "p1").out
    assert "   judge, critique 1, says 9:\n      All is well.\\x1b[2J\n      Score: 9\n" in out
    assert "   judge, critique 1, says nothing that can be read, cut by length:\n      Hm, let me\n" in out
    assert "critiques" not in as_json(capfd, "samples", run.folder)["prompts"][0]["samples"][0]


def test_of_a_sample_that_was_begun_from_a_prefix_it_shows_where_that_ends(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, resampling={"strategy": "None"}).baseline().generate(1).verify(1)
    guided = {"strategy": "StateReset", "round": 2, "text": "43 - 40\n= 3.", "prefix_length": 4}
    rows = [{**sample_row("p2", 2), **guided}, {**sample_row("p2", 3), **guided}]
    given = run.table(1, "resample", "given", GIVEN, [{"prompt": "p2", "sample": 2, "characters": 8}])
    run.step(1, "resample", SAMPLE, rows, tables={"given": [given]})
    out = selfimprove(capfd, "samples", run.folder, "--step", "resample").out
    assert "-- #2, StateReset round 2, begun with 4 tokens given" in out
    assert "   ⟨given⟩43 - 40\n   ⟨written⟩= 3.\n" in out
    assert out.endswith("   43 - 40\n   = 3.\n"), "a run of an earlier version, which noted the tokens alone"
    told = as_json(capfd, "samples", run.folder, "--step", "resample")["prompts"][0]["samples"]
    assert [(each["text"], each["prefix_length"], each.get("given")) for each in told] == [
        (guided["text"], 4, 8),
        (guided["text"], 4, None),
    ]
