"""What `plan` says that a step may come to at most, before any like it has run, and of how many prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfimprove.api import Surroundings, resolve
from selfimprove.api.spec import Spec
from selfimprove.cli.plan import at_most
from selfimprove.ledger import Ledger
from selfimprove.prompt_counts import Counts, expected
from tests.unit.cli_support import as_json, manifest_of, selfimprove, write_yaml

GYM = "gym://chain_sum?size=320"
HUB = "hf://datasets/lab/sums/train-*.parquet"


@pytest.mark.parametrize(
    ("resampling", "samples"),
    [
        ({"strategy": "BruteForce", "maxRounds": 128}, 128),
        ({"strategy": "StateReset", "samplesPerRound": 2}, 16),
        ({"strategy": "Interactive"}, 16),
        ({"strategy": "Adaptive"}, 8),
        ({"strategy": "Adaptive", "teacher": {"uri": "/models/big"}}, 16),
        ({"strategy": "AnswerDriven", "leakProbe": True}, 10),
        ({"strategy": "StateReset", "leakProbe": True}, 9),
    ],
)
def test_guided_samples_are_counted_with_critiques_and_the_leak_probe(resampling: dict[str, Any], samples: int) -> None:
    spec = Spec.model_validate(
        {
            "model": {"uri": "/models/small"},
            "dataset": {"uri": "/data/train.jsonl", "task": "Math"},
            "maxIterations": 1,
            "generation": {"maxTokens": 100},
            "resampling": resampling,
        }
    )
    bound = at_most(spec, Ledger(), {"train": 10}, ["resample"])
    assert bound is not None
    assert (bound.samples, bound.tokens) == (10 * samples, 1000 * samples)


def test_the_test_set_is_answered_by_the_base_model_and_by_the_best() -> None:
    spec = Spec.model_validate(manifest_of(evaluation={"samplesPerPrompt": 3, "maxTokens": 10})["spec"])
    bound = at_most(spec, Ledger(), {"test": 5}, ["evaluate-test", "measure-test"])
    assert bound == (30, 300)
    assert at_most(spec, Ledger(), {"train": 5}, ["evaluate-test"]) is None


@pytest.mark.parametrize(
    ("dataset", "prompts"),
    [
        ({"uri": GYM}, {"train": 320, "heldOut": 32}),
        ({"uri": GYM, "limit": 100, "heldOut": {"fraction": 0.5}}, {"train": 100, "heldOut": 160}),
        ({"uri": GYM, "heldOut": {"fraction": 0.5, "limit": 7}}, {"train": 320, "heldOut": 7}),
        ({"uri": "gym://chain_sum"}, {"train": 500, "heldOut": 50}),
        (
            {"uri": GYM, "heldOut": {"uri": "gym://chain_sum?size=9"}, "test": {"uri": "gym://chain_sum?size=8"}},
            {"train": 320, "heldOut": 9, "test": 8},
        ),
    ],
)
def test_a_generated_set_says_its_size(dataset: dict[str, Any], prompts: dict[str, int]) -> None:
    assert counts_of(task="Gym", **dataset) == Counts(prompts)


@pytest.mark.parametrize("name", ["train.jsonl", "train-*.parquet"])
def test_files_of_this_machine_are_counted_and_a_share_of_them_is_about_what_is_held_out(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "train.jsonl").write_text('{"q": 1}\n\n' * 200)
    for number in (1, 2):
        pq.write_table(pa.table({"q": ["?"] * 100}), tmp_path / f"train-{number}.parquet")
    uri = str(tmp_path / name)
    assert counts_of(uri=uri) == Counts({"train": 180, "heldOut": 20}, sure=False)
    assert counts_of(uri=uri, heldOut={"uri": str(tmp_path / "train-1.parquet"), "limit": 30}) == Counts(
        {"train": 200, "heldOut": 30}
    )


def test_what_lies_elsewhere_is_bounded_by_limits_alone_and_else_said_to_be_unknown() -> None:
    assert counts_of(uri=HUB, limit=40) == Counts({"train": 40, "heldOut": 500})
    assert counts_of(uri=HUB) == Counts(
        {"heldOut": 500}, missing=f"{HUB} is not asked; dataset.limit would give a bound"
    )
    assert "dataset.heldOut.limit would" in counts_of(uri=HUB, limit=40, heldOut={"fraction": 0.2}).missing


def test_files_that_can_not_be_counted_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    (tmp_path / "notes.txt").write_text("")
    reasons = {
        "torn.parquet": "can't be read",
        "none.jsonl": "is not here",
        "notes.txt": "names more than files of JSON lines or Parquet",
    }
    for name, reason in reasons.items():
        assert counts_of(uri=str(tmp_path / name)).missing.startswith(f"{tmp_path / name} {reason}; ")


def test_plan_of_a_run_that_has_not_begun_bounds_its_samples(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = write_yaml(tmp_path, manifest_of(dataset={"uri": "gym://chain_sum?size=20", "task": "Gym"}))
    words = ("plan", file, "--storage", tmp_path / "runs")
    document = as_json(capfd, *words)
    assert document["prompts"] == {"train": 20, "heldOut": 2}
    assert document["left"]["atMostUnknown"] == {"samples": 48, "tokens": 48 * 32}
    assert "at most 48 samples and 1,536 sampled tokens, of 20 training and 2 held-out prompts\n" in (
        selfimprove(capfd, *words).out
    )


def test_plan_says_about_of_prompts_that_a_hash_will_share_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"question": "What is 3 + 4?", "answer": "7"}\n' * 24)
    held_out = {"fraction": 0.3}
    file = write_yaml(tmp_path, manifest_of(dataset={"uri": str(rows), "task": "Math", "heldOut": held_out}))
    text = selfimprove(capfd, "plan", file, "--storage", tmp_path / "runs").out
    assert ", of about 17 training and 7 held-out prompts\n" in text


def test_plan_says_why_samples_are_not_known(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = write_yaml(tmp_path, manifest_of(dataset={"uri": HUB, "task": "Math"}))
    text = selfimprove(capfd, "plan", file, "--storage", tmp_path / "runs").out
    assert f"not known before the dataset is loaded ({HUB} is not asked; dataset.limit would give a bound)\n" in text


def counts_of(**dataset: Any) -> Counts:
    spec = Spec.model_validate(manifest_of(dataset={"task": "Math", **dataset})["spec"])
    return expected(resolve(spec, surroundings=Surroundings()).dataset)
