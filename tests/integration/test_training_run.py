"""A training run: the same weights whatever the packing, the ranks, or a kill in between."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from selfimprove.api.training import Distillation, Lora
from selfimprove.errors import FailedError, TerminatedError, UserError
from selfimprove.store import open_store
from selfimprove.store.base import Store
from selfimprove_workers.progress import Progress
from selfimprove_workers.training.batches import Shape
from selfimprove_workers.training.checkpoint import States
from selfimprove_workers.training.net import open_net
from selfimprove_workers.training.team import Team
from selfimprove_workers.training.trainer import Trainer
from tests.integration.training_support import (
    CPU,
    assert_close,
    example_rows,
    examples_of,
    loss_of,
    run_team,
    save_llama,
)

SETTINGS = Distillation(epochs=2, batch_size=5, learning_rate=1e-2, weight_decay=0.01)
FOLDER = "i001/distill/00000"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "run"))


def trainer(folder: Path, **changes: Any) -> Trainer:
    """A run over 17 examples: 2 epochs of 4 steps."""
    net = open_net(folder, CPU, changes.pop("dtype", torch.float32), changes.pop("lora", None), seed=3)
    made = Trainer(
        loss=loss_of(net),
        examples=examples_of(example_rows(17)),
        shape=Shape(48, rows=2),
        settings=SETTINGS,
        seed=3,
        team=Team(CPU),
        progress=Progress(io.StringIO()),
    )
    return replace(made, **changes)


def weights(run: Trainer) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in run.loss.net.weights.trainable.items()}


class StopsAfter(threading.Event):
    """A signal that comes after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def is_set(self) -> bool:
        self._left -= 1
        return self._left <= 0


def stopped(folder: Path, store: Store, attempt: str, steps: int, **changes: Any) -> None:
    """An attempt that is told to stop after so many steps."""
    states = States(store, FOLDER, attempt, "digest")
    with pytest.raises(TerminatedError):
        trainer(folder, states=states, stopping=StopsAfter(steps), **changes).run()


def test_it_learns(folder: Path) -> None:
    curve, _ = trainer(folder, settings=SETTINGS.model_copy(update={"epochs": 8})).run()
    assert curve[-1]["loss"] < 0.7 * curve[0]["loss"]
    assert [row["step"] for row in curve] == list(range(1, 33))
    assert sum(row["tokens"] for row in curve) == 8 * examples_of(example_rows(17)).lengths.sum()


def test_it_learns_in_bfloat16_what_it_learns_in_float32_even_at_a_small_rate(folder: Path) -> None:
    slow = SETTINGS.model_copy(update={"learning_rate": 2e-4, "epochs": 8})
    exact, rough = (trainer(folder, settings=slow, dtype=d).run()[0] for d in (torch.float32, torch.bfloat16))
    won, wanted = (curve[0]["loss"] - curve[-1]["loss"] for curve in (rough, exact))
    assert wanted > 0.01 and won == pytest.approx(wanted, rel=0.2)


def test_the_packing_does_not_change_what_is_learned(folder: Path) -> None:
    packed, alone = trainer(folder), trainer(folder, shape=Shape(48, rows=3, packs=False))
    curves = [run.run()[0] for run in (packed, alone)]
    assert [row["loss"] for row in curves[0]] == pytest.approx([row["loss"] for row in curves[1]], rel=1e-4)
    assert_close(weights(packed), weights(alone), atol=1e-5)


@pytest.mark.parametrize("kind", [{}, {"dtype": torch.bfloat16}, {"lora": Lora(rank=4, dropout=0.2)}])
def test_a_run_that_was_stopped_twice_ends_with_the_very_same_weights(
    folder: Path, store: Store, kind: dict[str, Any]
) -> None:
    undisturbed = trainer(folder, **kind)
    expected, _ = undisturbed.run()
    stopped(folder, store, "a", 3, **kind)
    stopped(folder, store, "b", 2, **kind)
    last = trainer(folder, states=States(store, FOLDER, "c", "digest"), **kind)
    curve, earlier = last.run()
    assert [row["loss"] for row in curve] == [row["loss"] for row in expected]
    assert earlier == pytest.approx(sum(row["seconds"] for row in curve[:5]))
    for name, weight in weights(undisturbed).items():
        assert torch.equal(weight, weights(last)[name]), name


@pytest.mark.parametrize("accident", ["tensors cut", "tensors gone", "marker cut", "marker gone"])
def test_a_torn_state_is_passed_over_for_the_one_before(folder: Path, store: Store, accident: str) -> None:
    stopped(folder, store, "a", 2)
    stopped(folder, store, "b", 3)
    newest = f"{FOLDER}/attempt-b/state/step-00000005"
    what, how = accident.split()
    key = f"{newest}/{'state.safetensors' if what == 'tensors' else 'state.json'}"
    if how == "cut":
        store.write(key, store.read(key)[:-20])
    else:
        store.delete([key])
    state = States(store, FOLDER, "c", "digest").restore()
    assert state is not None and len(state.curve) == 2


def test_a_state_made_from_something_else_is_not_resumed_from(folder: Path, store: Store) -> None:
    stopped(folder, store, "a", 2)
    assert States(store, FOLDER, "b", "another digest").restore() is None


