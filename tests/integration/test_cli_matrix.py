"""`selfimprove matrix` on tiny models: samples, scores and cells, and what a second call has left to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.models import make_tiny_model
from tests.unit.cli_support import Outcome, built_run, selfimprove

Capture = pytest.CaptureFixture[str]


def spec(folder: Path, models: dict[str, Path], **changes: Any) -> Path:
    path = folder / "sums.yaml"
    document = {
        "generators": [{"name": name, "uri": str(model)} for name, model in models.items()],
        "verifiers": [{"method": "MultipleChoice"}, {"method": "MajorityVote"}],
        "dataset": {"uri": "gym://chain_sum?size=3&seed=5", "task": "Gym"},
        "samplesPerPrompt": 4,
        "generation": {"maxTokens": 6, "temperature": 1.0, "topP": 1.0, "engine": "Transformers"},
        "weighting": {"type": "Quantile", "quantile": 0.5},
    }
    path.write_text(yaml.safe_dump(document | changes))
    return path


def test_every_generator_meets_every_verifier_and_nothing_is_done_twice(
    tiny_model: Path, tmp_path: Path, capfd: Capture
) -> None:
    models = {"one": tiny_model, "other": make_tiny_model(tmp_path / "other", seed=1)}

    def matrix(**changes: Any) -> Outcome:
        path = spec(tmp_path, models, **changes)
        return selfimprove(capfd, "matrix", path, "--storage", storage, "-o", tmp_path / "out")

    storage = str(tmp_path / "runs")
    first = matrix()
    assert first.code == 0, first.err
    columns = ["MultipleChoice.one", "MultipleChoice.other", "MajorityVote"]
    found = json.loads((tmp_path / "out" / "matrix.json").read_text())
    assert {name: list(row) for name, row in found["cells"].items()} == {"one": columns, "other": columns}
    assert [line.split()[:2] for line in first.out.splitlines()[3:]] == [[g, v] for g in models for v in columns]
    cell = found["cells"]["one"]["MultipleChoice.other"]
    assert cell["gap"]["n"] == 3 and 0 < cell["keepRate"]["value"] < 1
    assert (tmp_path / "out" / "matrix.png").stat().st_size > 1000
    assert "i001-generate: 0/12 samples" in first.err
    assert "one: samples of 3 prompts; dataset.heldOut sets 1 apart\n" in first.err

    storage = f"{tmp_path}/./runs/"  # the same folder, as another person would spell it
    wider = matrix(verifiers=[{"method": "MultipleChoice"}, {"method": "Likelihood", "model": "one"}])
    assert "i001-generate" not in wider.err
    assert wider.err.count("MultipleChoice.one: 12/12 samples") == 2 and wider.err.count("Likelihood.one: 0/12") == 2


def test_labels_that_are_no_token_are_told_before_anything_is_sampled_by_the_field_that_they_are_in(
    tiny_model: Path, tmp_path: Path, capfd: Capture
) -> None:
    labels = {"positive": "Incontrovertibly", "negative": "Questionably"}
    verifiers = [{"method": "MajorityVote"}, {"method": "MultipleChoice", "labels": labels}]
    path = spec(tmp_path, {"one": tiny_model}, verifiers=verifiers)
    outcome = selfimprove(capfd, "matrix", path, "--storage", tmp_path / "runs", "-o", tmp_path / "out")
    assert outcome.code == 2
    assert f"error: {path}: verifiers[1].labels: Incontrovertibly/Questionably is not one token each" in outcome.err
    assert "i001-generate" not in outcome.err and not (tmp_path / "runs").exists()


def test_a_run_that_has_made_no_such_model_is_said_so(tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path).baseline().iteration(1)
    path = spec(tmp_path, {}, generators=[{"name": "two", "run": str(run.folder), "iteration": 2}])
    outcome = selfimprove(capfd, "matrix", path, "--storage", tmp_path, "-o", tmp_path / "out")
    assert outcome.code == 2
    assert outcome.err.endswith("has made no M_2; give another iteration, or none\n")
