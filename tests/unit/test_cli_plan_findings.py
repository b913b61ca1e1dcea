"""What `plan` says was found of a model and of what selects: at every point, not only while it decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove.summaries import PromptMeasures, Selected
from tests.unit.cli_support import BuiltRun, as_json, built_run, estimate, selfimprove

MESSAGE = "AUROC of judge on the training prompts of iteration 1 is 0.5100 (95% interval 0.4600 to 0.5600), which"


def drifting(tmp_path: Path) -> BuiltRun:
    """Iteration 1 is selected by a verifier that is no better than chance."""
    run = built_run(tmp_path, maxIterations=2).baseline().generate(1).verify(1)
    training = PromptMeasures(gap=estimate(0.1), prompts=2, samples=4)
    chosen = Selected(training=training, examples=2, verifier={"judge.auroc": estimate(0.51)})
    return run.step(1, "select", selected=chosen)


def test_a_verifier_at_chance_is_told_before_and_after_distill_and_at_the_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = drifting(tmp_path)

    def told() -> None:
        (found,) = as_json(capfd, "plan", run.folder)["conditions"]
        assert (found["type"], found["reason"]) == ("VerifierDrift", "AtChance")
        assert found["message"].startswith(MESSAGE)
        said = selfimprove(capfd, "plan", run.folder).out
        assert f"Found VerifierDrift, AtChance: {MESSAGE}" in said
        assert said.count(MESSAGE) == 1

    told()
    run.distill(1)
    told()
    run.evaluate(1).measure(1, 0.75).generate(2).verify(2).step(2, "select").distill(2).evaluate(2).measure(2, 0.75)
    assert as_json(capfd, "plan", run.folder)["stop"]["rule"] == "MaxIterations"
    told()


def test_without_a_finding_nothing_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = built_run(tmp_path).baseline()
    assert as_json(capfd, "plan", run.folder)["conditions"] == []
    assert "Found" not in selfimprove(capfd, "plan", run.folder).out


def test_a_run_that_converged_says_so_beside_why_it_ended(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = built_run(tmp_path, maxIterations=3, stopping={"minGap": 0.5, "patience": 1}).baseline().iteration(1)
    found = as_json(capfd, "plan", run.folder)
    assert found["stop"]["rule"] == "Converged"
    assert [each["type"] for each in found["conditions"]] == ["Converged"]
    text = selfimprove(capfd, "plan", run.folder).out
    assert text.count(found["stop"]["message"]) == 1
