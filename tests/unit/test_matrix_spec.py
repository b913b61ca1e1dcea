"""The YAML of a matrix: which columns it comes to, and every mistake named at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from selfimprove.errors import UserError
from selfimprove.matrix_spec import MatrixSpec, load_matrix, weighting_of
from selfimprove.scoring import Places, as_asked
from tests.unit.cli_support import selfimprove

BASE = {"name": "base", "uri": "hf://lab/base"}
TUNED = {"name": "tuned", "run": "runs/mine"}


def load(folder: Path, **changes: Any) -> MatrixSpec:
    document: dict[str, Any] = {
        "generators": [BASE, TUNED],
        "verifiers": [{"method": "MultipleChoice"}],
        "dataset": {"uri": "gym://chain_sum?size=8", "task": "Gym"},
        **changes,
    }
    path = folder / "My sums.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_matrix(path)


def columns(spec: MatrixSpec) -> list[tuple[str, str | None]]:
    return [(verifier.name, verifier.model) for verifier in spec.verifiers]


def test_a_verifier_without_a_model_is_a_column_for_each_generator(tmp_path: Path) -> None:
    spec = load(tmp_path)
    assert columns(spec) == [("MultipleChoice.base", "base"), ("MultipleChoice.tuned", "tuned")]
    assert spec.name == "my-sums"


def test_a_verifier_may_name_a_generator_or_a_model_of_its_own_or_ask_none(tmp_path: Path) -> None:
    verifiers = [
        {"method": "Tournament", "model": "base", "votes": 3},
        {"method": "MultipleChoice", "model": "hf://lab/large judge"},
        {"method": "CoTScore", "name": "score", "model": "hf://lab/judge"},
        {"method": "MajorityVote"},
    ]
    spec = load(tmp_path, verifiers=verifiers)
    assert columns(spec) == [
        ("Tournament.base", "base"),
        ("MultipleChoice.large-judge", "hf://lab/large judge"),
        ("score", "hf://lab/judge"),
        ("MajorityVote", None),
    ]
    assert spec.verifiers[0].method.votes == 3


def test_a_verifier_may_be_a_model_of_this_machine_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "judge").mkdir()
    spec = load(tmp_path, verifiers=[{"method": "Tournament", "model": str(tmp_path / "judge")}])
    assert columns(spec) == [("Tournament.judge", str(tmp_path / "judge"))]


def test_one_weighting_cuts_all_scores_but_those_that_have_their_own(tmp_path: Path) -> None:
    own = {"method": "MajorityVote", "weighting": {"type": "Threshold", "threshold": 0.25}}
    spec = load(tmp_path, verifiers=[{"method": "MultipleChoice"}, own], weighting={"type": "TopK", "k": 2})
    assert [weighting_of(verifier).type for verifier in spec.verifiers] == ["TopK", "TopK", "Threshold"]
    assert [weighting_of(verifier).type for verifier in load(tmp_path).verifiers] == ["Quantile", "Quantile"]


def test_a_generators_run_has_the_matrix_s_settings(tmp_path: Path) -> None:
    spec = load(tmp_path, samplesPerPrompt=4, seed=3, generation={"maxTokens": 9})
    run = spec.manifest(spec.generators[0], "hf://lab/base", "runs", "1a2b")
    assert run["metadata"]["name"] == "my-sums-base-1a2b"
    assert run["spec"]["generation"] == {"maxTokens": 9, "samplesPerPrompt": 4}
    assert run["spec"]["seed"] == 3 and run["spec"]["verification"]["methods"] == [{"type": "GroundTruth"}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generators": []}, "generators: list should have at least 1 item"),
        ({"generators": [{"name": "base"}]}, "generators[0]: base has to name its uri or its run; give one of them"),
        ({"generators": [BASE, BASE]}, "generators[1].name: base is another generator's; give a name of its own"),
        (
            {"generators": [{**BASE, "name": "a b"}]},
            'generators[0].name: "a b" can\'t be a name here; give at most 24 lower-case letters',
        ),
        ({"generators": [{**BASE, "iteration": 1}]}, "generators[0].iteration: 1 is read with run only; remove it"),
        ({"generators": [{"name": "a", "uri": "gym://x"}]}, "generators[0].uri: gym://x"),
        ({"generators": [{**BASE, "size": 1}]}, "generators[0].size: no such field"),
        ({"verifier": []}, "verifier: no such field"),
        (
            {"verifiers": [{"method": "Vibes"}]},
            "verifiers[0].method: Vibes is not among the choices; give Likelihood, ",
        ),
        ({"verifiers": [{"method": "CoTBinery"}]}, "verifiers[0].method: CoTBinery is none of Likelihood, "),
        ({"verifiers": [{"method": "GroundTruth"}]}, "verifiers[0].method: GroundTruth is no verifier here"),
        (
            {"verifiers": [{"method": "MajorityVote", "model": "base"}]},
            "verifiers[0].model: MajorityVote asks no",
        ),
        (
            {"verifiers": [{"method": "Tournament", "model": "bse"}]},
            "verifiers[0].model: bse is no generator (base, tuned) and no path of this machine; give one of their "
            "names, a path or a URI",
        ),
        (
            {"verifiers": [{"method": "Tournament", "model": "gym://x"}]},
            "verifiers[0].model: gym://x has a scheme that is not read here",
        ),
        ({"verifiers": [{"method": "MultipleChoice", "votes": 3}]}, "verifiers[0].votes: MultipleChoice does not read"),
        (
            {"verifiers": [{"method": "MultipleChoice", "verifier": {"uri": "hf://lab/judge"}}]},
            "verifiers[0].verifier: is model here; give",
        ),
        ({"verifiers": [{"method": "MajorityVote"}] * 2}, "verifiers: MajorityVote is the name of two columns"),
        ({"dataset": {"uri": "gym://chain_sum"}}, "dataset.task: missing"),
        ({"generation": {"temperature": 9}}, "generation.temperature: 9 is above 2"),
        ({"generation": {"samplesPerPrompt": 9}}, "generation.samplesPerPrompt: stands beside generation here"),
        ({"samplesPerPrompt": 1}, "samplesPerPrompt: "),
    ],
)
def test_a_mistake_is_one_line_that_names_its_field(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load(tmp_path, **changes)
    assert str(error.value).startswith(f"{tmp_path}/My sums.yaml: {message}")
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = selfimprove(capfd, "matrix", tmp_path / "none.yaml")
    assert (outcome.code, outcome.err) == (2, f"error: {tmp_path}/none.yaml: no such file; give the YAML of a matrix\n")


PLACES = Places(
    model="m.yaml: generators[0].uri", methods={"mc": "m.yaml: verifiers[1]"}, generation="m.yaml: generation"
)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("spec.model.uri: x is gone", "m.yaml: generators[0].uri: x is gone"),
        ("spec.model.chatTemplate: is none", "m.yaml: generators[0].uri: is none"),
        ("spec.generation.maxTokens: 0 is below 1", "m.yaml: generation.maxTokens: 0 is below 1"),
        ("spec.verification.methods[mc].labels: no token", "m.yaml: verifiers[1].labels: no token"),
        ("samples.jsonl: row 2 has no question", "samples.jsonl: row 2 has no question"),
    ],
)
def test_a_workers_message_names_the_matrixs_field(message: str, shown: str) -> None:
    assert as_asked(message, PLACES) == shown
