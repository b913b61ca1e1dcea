"""Float32 weights below a bfloat16 model: no update is lost, in training or in the checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from selfimprove.api.training import Lora
from selfimprove_workers.training.net import open_net
from selfimprove_workers.training.weights import DICE, throw, to_bfloat16
from tests.integration.training_support import CPU, save_llama

MANY = DICE + 12_345


def some_weights(count: int = MANY) -> torch.Tensor:
    """Weights that bfloat16 holds exactly."""
    return torch.randn(count, generator=torch.Generator().manual_seed(0)).mul(0.05).bfloat16().float()


@pytest.mark.parametrize("update", [1e-6, 1e-5, -3e-4])
def test_an_update_too_small_for_bfloat16_survives_on_average(update: float) -> None:
    before = some_weights()
    after = to_bfloat16(before + update, throw(1)).float()
    assert float((after - before).mean()) == pytest.approx(update, rel=0.15)


def test_rounding_to_the_nearest_would_lose_it() -> None:
    before = some_weights()
    assert float(((before + 1e-5).bfloat16().float() - before).mean()) < 0.6e-5


def test_what_bfloat16_holds_is_not_changed() -> None:
    exact = some_weights()
    assert torch.equal(to_bfloat16(exact, throw(1)).float(), exact)


def test_the_same_seed_rounds_the_same_way_and_another_does_not() -> None:
    weights = torch.full((999,), 0.1)
    one, again, other = (to_bfloat16(weights, throw(seed)) for seed in (5, 5, 6))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert len(one.unique()) == 2


@given(st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False), st.integers(0, 2**32))
def test_a_number_goes_to_one_of_its_two_neighbours(value: float, seed: int) -> None:
    made = float(to_bfloat16(torch.tensor([value]), throw(seed)))
    assert abs(made - value) < max(abs(value) / 128, 1e-37)


def test_a_matrix_keeps_its_shape() -> None:
    weights = some_weights(7 * 11).view(7, 11)
    assert torch.equal(to_bfloat16(weights, throw(1)).float(), weights)
    assert torch.equal(to_bfloat16(weights.T, throw(1)).float(), weights.T)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("llama"))


def test_a_bfloat16_net_keeps_its_weights_in_float32_and_gives_them_back_whole(folder: Path) -> None:
    net = open_net(folder, CPU, torch.bfloat16)
    assert {weight.dtype for weight in net.model.parameters()} == {torch.bfloat16}
    for weight in net.weights.trainable.values():
        weight.data += 1e-6
    net.weights.refresh(0)
    base = AutoModelForCausalLM.from_pretrained(folder)
    for name, weight in net.finished().named_parameters():
        torch.testing.assert_close(weight, base.get_parameter(name) + 1e-6, rtol=0, atol=1e-8)


def test_refreshing_shows_the_model_what_was_learned(folder: Path) -> None:
    net = open_net(folder, CPU, torch.bfloat16)
    net.weights.trainable["model.norm.weight"].data += 0.5
    net.weights.refresh(0)
    assert net.model.model.norm.weight.float().mean().item() == pytest.approx(1.5)


def test_gradients_of_several_passes_add_up_in_float32(folder: Path) -> None:
    net = open_net(folder, CPU, torch.bfloat16)
    image, whole = net.model.model.norm.weight, net.weights.trainable["model.norm.weight"]
    for share in (1.0, 2.0**-12):  # bfloat16 would lose the second
        image.grad = torch.full_like(image, share)
        net.weights.collect()
    assert whole.grad is not None and torch.equal(whole.grad, torch.full_like(whole, 1 + 2.0**-12))
    assert image.grad is None


def test_a_frozen_float32_base_comes_back_unrounded_below_its_adapters(folder: Path) -> None:
    net = open_net(folder, CPU, torch.bfloat16, Lora(rank=2))
    base = AutoModelForCausalLM.from_pretrained(folder)
    for name, weight in net.finished().named_parameters():
        torch.testing.assert_close(weight, base.get_parameter(name), rtol=0, atol=1e-7)


def test_positions_stay_in_float32(folder: Path) -> None:
    assert open_net(folder, CPU, torch.bfloat16).model.model.rotary_emb.inv_freq.dtype == torch.float32
