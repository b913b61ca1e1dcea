"""The distill step: from committed examples to a committed checkpoint, whatever happens on the way."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from selfimprove.api.spec import Spec
from selfimprove.artifacts import (
    Manifest,
    attempt_folder,
    commit,
    fetch_files,
    read_manifest,
    require_manifest,
    step_folder,
    write_table,
)
from selfimprove.errors import FailedError, TerminatedError
from selfimprove.ledger import StepId
from selfimprove.records import EXAMPLE, PAIR
from selfimprove.store import open_store
from selfimprove.store.base import Store
from selfimprove_workers import distill
from selfimprove_workers.context import StepContext
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress
from tests.integration.training_support import example_rows, pair_rows, run_team, save_llama

FOLDER = step_folder(StepId(1, "distill"))
EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = save_llama(tmp_path / "model")
    (folder / "tokenizer.json").write_text("{}")  # training reads no tokenizer, it hands the files on
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "run"))


def select(store: Store, rows: list[dict[str, object]], iteration: int = 1) -> None:
    """Commit a training set as `select` does."""
    folder = step_folder(StepId(iteration, "select"))
    part = write_table(store, f"{attempt_folder(folder, 's')}/part-00000.parquet", rows, EXAMPLE)
    commit(store, folder, Manifest(step="select", iteration=iteration, digest="d", parts=[part], attempt="s"))


def context_of(store: Store, model: Path, iteration: int = 1, attempt: str = "a", **settings: Any) -> StepContext:
    """The distill step of an iteration, with these settings of `distillation`."""
    spec = Spec.model_validate(
        {
            "model": {"uri": str(model)},
            "dataset": {"uri": "/nowhere/train.jsonl", "task": "Math"},
            "distillation": {"batchSize": 8, "learningRate": 1e-3, "dtype": "float32", **settings},
        }
    )
    return StepContext(
        store=store,
        spec=spec,
        step=StepId(iteration, "distill"),
        shard=0,
        shards=1,
        attempt=attempt,
        models=ModelHouse(store, spec),
        progress=Progress(io.StringIO()),
    )


def embedding(store: Store, iteration: int = 1) -> torch.Tensor:
    """The committed checkpoint's embedding."""
    manifest, _ = require_manifest(store, step_folder(StepId(iteration, "distill")))
    key = next(file.key for file in manifest.files if file.path == "model.safetensors")
    path = store.local_path(key)
    assert path is not None
    return load_file(path)[EMBEDDING]


