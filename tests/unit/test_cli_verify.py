"""`selfimprove verify`: what its options come to, and what is refused before any model is looked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfimprove.cli.verify import Asked, order_of
from selfimprove.scoring import ScoringOrder, as_option
from tests.unit.cli_support import selfimprove

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps({"question": "What is 3 + 4?", "response": "7"}) + "\n")
    return path


def order(*methods: str, **settings: Any) -> ScoringOrder:
    asked = Asked(methods, settings, {"engine": "Transformers"}, {"uri": "hf://lab/judge"}, {})
    return order_of(asked, Path("s.jsonl"), Path("o.jsonl"))


def test_methods_get_their_names_and_a_runs_defaults() -> None:
    found = order("mc=MultipleChoice", "CoTScore", "Likelihood").methods
    assert [(method.name, method.type) for method in found] == [
        ("mc", "MultipleChoice"),
        ("CoTScore", "CoTScore"),
        ("Likelihood", "Likelihood"),
    ]
    assert found[0].labels is not None and found[0].labels.positive == "Yes"
    assert (found[1].range, found[2].reduction) == ([1, 10], "Mean")
    assert all(method.weighting is None for method in found)


def test_a_setting_goes_to_the_methods_that_read_it() -> None:
    found = order("MultipleChoice", "CoTScore", votes=3, labels=["True/False"]).methods
    assert [method.votes for method in found] == [1, 3]
    assert found[0].labels is not None and found[0].labels.negative == "False" and found[1].labels is None


def test_labels_of_a_name_go_to_that_method() -> None:
    found = order("mc=MultipleChoice", "Tournament", labels=["mc=True/False"]).methods
    assert [method.labels and method.labels.positive for method in found] == ["True", "A"]
    each = order("mc=MultipleChoice", "Tournament", labels=["Tournament=B/A", "mc=No/Yes"]).methods
    assert [method.labels and method.labels.positive for method in each] == ["No", "B"]
    two = order("MultipleChoice", "again=MultipleChoice", labels=["True/False"]).methods
    assert [method.labels and method.labels.positive for method in two] == ["True", "True"]


def test_a_range_is_that_of_the_scores() -> None:
    found = order("MultipleChoice", "CoTScore", range="0-5").methods
    assert [method.range for method in found] == [None, [0, 5]]


def test_a_template_is_one_of_ours_or_a_file(tmp_path: Path) -> None:
    own = tmp_path / "mine.jinja"
    own.write_text("{{ question }} {{ response }}: {{ positive }} or {{ negative }}?")
    assert order("MultipleChoice", template="multiple-choice-arithmetic-1").methods[0].template is not None
    assert order("MultipleChoice", template=str(own)).methods[0].template == own.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "Vibes"], "--method: Vibes is not among the choices; give Likelihood, "),
        (["--method", "GroundTruth"], "--method: GroundTruth is a task's own check, which a run does"),
        (
            ["--method", "Likelihood", "--method", "Likelihood"],
            "--method: Likelihood is given twice; name one of them, as other=Likelihood",
        ),
        (
            ["--method", "mc=MultipleChoice", "--method", "mc=Tournament"],
            "--method: mc is given twice; name one of them, as other=Tournament",
        ),
        (["--method", "a b=Likelihood"], "--method: "),
        (["--method", "Likelihood", "--votes", "3"], "--votes: no method given reads it; CoTScore and CoTBinary and"),
        (["--method", "CoTScore", "--votes", "0"], "--votes: 0 is below 1"),
        (["--method", "MultipleChoice", "--labels", "Yes"], "--labels: Yes is no pair; give two words, as Yes/No"),
        (
            ["--method", "mc=MultipleChoice", "--method", "Tournament", "--labels", "Yes/No"],
            "--labels: Yes/No would answer the questions of mc and Tournament alike; give it one of them, as mc=Yes/No",
        ),
        (
            ["--method", "MultipleChoice", "--labels", "mc=Yes/No"],
            "--labels: mc is no method that reads labels; there are MultipleChoice",
        ),
        (
            ["--method", "mc=MultipleChoice", "--labels", "mc=Yes/No", "--labels", "A/B"],
            "--labels: two pairs are given for mc; keep one",
        ),
        (["--method", "CoTScore", "--labels", "Yes/No"], "--labels: no method given reads it; MultipleChoice and"),
        (["--method", "MultipleChoice", "--labels", "Yes/yes"], "--labels: Yes and yes can't be told apart"),
        (["--method", "MultipleChoice", "--template", "Is it?"], "--template: does not say {{ positive }} and"),
        (
            ["--method", "MultipleChoice", "--template", "own.jinja"],
            "--template: own.jinja: there is no such file; give",
        ),
        (["--method", "MultipleChoice", "--min-mass", "2"], "--min-mass: 2.0 is above 1"),
        (["--method", "CoTScore", "--range", "ten"], "--range: ten is no range; give the lowest and the highest"),
        (["--method", "CoTScore", "--range", "10-1"], "--range: [10, 1] does not go up; give the lowest score first"),
        (["--method", "CoTBinary", "--range", "1-10"], "--range: no method given reads it; CoTScore does"),
        (["--method", "CoTScore", "--max-tokens", "0"], "--max-tokens: 0 is below 1"),
        (["--method", "CoTScore", "--engine", "Fast"], "--engine: Fast is not among the choices"),
        (["--method", "CoTScore", "--dtype", "fp32"], "--dtype: fp32 is not among the choices; give auto, bfloat16"),
    ],
)
def test_an_option_that_can_not_be_is_one_line_that_names_it(
    options: list[str], message: str, samples: Path, tmp_path: Path, capfd: Capture
) -> None:
    outcome = selfimprove(capfd, "verify", "hf://lab/judge", samples, *options, "-o", tmp_path / "o.jsonl")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {message}"), outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_model_in_a_place_that_holds_none_is_refused(samples: Path, tmp_path: Path, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "verify", "gym://x", samples, "--method", "Likelihood", "-o", tmp_path / "o.jsonl")
    assert outcome.code == 2 and outcome.err.startswith("error: MODEL: gym://x")


def test_files_that_can_not_be_are_refused_before_any_model_is_looked_for(
    samples: Path, tmp_path: Path, capfd: Capture
) -> None:
    def line(path: Path, output: Path) -> str:
        return selfimprove(capfd, "verify", "hf://lab/judge", path, "--method", "Likelihood", "-o", output).err

    assert line(tmp_path / "none.jsonl", tmp_path / "o.jsonl").endswith(
        "none.jsonl: no such file; give samples as .jsonl or .parquet\n"
    )
    assert "names no file of samples; give .jsonl or .parquet" in line(samples, tmp_path / "o.csv")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("spec.model.uri: x is gone", "MODEL: x is gone"),
        ("spec.generation.maxTokens: 0 is below 1", "--max-tokens: 0 is below 1"),
        ("spec.verification.methods[mc].labels: no token", "--labels of mc: no token"),
        ("spec.verification.methods[0].labels: no token", "--labels: no token"),
        ("samples.jsonl: row 2 has no question", "samples.jsonl: row 2 has no question"),
    ],
)
def test_a_workers_message_names_the_option(message: str, shown: str) -> None:
    assert as_option(message) == shown
