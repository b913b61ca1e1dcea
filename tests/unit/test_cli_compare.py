"""`selfimprove compare`: two runs by the held-out prompts that they share, and the settings that differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli_support import BuiltRun, as_json, built_run, selfimprove
from tests.unit.cluster_support import FakeKubectl, resource_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def one(tmp_path: Path) -> BuiltRun:
    """Its best model, M_1, has one of the two held-out prompts right."""
    return built_run(tmp_path).baseline().iteration(1)


@pytest.fixture
def other(tmp_path: Path) -> BuiltRun:
    """Its best model, M_0, has both right, at another temperature."""
    generation = {"samplesPerPrompt": 2, "maxTokens": 32, "temperature": 1.0}
    run = built_run(tmp_path, name="hot", generation=generation)
    return run.prompts().evaluate(0, right=("p1", "p2")).measure(0, 0.9)


def test_the_best_models_are_paired_by_prompt(one: BuiltRun, other: BuiltRun, capfd: Capture) -> None:
    found = as_json(capfd, "compare", one.folder, other.folder)
    assert [(run["name"], run["model"]) for run in found["runs"]] == [("demo", 1), ("hot", 0)]
    assert (found["sharedPrompts"], found["notShared"]) == (2, [0, 0])
    accuracy = found["figures"]["accuracy"]
    assert [value["value"] for value in accuracy["values"]] == [0.5, 1.0]
    assert (accuracy["change"]["value"], accuracy["change"]["n"]) == (0.5, 2)
    assert accuracy["change"]["low"] <= 0.5 <= accuracy["change"]["high"]
    assert found["figures"]["strictAccuracy"]["change"]["value"] == 0
    assert {k: figure["change"]["value"] for k, figure in found["figures"]["passAtK"].items()} == {"1": 0.5, "2": 0.5}
    assert found["figures"]["gap"]["change"]["value"] == 0


def test_turned_round_the_change_has_the_other_sign(one: BuiltRun, other: BuiltRun, capfd: Capture) -> None:
    there, back = (
        as_json(capfd, "compare", *pair)["figures"] for pair in ((one.folder, other.folder), (other.folder, one.folder))
    )
    assert there["accuracy"]["change"]["value"] == -back["accuracy"]["change"]["value"]


def test_the_settings_that_differ_are_those_of_what_is_done(one: BuiltRun, other: BuiltRun, capfd: Capture) -> None:
    found = as_json(capfd, "compare", one.folder, other.folder)["settings"]
    assert found == [{"field": "spec.generation.temperature", "values": [0.7, 1.0]}]
    assert as_json(capfd, "compare", one.folder, one.folder)["settings"] == []


def test_a_run_beside_itself_is_told(one: BuiltRun, other: BuiltRun, capfd: Capture) -> None:
    (said,) = [line for line in as_json(capfd, "compare", one.folder, one.folder)["warnings"] if "itself" in line]
    assert said.endswith("nothing is compared but its best model with itself; give another run")
    assert not any("itself" in line for line in as_json(capfd, "compare", one.folder, other.folder)["warnings"])


def test_a_person_reads_both_the_change_and_a_caution(one: BuiltRun, other: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "compare", one.file, other.folder, "--storage", one.storage)
    text = outcome.out
    assert outcome.err.startswith("warning: there are intervals of 2 prompts, and below 12 they are too narrow")
    assert "A  demo, its best model M_1, at " in text
    assert "2 held-out prompts are shared\n" in text
    assert "accuracy" in text and "+50.0 [" in text
    assert "Each was chosen as its run's best on these prompts" in text
    assert "  spec.generation.temperature: 0.7 in A, 1.0 in B" in text


def test_a_run_of_a_cluster_meets_one_of_this_machine(
    tmp_path: Path, one: BuiltRun, other: BuiltRun, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeKubectl(tmp_path / "bin", monkeypatch).answers(resource_of(one))
    found = as_json(capfd, "compare", "sir/demo", other.file, "--storage", other.storage, "-n", "ml")
    assert found["figures"]["accuracy"]["change"]["value"] == 0.5


def test_runs_of_other_prompts_are_not_compared(tmp_path: Path, one: BuiltRun, capfd: Capture) -> None:
    stranger = built_run(tmp_path, name="stranger").prompts(answer="1").evaluate(0).measure(0, 0.5)
    outcome = selfimprove(capfd, "compare", one.folder, stranger.folder)
    assert (outcome.code, outcome.out) == (2, "")
    assert "share no held-out prompt (by id where the dataset has one, question and gold answer)" in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_run_without_a_measured_model_has_nothing_to_compare(tmp_path: Path, one: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "compare", one.folder, built_run(tmp_path, name="new").folder)
    assert outcome.code == 2
    assert "new: has measured no model yet; compare it after i000-measure" in outcome.err


def test_a_run_that_is_not_there_is_one_line(one: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "compare", one.folder, "no/such/run")
    assert outcome.code == 2
    assert "no/such/run: no such file or folder" in outcome.err