def test_states_are_written_when_due_and_only_the_last_two_stay(folder: Path, store: Store) -> None:
    trainer(folder, states=States(store, FOLDER, "a", "digest", every_seconds=0, clock=lambda: 0.0)).run()
    kept = {entry.key.split("/")[5] for entry in store.list(FOLDER)}
    assert kept == {"step-00000007", "step-00000008"}


def test_no_state_is_written_before_it_is_due(folder: Path, store: Store) -> None:
    trainer(folder, states=States(store, FOLDER, "a", "digest")).run()
    assert list(store.list(FOLDER)) == []


def test_saving_never_takes_more_than_its_share_of_the_time(store: Store) -> None:
    now = iter([0.0, 0.0, 30.0, 30.0, 500.0, 631.0])
    states = States(store, FOLDER, "a", "digest", every_seconds=1, clock=lambda: next(now))
    states.save({"x": torch.zeros(1)}, [{"step": 1}])  # takes 30 of the clock's seconds
    assert not states.due()
    assert states.due()


def test_a_loss_that_is_no_number_ends_it_naming_step_loss_and_remedy(folder: Path) -> None:
    run = trainer(folder, settings=SETTINGS.model_copy(update={"learning_rate": 1.0}))
    with torch.no_grad():
        run.loss.net.weights.trainable["model.norm.weight"].fill_(float("inf"))
    message = r"^distillation.learningRate: 1 made the loss nan \(gradient norm nan\) at step 1 of 8, .*; lower it$"
    with pytest.raises(FailedError, match=message):
        run.run()


def test_adapters_alone_are_trained_and_merging_them_gives_the_same_logits(folder: Path) -> None:
    run = trainer(folder, lora=Lora(rank=4))
    before = {name: weight.clone() for name, weight in run.loss.net.model.named_parameters()}
    run.run()
    net = run.loss.net
    changed = {name for name, weight in net.model.named_parameters() if not torch.equal(weight, before[name])}
    assert changed == set(net.weights.trainable) and all("lora_" in name for name in changed)
    ids = torch.arange(3, 13)[None]
    net.model.eval()
    with torch.no_grad():
        adapted = net.model(ids).logits
        merged = net.finished()(ids).logits
    torch.testing.assert_close(merged, adapted, rtol=1e-4, atol=1e-5)


def test_adapters_for_layers_that_are_not_there_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"^distillation.lora.targetModules: w_pack fits no layer of the model"):
        trainer(folder, lora=Lora(target_modules=["w_pack"]))


def test_processes_that_were_to_be_a_team_and_are_not_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Team.assemble()  # alone, for the rest of this process
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        UserError, match=r"^WORLD_SIZE: 2 processes were to train together, but this one is in a team of 1"
    ):
        Team.assemble()


def test_two_gloo_ranks_equal_one(folder: Path, tmp_path: Path) -> None:
    alone = trainer(folder)
    curve, _ = alone.run()
    losses = run_ranks(folder, tmp_path / "two.safetensors", "0")
    assert losses == pytest.approx([row["loss"] for row in curve], rel=1e-5)
    assert_close(load_file(tmp_path / "two.safetensors"), weights(alone), atol=1e-5)


def test_two_ranks_resume_together_from_what_one_wrote(folder: Path, store: Store, tmp_path: Path) -> None:
    undisturbed = trainer(folder)
    undisturbed.run()
    stopped(folder, store, "a", 5)
    losses = run_ranks(folder, tmp_path / "two.safetensors", store.uri)
    assert len(losses) == 8
    assert_close(load_file(tmp_path / "two.safetensors"), weights(undisturbed), atol=1e-5)


def test_more_ranks_than_rows_still_agree(folder: Path, tmp_path: Path) -> None:
    alone = trainer(folder, shape=Shape(200, rows=1))
    alone.run()
    run_ranks(folder, tmp_path / "two.safetensors", "0", row_length=200)
    assert_close(load_file(tmp_path / "two.safetensors"), weights(alone), atol=1e-5)


_RANK = """
import json, sys, torch
from dataclasses import replace
from pathlib import Path
from safetensors.torch import save_file
from selfimprove.store import open_store
from selfimprove_workers.training.batches import Shape
from selfimprove_workers.training.checkpoint import States
from selfimprove_workers.training.team import Team
from tests.integration.test_training_run import FOLDER, trainer, weights
folder, target, uri, row_length = sys.argv[1:]
torch.set_num_threads(1)
team = Team.assemble()
assert team.world == 2
states = None if uri == "0" else States(open_store(uri), FOLDER, "ranks", "digest")
run = trainer(Path(folder), team=team, states=states, shape=Shape(int(row_length), rows=2))
curve, _ = run.run()
if team.leads:
    save_file(weights(run), target)
    print(json.dumps([row["loss"] for row in curve]))
torch.distributed.destroy_process_group()
"""


def run_ranks(folder: Path, target: Path, uri: str, row_length: int = 48) -> list[float]:
    """Train in two processes; the losses that rank 0 saw."""
    output = run_team(_RANK, folder, target, uri, str(row_length))[0]
    return [float(loss) for loss in json.loads(output.splitlines()[-1])]
