"""DPO: exactly the textbook's loss and gradient, whatever the packing, the passes, the ranks, or a kill in between."""

from __future__ import annotations

import io
import json
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import logsigmoid

from selfimprove.api.training import Distillation, Lora
from selfimprove.errors import FailedError, TerminatedError
from selfimprove.store import open_store
from selfimprove.store.base import Store
from selfimprove_workers.progress import Progress
from selfimprove_workers.training.batches import Shape, micro_batches, steps_of_epoch
from selfimprove_workers.training.checkpoint import States
from selfimprove_workers.training.examples import Examples
from selfimprove_workers.training.loss import Loss
from selfimprove_workers.training.net import Net, open_net
from selfimprove_workers.training.preference import Floats, PreferenceLoss, log_probabilities
from selfimprove_workers.training.team import Team
from selfimprove_workers.training.trainer import Trainer
from tests.integration.test_training_run import FOLDER, StopsAfter, weights
from tests.integration.training_support import (
    CPU,
    VOCABULARY,
    assert_close,
    float32_net,
    loss_and_gradient,
    loss_of,
    pair_rows,
    pairs_of,
    run_team,
    save_llama,
)

PACKED = Shape(64, rows=2)
SETTINGS = Distillation(method="DPO", epochs=2, batch_size=5, learning_rate=1e-2, nll_weight=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def net(folder: Path) -> Net:
    return float32_net(folder)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Net:
    """A reference that is not what is trained."""
    return float32_net(save_llama(tmp_path_factory.mktemp("other"), seed=1))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "run"))


def reference_of(net: Net, examples: Examples, shape: Shape = PACKED, team: Team | None = None) -> Floats:
    """What the net gives both of each pair, in the passes that training begins with."""
    steps = steps_of_epoch(len(examples), SETTINGS.batch_size, seed=3, epoch=0)
    return log_probabilities(
        loss_of(net), examples, steps, shape, team or Team(CPU), threading.Event(), lambda *_: None
    )


def plain_log_probability(net: Net, prompt: list[int], tokens: list[int]) -> Tensor:
    """One sequence by itself, through transformers' own forward pass."""
    ids = torch.tensor([prompt + tokens])
    every = net.model(input_ids=ids).logits[0, :-1].log_softmax(-1)
    return every.gather(1, ids[0, 1:, None])[len(prompt) - 1 :].sum()


def plain_loss(net: Net, reference: Net, rows: list[dict[str, Any]], nll_weight: float, beta: float = 0.1) -> Tensor:
    """DPO as its paper writes it, with RPO's term, a weighted mean over pairs."""
    losses = []
    for row in rows:
        chosen, rejected = row["chosen_tokens"], row["rejected_tokens"]
        pc, pr = (plain_log_probability(net, row["prompt_tokens"], tokens) for tokens in (chosen, rejected))
        with torch.no_grad():
            rc, rr = (plain_log_probability(reference, row["prompt_tokens"], tokens) for tokens in (chosen, rejected))
        losses.append(-logsigmoid(beta * ((pc - rc) - (pr - rr))) - nll_weight * pc / len(chosen))
    share = torch.tensor([float(row["weight"]) for row in rows])
    return torch.stack(losses) @ share / share.sum()


@pytest.mark.parametrize("nll_weight", [0.0, 0.7])
def test_loss_and_gradient_are_those_of_the_textbook(net: Net, other: Net, nll_weight: float) -> None:
    rows: list[dict[str, Any]] = pair_rows(9, weights=np.linspace(0.2, 2, 9).tolist())
    net.model.zero_grad()
    expected = plain_loss(net, other, rows, nll_weight)
    expected.backward()
    gradient = {name: weight.grad.clone() for name, weight in net.weights.trainable.items() if weight.grad is not None}

    examples = pairs_of(rows)
    loss = PreferenceLoss(loss_of(net), examples, reference_of(other, examples), 0.1, nll_weight)
    value, found = loss_and_gradient(loss, examples, PACKED)

    assert value == pytest.approx(expected.item(), rel=1e-5)
    assert_close(found, gradient)