class StopsAfter(threading.Event):
    """A signal that comes after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def is_set(self) -> bool:
        self._left -= 1
        return self._left <= 0


def test_it_commits_a_checkpoint_that_loads_as_a_plain_folder(store: Store, model: Path, tmp_path: Path) -> None:
    select(store, example_rows(20))
    summary = distill.run(context_of(store, model, epochs=2))
    manifest, sha256 = require_manifest(store, FOLDER)
    assert (summary.step, summary.rows, summary.manifest.sha256) == ("distill", 20, sha256)
    assert summary.tokens == 2 * sum(len([*row["prompt_tokens"], *row["tokens"]]) for row in example_rows(20))  # type: ignore[misc]
    assert {file.path for file in manifest.files} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    }
    assert list(manifest.inputs) == [step_folder(StepId(1, "select"))]
    folder = fetch_files(store, manifest, tmp_path / "plain")
    _, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    assert not torch.equal(embedding(store), load_file(model / "model.safetensors")[EMBEDDING])


def test_the_training_curve_lies_beside_the_checkpoint(store: Store, model: Path) -> None:
    select(store, example_rows(20))
    distill.run(context_of(store, model, epochs=2))
    manifest, _ = require_manifest(store, FOLDER)
    assert manifest.settings["curve"] == f"{FOLDER}/attempt-a/metrics.jsonl"
    curve = [json.loads(line) for line in store.read(manifest.settings["curve"]).splitlines()]
    assert [row["step"] for row in curve] == [1, 2, 3, 4, 5, 6]
    assert set(curve[0]) == {"step", "epoch", "loss", "learningRate", "gradNorm", "tokens", "seconds"}


def test_a_stopped_attempt_keeps_its_state_and_the_next_one_ends_as_if_undisturbed(
    store: Store, model: Path, tmp_path: Path
) -> None:
    undisturbed = open_store(str(tmp_path / "undisturbed"))
    for each in (store, undisturbed):
        select(each, example_rows(30))
    distill.run(context_of(undisturbed, model, epochs=2))

    first = context_of(store, model, epochs=2)
    first.stopping = StopsAfter(3)
    with pytest.raises(TerminatedError):
        distill.run(first)
    assert read_manifest(store, FOLDER) is None
    summary = distill.run(context_of(store, model, attempt="b", epochs=2))

    assert summary.counts["steps"] == 8
    assert torch.equal(embedding(store), embedding(undisturbed))
    assert not [entry for entry in store.list(FOLDER) if "/state/" in entry.key]


def test_the_loser_of_a_race_adopts_the_winners_checkpoint(store: Store, model: Path) -> None:
    select(store, example_rows(8))
    winner = distill.run(context_of(store, model, attempt="a"))
    loser = distill.run(context_of(store, model, attempt="b"))
    assert loser == winner


def test_previous_starts_from_the_checkpoint_before_and_base_from_the_base_model(store: Store, model: Path) -> None:
    # A learning rate next to nothing shows where training started.
    for iteration in (1, 2):
        select(store, example_rows(8), iteration)
    distill.run(context_of(store, model, learningRate=1e-2))
    distill.run(context_of(store, model, iteration=2, learningRate=1e-12, startFrom="Previous"))
    torch.testing.assert_close(embedding(store, 2), embedding(store, 1))
    manifest, _ = require_manifest(store, step_folder(StepId(2, "distill")))
    assert FOLDER in manifest.inputs

    select(store, example_rows(8), 3)
    distill.run(context_of(store, model, iteration=3, learningRate=1e-12))
    torch.testing.assert_close(embedding(store, 3), load_file(model / "model.safetensors")[EMBEDDING])


def test_adapters_are_merged_into_a_checkpoint_of_the_same_tensors(store: Store, model: Path) -> None:
    select(store, example_rows(16))
    distill.run(context_of(store, model, lora={"rank": 4, "dropout": 0.1}, learningRate=1e-2))
    manifest, _ = require_manifest(store, FOLDER)
    path = store.local_path(next(file.key for file in manifest.files if file.path == "model.safetensors"))
    assert path is not None
    made, base = load_file(path), load_file(model / "model.safetensors")
    assert made.keys() == base.keys()
    changed = {name for name in base if not torch.equal(made[name], base[name])}
    assert changed == {name for name in base if "_proj" in name}


def test_bfloat16_products_train_too(store: Store, model: Path) -> None:
    select(store, example_rows(8))
    distill.run(context_of(store, model, dtype="bfloat16"))
    assert require_manifest(store, FOLDER)[0].settings["computed"] == "bfloat16"


def test_examples_that_are_too_long_are_dropped_and_counted(store: Store, model: Path) -> None:
    select(store, [*example_rows(8), {**example_rows(1)[0], "tokens": [5] * 40}])
    summary = distill.run(context_of(store, model, maxLength=32))
    assert (summary.rows, summary.counts["tooLong"]) == (8, 1)


def test_the_models_own_limit_holds_where_it_is_below_max_length(store: Store, model: Path) -> None:
    select(store, [*example_rows(8), {**example_rows(1)[0], "tokens": [5] * 300}])
    assert distill.run(context_of(store, model, maxLength=1024)).counts["tooLong"] == 1


def test_an_empty_training_set_fails_for_good_in_one_line(store: Store, model: Path) -> None:
    select(store, [])
    with pytest.raises(FailedError, match=r"^i001-select: holds no training example; "):
        distill.run(context_of(store, model))


def test_a_learning_rate_that_blows_up_fails_for_good_and_commits_nothing(store: Store, model: Path) -> None:
    weights = load_file(model / "model.safetensors")
    (model / "model.safetensors").unlink()
    save_file({n: w * float("inf") if n == EMBEDDING else w for n, w in weights.items()}, model / "model.safetensors")
    select(store, example_rows(8))
    with pytest.raises(FailedError, match=r"^distillation.learningRate: 0.001 made the loss nan .* at step 1 of 1"):
        distill.run(context_of(store, model))
    assert read_manifest(store, FOLDER) is None


def select_pairs(store: Store, rows: list[dict[str, object]], iteration: int = 1) -> None:
    """Commit preference pairs as `select` does."""
    folder = step_folder(StepId(iteration, "select"))
    part = write_table(store, f"{attempt_folder(folder, 's')}/part-00000.parquet", rows, PAIR)
    commit(store, folder, Manifest(step="select", iteration=iteration, digest="d", parts=[part], attempt="s"))


def test_preferences_are_trained_on_and_summed_up(store: Store, model: Path) -> None:
    select_pairs(store, pair_rows(20))
    summary = distill.run(context_of(store, model, method="DPO", epochs=4, nllWeight=0.2, learningRate=1e-2))
    assert (summary.rows, summary.counts["examples"], summary.counts["steps"]) == (20, 20, 12)
    assert summary.figures["rewardAccuracy"] > 0.9
    assert summary.figures["rewardMargin"] > 0.1
    manifest, _ = require_manifest(store, FOLDER)
    curve = [json.loads(line) for line in store.read(manifest.settings["curve"]).splitlines()]
    assert curve[0]["rewardMargin"] == pytest.approx(0, abs=1e-6)
    assert summary.figures["loss"] == pytest.approx(sum(row["loss"] for row in curve[-3:]) / 3)


def test_adapters_learn_preferences_too(store: Store, model: Path) -> None:
    select_pairs(store, pair_rows(20))
    lora = {"rank": 4, "dropout": 0.1}
    summary = distill.run(context_of(store, model, method="DPO", epochs=4, learningRate=1e-2, lora=lora))
    assert summary.figures["rewardAccuracy"] > 0.8
    changed = embedding(store), load_file(model / "model.safetensors")[EMBEDDING]
    assert torch.equal(*changed)


def test_the_reference_is_the_model_that_drew_the_samples_wherever_training_starts(store: Store, model: Path) -> None:
    for iteration in (1, 2, 3):
        select_pairs(store, pair_rows(8), iteration)
    distill.run(context_of(store, model, method="DPO", learningRate=1e-2))
    still = {"method": "DPO", "learningRate": 1e-12}
    previous = distill.run(context_of(store, model, iteration=2, startFrom="Previous", **still))
    assert previous.figures["rewardMargin"] == pytest.approx(0, abs=1e-6)

    # From M_0 with M_2, a copy of M_1, as the reference: the margins are what M_1 had gained, taken back.
    base = distill.run(context_of(store, model, iteration=3, **still))
    assert base.figures["rewardMargin"] < -1e-3
    assert step_folder(StepId(2, "distill")) in require_manifest(store, step_folder(StepId(3, "distill")))[0].inputs


def test_a_stopped_attempt_at_preferences_ends_as_if_undisturbed(store: Store, model: Path, tmp_path: Path) -> None:
    undisturbed = open_store(str(tmp_path / "undisturbed"))
    for each in (store, undisturbed):
        select_pairs(each, pair_rows(20))
    distill.run(context_of(undisturbed, model, method="DPO"))
    first = context_of(store, model, method="DPO")
    first.stopping = StopsAfter(5)  # of which 3 are asked of while the reference is found
    with pytest.raises(TerminatedError, match="after step 2"):
        distill.run(first)
    distill.run(context_of(store, model, attempt="b", method="DPO"))
    assert torch.equal(embedding(store), embedding(undisturbed))


_RANK = """
import sys
from pathlib import Path
import torch
from selfimprove.store import open_store
from selfimprove_workers import distill
from tests.integration.test_distill import context_of
torch.set_num_threads(1)
print(distill.run(context_of(open_store(sys.argv[1]), Path(sys.argv[2]), epochs=2)).manifest.sha256)
assert torch.distributed.get_world_size() == 2
torch.distributed.destroy_process_group()
"""


def test_two_processes_of_a_team_commit_one_checkpoint_as_one_process_would(
    store: Store, model: Path, tmp_path: Path
) -> None:
    alone = open_store(str(tmp_path / "alone"))
    for each in (store, alone):
        select(each, example_rows(20))
    distill.run(context_of(alone, model, epochs=2))
    outputs = run_team(_RANK, store.uri, model)
    assert [output.splitlines()[-1] for output in outputs] == [require_manifest(store, FOLDER)[1]] * 2
    torch.testing.assert_close(embedding(store), embedding(alone), rtol=1e-4, atol=1e-6)
