"""One optimizer step: what it is clipped to, decayed by, refused for, and which random numbers it draws."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from selfimprove.api.training import Distillation, Lora
from selfimprove.errors import FailedError
from selfimprove_workers.progress import Progress
from selfimprove_workers.training.batches import Shape
from selfimprove_workers.training.net import open_net
from selfimprove_workers.training.team import Team
from selfimprove_workers.training.trainer import Trainer
from tests.integration.training_support import CPU, example_rows, examples_of, loss_of, save_llama

RATE, DECAY = 1e-2, 0.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("llama"))


def trainer(
    folder: Path,
    *,
    examples: int = 5,
    epochs: int = 1,
    dtype: torch.dtype = torch.float32,
    lora: Lora | None = None,
    **settings: Any,
) -> Trainer:
    """A run whose epochs are one step each."""
    wanted = {"learning_rate": RATE, "weight_decay": 0.0, **settings}
    return Trainer(
        loss=loss_of(open_net(folder, CPU, dtype, lora, seed=3)),
        examples=examples_of(example_rows(examples)),
        shape=Shape(48, rows=2),
        settings=Distillation(epochs=epochs, batch_size=examples, **wanted),
        seed=3,
        team=Team(CPU),
        progress=Progress(io.StringIO()),
    )


def weights(run: Trainer) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in run.loss.net.weights.trainable.items()}


@contextmanager
def gradients_stepped_by() -> Iterator[list[dict[int, Tensor]]]:
    """Within, the gradients that each step of an optimizer takes."""
    taken: list[dict[int, Tensor]] = []

    def keep(optimizer: Optimizer, *_: object) -> None:
        everything = [weight for group in optimizer.param_groups for weight in group["params"]]
        taken.append({id(weight): weight.grad.clone() for weight in everything})

    handle = register_optimizer_step_pre_hook(keep)
    try:
        yield taken
    finally:
        handle.remove()


def norm_of(gradients: dict[int, Tensor]) -> float:
    return float(torch.cat([gradient.flatten() for gradient in gradients.values()]).norm())


@pytest.mark.parametrize("limit", [0.05, 1e6])
def test_a_gradient_is_clipped_to_max_grad_norm_and_its_norm_before_that_is_told(folder: Path, limit: float) -> None:
    with gradients_stepped_by() as taken:
        curve, _ = trainer(folder, epochs=4, max_grad_norm=limit).run()
    assert all(0.1 < row["gradNorm"] < 1e5 for row in curve)
    assert [norm_of(each) for each in taken] == pytest.approx([min(row["gradNorm"], limit) for row in curve], rel=1e-4)


def test_every_step_takes_the_gradient_of_its_own_examples_alone(folder: Path) -> None:
    """With a rate that moves nothing, each step over the same examples has the same gradient."""
    with gradients_stepped_by() as taken:
        trainer(folder, epochs=3, learning_rate=1e-12, max_grad_norm=1e6).run()
    assert [norm_of(each) for each in taken] == pytest.approx([norm_of(taken[0])] * 3, rel=1e-3)


def test_weight_decay_shrinks_matrices_by_the_rate_and_leaves_vectors_alone(folder: Path) -> None:
    plain, decayed = trainer(folder), trainer(folder, weight_decay=DECAY)
    before = weights(plain)
    plain.run()
    decayed.run()
    assert {weight.ndim for weight in before.values()} == {1, 2}
    for name, weight in weights(decayed).items():
        lost = RATE * DECAY * before[name] if weight.ndim == 2 else torch.zeros_like(weight)
        torch.testing.assert_close(weight, weights(plain)[name] - lost, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_a_gradient_that_is_no_number_ends_it_before_any_weight_moves_though_the_loss_is_one(
    folder: Path, bad: float
) -> None:
    run = trainer(folder, epochs=2)
    before = weights(run)
    run.loss.net.weights.trainable["model.norm.weight"].register_hook(lambda gradient: torch.full_like(gradient, bad))
    message = rf"^distillation.learningRate: 0.01 made the loss \d+\.\d+ \(gradient norm {bad}\) at step 1 of 2, "
    with pytest.raises(FailedError, match=message):
        run.run()
    for name, weight in weights(run).items():
        assert torch.equal(weight, before[name]), name


@pytest.mark.parametrize(
    ("kind", "random"),
    [
        ({"lora": Lora(rank=4, dropout=0.3)}, True),
        ({"dtype": torch.bfloat16}, True),
        ({"lora": Lora(rank=4)}, False),
        ({}, False),
    ],
    ids=["dropout", "rounding", "no dropout", "no rounding"],
)
def test_every_step_draws_random_numbers_of_its_own(folder: Path, kind: dict[str, Any], random: bool) -> None:
    """With a rate that moves nothing, the losses of one example differ by what was drawn alone."""
    run = trainer(folder, examples=1, epochs=4, learning_rate=1e-12, **kind)
    with torch.no_grad():
        for name, weight in run.loss.net.weights.trainable.items():
            if "lora_B" in name:  # begins as 0, which no dropout changes
                weight.fill_(0.1)
    losses = [row["loss"] for row in run.run()[0]]
    assert len(set(losses)) == (4 if random else 1)