def test_the_figures_are_the_rewards_of_the_textbook(net: Net, other: Net) -> None:
    rows: list[dict[str, Any]] = pair_rows(6)
    examples = pairs_of(rows)
    loss = PreferenceLoss(loss_of(net), examples, reference_of(other, examples), 0.1, 0.0)
    batches = micro_batches(examples, np.arange(6), PACKED)
    found = dict(zip(loss.names, np.sum([loss.backward(batch, 6.0) for batch in batches], 0), strict=True))
    with torch.no_grad():
        gains = torch.stack([_gains(net, other, row) for row in rows])
    chosen, rejected = (0.1 * gains).T
    nll = [
        -plain_log_probability(net, row["prompt_tokens"], row["chosen_tokens"]) / len(row["chosen_tokens"])
        for row in rows
    ]
    assert found["chosenReward"] == pytest.approx(chosen.mean().item(), rel=1e-4)
    assert found["rejectedReward"] == pytest.approx(rejected.mean().item(), rel=1e-4)
    assert found["rewardMargin"] == pytest.approx((chosen - rejected).mean().item(), rel=1e-4)
    assert found["rewardAccuracy"] == pytest.approx((chosen > rejected).float().mean().item())
    assert found["nll"] == pytest.approx(torch.stack(nll).mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    "shape",
    [Shape(64, rows=1), Shape(200, rows=8), Shape(64, rows=3, packs=False), Shape(64, rows=2, flat=True)],
    ids=["row by row", "all at once", "unpacked", "end to end"],
)
def test_how_pairs_lie_in_passes_changes_neither_loss_nor_gradient(net: Net, other: Net, shape: Shape) -> None:
    examples = pairs_of(pair_rows(20, weights=np.linspace(0.1, 3, 20).tolist()))
    loss = PreferenceLoss(loss_of(net), examples, reference_of(other, examples), 0.1, 0.3)
    value, gradient = loss_and_gradient(loss, examples, PACKED)
    again, same = loss_and_gradient(loss, examples, shape)
    assert again == pytest.approx(value, rel=1e-5)
    assert_close(same, gradient)


def test_a_head_in_pieces_gives_the_same_as_the_models_own_logits(net: Net, other: Net) -> None:
    examples = pairs_of(pair_rows(8))
    reference = reference_of(other, examples)
    ways = [loss_of(net, logits_at_once=3 * VOCABULARY), Loss(net, splits_head=False)]
    pieces, own = (
        loss_and_gradient(PreferenceLoss(way, examples, reference, 0.1, 0.3), examples, PACKED) for way in ways
    )
    assert pieces[0] == pytest.approx(own[0], rel=1e-5)
    assert_close(pieces[1], own[1])


def test_a_weight_of_two_equals_the_pair_twice(net: Net, other: Net) -> None:
    rows = pair_rows(6)
    sets = [
        pairs_of([{**row, "weight": 2.0 if i == 3 else 1.0} for i, row in enumerate(rows)]),
        pairs_of([*rows, rows[3]]),
    ]
    found = [
        loss_and_gradient(PreferenceLoss(loss_of(net), each, reference_of(other, each), 0.1, 0.3), each, PACKED)
        for each in sets
    ]
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert_close(found[0][1], found[1][1])


def test_both_of_a_pair_lie_in_one_pass_and_all_ranks_together_hold_every_pair_once() -> None:
    examples = pairs_of(pair_rows(17))
    for shape in (Shape(64, rows=2), Shape(64, rows=3, packs=False)):
        batches = [b for rank in range(3) for b in micro_batches(examples, np.arange(17), shape, rank, 3)]
        for batch in batches:
            assert (batch.sequences[1::2] == batch.sequences[::2] + 1).all()
        assert sorted(np.concatenate([batch.sequences for batch in batches]).tolist()) == list(range(34))


def test_the_reference_sees_no_dropout_and_leaves_the_model_training(folder: Path) -> None:
    examples = pairs_of(pair_rows(7))
    adapted = open_net(folder, CPU, torch.float32, Lora(rank=4, dropout=0.5), seed=3)
    for name, weight in adapted.weights.trainable.items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)  # else adapters are still nothing, and dropout shows in nothing
    first, second = (reference_of(adapted, examples) for _ in range(2))
    assert (first == second).all()
    assert adapted.model.training
    rows = pair_rows(7)
    adapted.model.eval()
    with torch.no_grad():
        plain = [plain_log_probability(adapted, row["prompt_tokens"], row["chosen_tokens"]) for row in rows]  # type: ignore[arg-type]
    assert first[::2] == pytest.approx([float(each) for each in plain], rel=1e-5)


def test_a_signal_during_the_reference_ends_it(net: Net) -> None:
    examples, stopping = pairs_of(pair_rows(7)), threading.Event()
    stopping.set()
    with pytest.raises(TerminatedError, match="before the first step"):
        log_probabilities(loss_of(net), examples, [np.arange(7)], PACKED, Team(CPU), stopping, lambda *_: None)
    assert net.model.training


