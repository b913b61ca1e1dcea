"""The loss: exactly the weighted mean of token losses, whatever the packing, the pieces or the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import Cohere2Config, Cohere2ForCausalLM, MistralConfig, MistralForCausalLM

from selfimprove_workers.training.batches import Shape, micro_batches
from selfimprove_workers.training.memory import fit
from selfimprove_workers.training.net import Net, keeps_apart, open_net, splits_head
from tests.integration.training_support import (
    CPU,
    VOCABULARY,
    assert_close,
    example_rows,
    examples_of,
    float32_net,
    loss_and_gradient,
    loss_of,
    save_llama,
)

ALONE = Shape(64, packs=False)
PACKED = Shape(64, rows=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def net(folder: Path) -> Net:
    return float32_net(folder)


def test_weights_of_one_equal_plain_fine_tuning_by_transformers_own_loss(net: Net) -> None:
    rows = example_rows(9)
    width = max(len(row["prompt_tokens"]) + len(row["tokens"]) for row in rows)  # type: ignore[arg-type]
    ids, labels, mask = (torch.full((9, width), fill) for fill in (0, -100, 0))
    for i, row in enumerate(rows):
        prompt, tokens = row["prompt_tokens"], row["tokens"]
        assert isinstance(prompt, list) and isinstance(tokens, list)
        end = len(prompt) + len(tokens)
        ids[i, :end], mask[i, :end] = torch.tensor(prompt + tokens), 1
        labels[i, len(prompt) : end] = torch.tensor(tokens)
    net.model.zero_grad()
    expected = net.model(input_ids=ids, attention_mask=mask, labels=labels).loss
    expected.backward()
    gradient = {name: weight.grad.clone() for name, weight in net.weights.trainable.items() if weight.grad is not None}

    value, found = loss_and_gradient(loss_of(net), examples_of(rows), PACKED)

    assert value == pytest.approx(expected.item(), rel=1e-5)
    assert_close(found, gradient)


def test_packed_equals_unpacked_in_loss_and_gradient(net: Net) -> None:
    examples = examples_of(example_rows(20, weights=np.linspace(0.1, 3, 20).tolist()))
    alone, alone_gradient = loss_and_gradient(loss_of(net), examples, ALONE)
    packed, packed_gradient = loss_and_gradient(loss_of(net), examples, PACKED)
    assert packed == pytest.approx(alone, rel=1e-5)
    assert_close(packed_gradient, alone_gradient)


def test_rows_end_to_end_give_the_same_as_rows_side_by_side(net: Net) -> None:
    examples = examples_of(example_rows(12))
    side, side_gradient = loss_and_gradient(loss_of(net), examples, PACKED)
    end, end_gradient = loss_and_gradient(loss_of(net), examples, Shape(64, rows=2, flat=True))
    assert end == pytest.approx(side, rel=1e-5)
    assert_close(end_gradient, side_gradient)


def test_a_weight_of_two_equals_the_example_twice(net: Net) -> None:
    rows = example_rows(6)
    heavy = [{**row, "weight": 2.0 if i == 3 else 1.0} for i, row in enumerate(rows)]
    weighted, weighted_gradient = loss_and_gradient(loss_of(net), examples_of(heavy), PACKED)
    doubled, doubled_gradient = loss_and_gradient(loss_of(net), examples_of([*rows, rows[3]]), PACKED)
    assert weighted == pytest.approx(doubled, rel=1e-5)
    assert_close(weighted_gradient, doubled_gradient)


def test_scaling_all_weights_changes_nothing(net: Net) -> None:
    one = loss_and_gradient(loss_of(net), examples_of(example_rows(5, weights=[1, 2, 3, 4, 5])), PACKED)
    ten = loss_and_gradient(loss_of(net), examples_of(example_rows(5, weights=[10, 20, 30, 40, 50])), PACKED)
    assert ten[0] == pytest.approx(one[0], rel=1e-5)
    assert_close(ten[1], one[1])


def test_a_head_in_pieces_gives_the_same_as_the_models_own_logits(net: Net) -> None:
    examples = examples_of(example_rows(8))
    pieces = loss_and_gradient(loss_of(net, logits_at_once=3 * VOCABULARY), examples, PACKED)
    own = loss_and_gradient(type(loss_of(net))(net, splits_head=False), examples, PACKED)
    assert pieces[0] == pytest.approx(own[0], rel=1e-5)
    assert_close(pieces[1], own[1])


def test_prompt_tokens_and_padding_are_never_targets(net: Net) -> None:
    rows = example_rows(4)
    examples = examples_of(rows)
    batches = micro_batches(examples, np.arange(4), PACKED)
    targets = sorted(int(token) for batch in batches for token in batch.targets)
    assert targets == sorted(token for row in rows for token in row["tokens"])  # type: ignore[attr-defined]


def test_recomputed_activations_give_the_same_gradient(folder: Path, net: Net) -> None:
    examples = examples_of(example_rows(8))
    frugal = float32_net(folder)
    frugal.recompute_activations()
    plain, again = (loss_and_gradient(loss_of(n), examples, PACKED) for n in (net, frugal))
    assert again[0] == pytest.approx(plain[0], rel=1e-6)
    assert_close(again[1], plain[1])


def test_bfloat16_products_stay_near_float32_and_leave_float32_gradients(folder: Path, net: Net) -> None:
    examples = examples_of(example_rows(16))
    exact, gradient = loss_and_gradient(loss_of(net), examples, PACKED)
    rough, rough_gradient = loss_and_gradient(loss_of(open_net(folder, CPU, torch.bfloat16)), examples, PACKED)
    assert rough == pytest.approx(exact, rel=2e-2)
    assert all(tensor.dtype == torch.float32 for tensor in rough_gradient.values())
    assert _cosine(rough_gradient, gradient) > 0.99


def test_a_llama_keeps_packed_sequences_apart(net: Net) -> None:
    assert keeps_apart(net)


def test_a_sliding_window_model_keeps_them_apart_too(tmp_path: Path) -> None:
    MistralForCausalLM(MistralConfig(**_SMALL, sliding_window=4)).save_pretrained(tmp_path)
    assert keeps_apart(float32_net(tmp_path))


def test_a_model_that_attends_across_sequences_is_found_out(folder: Path) -> None:
    net = float32_net(folder)
    body = net.model.base_model
    forward = body.forward

    def blind(input_ids: Tensor, position_ids: Tensor, **others: object) -> object:
        return forward(input_ids=input_ids, position_ids=torch.arange(input_ids.shape[1])[None], **others)

    body.forward = blind
    assert not keeps_apart(net)


def test_a_model_that_scales_its_logits_is_trained_through_its_own_head(tmp_path: Path) -> None:
    Cohere2ForCausalLM(Cohere2Config(**_SMALL, logit_scale=0.25, sliding_window=8)).save_pretrained(tmp_path)
    net = float32_net(tmp_path)
    examples = examples_of(example_rows(4))
    assert not splits_head(net)
    packed, alone = (loss_and_gradient(loss_of(net), examples, shape) for shape in (PACKED, ALONE))
    assert packed[0] == pytest.approx(alone[0], rel=1e-5)


@pytest.mark.parametrize(("free", "rows", "recomputes"), [(2**40, 102, False), (2**21, 10, False), (2**10, 1, True)])
def test_a_pass_holds_as_many_rows_as_fit_and_recomputes_only_when_none_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, free: int, rows: int, recomputes: bool
) -> None:
    monkeypatch.setattr("selfimprove_workers.training.memory.free_memory", lambda _: free)
    net = float32_net(folder)
    shape = fit(net, np.array([20, 20]), limit=20, packs=True)
    assert (shape, net.model.is_gradient_checkpointing) == (Shape(20, rows), recomputes)


@pytest.mark.parametrize(
    ("lengths", "row"),
    [
        ([150] * 20, 150),  # nothing to win: rows of one
        ([150, 100] * 20, 278),  # 150 + 100 fits into 150 + 2 * 64, and in 150 + 64 it does not
        ([150, 20, 20, 20] * 20, 150),  # the short ones fill rows of their own
        ([700] + [30] * 200, 700),  # the longest has to fit
    ],
)
def test_rows_are_as_long_as_pays_for_the_lengths_at_hand(net: Net, lengths: list[int], row: int) -> None:
    assert fit(net, np.array(lengths), limit=1024, packs=True).row_length == row


def test_a_model_that_cannot_keep_sequences_apart_gets_rows_of_one(net: Net) -> None:
    assert fit(net, np.array([100, 50]), limit=1024, packs=False) == Shape(100, 20, packs=False)


_SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def _cosine(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    flat = [torch.cat([tensors[name].flatten() for name in other]) for tensors in (one, other)]
    return float(torch.nn.functional.cosine_similarity(flat[0], flat[1], dim=0))