def test_a_pair_of_which_one_is_too_long_is_left_out_whole_and_counted() -> None:
    rows = pair_rows(4)
    rows[1]["rejected_tokens"] = [5] * 60
    rows[2]["chosen_tokens"] = []
    examples = pairs_of(rows)
    assert (len(examples), examples.dropped) == (2, {"tooLong": 1, "empty": 1})
    assert len(examples.lengths) == 4


def trainer(folder: Path, **changes: Any) -> Trainer:
    """A run over 17 pairs: 2 epochs of 4 steps, the reference being where it starts."""
    net = open_net(folder, CPU, changes.pop("dtype", torch.float32), changes.pop("lora", None), seed=3)
    examples, team = pairs_of(pair_rows(17)), changes.pop("team", Team(CPU))
    reference = reference_of(net, examples, Shape(64, rows=2), team)
    made = Trainer(
        loss=PreferenceLoss(loss_of(net), examples, reference, SETTINGS.beta, SETTINGS.nll_weight),
        examples=examples,
        shape=Shape(64, rows=2),
        settings=SETTINGS,
        seed=3,
        team=team,
        progress=Progress(io.StringIO()),
    )
    return replace(made, **changes)


def test_it_starts_without_a_preference_and_learns_them(folder: Path) -> None:
    curve, _ = trainer(folder, settings=SETTINGS.model_copy(update={"epochs": 6})).run()
    assert curve[0]["rewardMargin"] == pytest.approx(0, abs=1e-6)
    assert curve[0]["loss"] == pytest.approx(math.log(2) + 0.5 * curve[0]["nll"], rel=1e-5)
    assert curve[-1]["rewardAccuracy"] == 1
    assert curve[-1]["rewardMargin"] > 0.5
    assert curve[-1]["loss"] < curve[0]["loss"]


@pytest.mark.parametrize("kind", [{}, {"dtype": torch.bfloat16}, {"lora": Lora(rank=4, dropout=0.2)}])
def test_a_run_that_was_stopped_twice_ends_with_the_very_same_weights(
    folder: Path, store: Store, kind: dict[str, Any]
) -> None:
    undisturbed = trainer(folder, **kind)
    expected, _ = undisturbed.run()
    for attempt, steps in (("a", 3), ("b", 2)):
        states = States(store, FOLDER, attempt, "digest")
        with pytest.raises(TerminatedError):
            trainer(folder, states=states, stopping=StopsAfter(steps), **kind).run()
    last = trainer(folder, states=States(store, FOLDER, "c", "digest"), **kind)
    curve, _ = last.run()
    assert [row["rewardMargin"] for row in curve] == [row["rewardMargin"] for row in expected]
    for name, weight in weights(undisturbed).items():
        assert torch.equal(weight, weights(last)[name]), name


def test_a_loss_that_is_no_number_ends_it(folder: Path) -> None:
    run = trainer(folder)
    broken = replace(run.loss, reference=np.full_like(run.loss.reference, np.nan))  # type: ignore[type-var, attr-defined]
    with pytest.raises(FailedError, match=r"^distillation.learningRate: 0.01 made the loss nan"):
        replace(run, loss=broken).run()


_RANK = """
import json, sys, torch
from pathlib import Path
from safetensors.torch import save_file
from selfimprove_workers.training.team import Team
from tests.integration.test_training_preference import trainer, weights
torch.set_num_threads(1)
team = Team.assemble()
assert team.world == 2
run = trainer(Path(sys.argv[1]), team=team)
curve, _ = run.run()
if team.leads:
    save_file(weights(run), sys.argv[2])
    print(json.dumps([[row["loss"], row["rewardAccuracy"]] for row in curve]))
torch.distributed.destroy_process_group()
"""


def test_two_gloo_ranks_equal_one(folder: Path, tmp_path: Path) -> None:
    alone = trainer(folder)
    curve, _ = alone.run()
    output = run_team(_RANK, folder, tmp_path / "two.safetensors")[0]
    losses = json.loads(output.splitlines()[-1])
    assert [loss for loss, _ in losses] == pytest.approx([row["loss"] for row in curve], rel=1e-5)
    assert [accuracy for _, accuracy in losses[1:]] == pytest.approx([row["rewardAccuracy"] for row in curve[1:]])
    assert_close(load_file(tmp_path / "two.safetensors"), weights(alone), atol=1e-5)


def _gains(net: Net, reference: Net, row: dict[str, Any]) -> Tensor:
    """What each of the pair gained over the reference."""
    return torch.stack(
        [
            plain_log_probability(net, row["prompt_tokens"], row[which])
            - plain_log_probability(reference, row["prompt_tokens"], row[which])
            for which in ("chosen_tokens", "rejected_tokens")
        ]
    )
