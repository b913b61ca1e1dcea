"""What is trained on, in which order, at which rate, in which numbers: the pure half of training."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.errors import FailedError
from selfimprove_workers.training.batches import Shape, micro_batches, steps_of_epoch
from selfimprove_workers.training.precision import compute_dtype, stored_dtype
from selfimprove_workers.training.schedule import learning_rate
from tests.integration.training_support import CPU, example_rows, examples_of


@given(st.integers(1, 300), st.integers(1, 70), st.integers(0, 5))
def test_an_epoch_sees_every_example_once_in_steps_of_like_size(examples: int, batch_size: int, epoch: int) -> None:
    steps = steps_of_epoch(examples, batch_size, seed=7, epoch=epoch)
    assert sorted(np.concatenate(steps).tolist()) == list(range(examples))
    sizes = [len(step) for step in steps]
    assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1


def test_the_order_depends_on_seed_and_epoch_and_on_nothing_else() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(steps_of_epoch(50, 8, seed, epoch)).tolist()  # type: ignore[no-any-return]

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(1, 0)), tuple(order(1, 1)), tuple(order(2, 0))}) == 3


@pytest.mark.parametrize("world", [1, 2, 3, 40])
def test_the_ranks_together_hold_every_example_of_a_step_once(world: int) -> None:
    examples = examples_of(example_rows(17))
    step = np.arange(2, 17)
    batches = [b for rank in range(world) for b in micro_batches(examples, step, Shape(40, rows=2), rank, world)]
    assert sum(batch.tokens for batch in batches) == examples.lengths[step].sum()
    assert sum(len(batch.targets) for batch in batches) == (examples.lengths - examples.prompt_lengths)[step].sum()
    assert sum(float(batch.weights.sum()) for batch in batches) == pytest.approx(
        (examples.weights * examples.predicted)[step].sum()
    )


@given(st.integers(1, 400), st.floats(0, 1))
def test_the_learning_rate_rises_to_its_peak_and_falls_and_is_never_zero(total: int, warmup: float) -> None:
    rates = [learning_rate(step, total, 1e-3, warmup) for step in range(total)]
    top = rates.index(max(rates))
    assert all(0 < rate <= 1e-3 * (1 + 1e-9) for rate in rates)
    assert all(one < two for one, two in pairwise(rates[: top + 1]))
    assert all(one > two for one, two in pairwise(rates[top + 1 :]))
    assert max(rates) == pytest.approx(1e-3)


def test_the_learning_rate_rises_and_falls_in_even_steps() -> None:
    assert [learning_rate(step, 5, 3.0, 0.4) for step in range(5)] == pytest.approx([1.5, 3, 3, 2, 1])
    assert [learning_rate(step, 4, 4.0, 0.0) for step in range(4)] == pytest.approx([4, 3, 2, 1])


def test_what_cannot_be_trained_on_is_left_out_and_counted() -> None:
    rows = example_rows(6)
    rows[1]["tokens"] = []
    rows[2]["weight"] = 0.0
    rows[4]["tokens"] = [5] * 60
    examples = examples_of(rows)
    assert len(examples) == 3
    assert examples.dropped == {"tooLong": 1, "empty": 1, "zeroWeight": 1}
    for index, row in enumerate([rows[0], rows[3], rows[5]]):
        expected = [*row["prompt_tokens"], *row["tokens"]]  # type: ignore[misc]
        assert examples.sequence(index).tolist() == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"tokens": [5] * 90},
            r"distillation.maxLength: 64 is less than every one of the 2 examples needs \(the shortest: 9\d tokens\); ",
        ),
        ({"weight": 0.0}, r"i001-select: none of its 2 examples can be trained on \(zeroWeight 2\); "),
        ({"weight": -1.0}, r"i001-select: prompt p0 sample 0: weight -1.0 is no weight; give a number of at least 0"),
        ({"weight": float("nan")}, r"i001-select: prompt p0 sample 0: weight nan is no weight"),
        (
            {"tokens": [97]},
            r"i001-select: prompt p0 sample 0: token id 97 is not among the model's 97; train the model",
        ),
        ({"tokens": [-1, 3]}, r"i001-select: prompt p0 sample 0: token id -1 is not among the model's 97"),
    ],
)
def test_a_training_set_that_is_no_good_ends_with_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(FailedError, match=message):
        examples_of([{**row, **change} for row in example_rows(2)])


def test_an_empty_training_set_ends_with_one_line() -> None:
    with pytest.raises(FailedError, match="i001-select: holds no training example; "):
        examples_of([])


@pytest.mark.parametrize(
    ("named", "sampled", "stored"),
    [
        (torch.bfloat16, torch.bfloat16, torch.bfloat16),
        (torch.bfloat16, torch.float32, torch.float32),
        (torch.float32, torch.float32, torch.float32),
        (torch.float16, torch.bfloat16, torch.float16),
    ],
)
def test_tensors_are_stored_as_config_names_them_unless_they_are_sampled_in_float32(
    named: torch.dtype, sampled: torch.dtype, stored: torch.dtype
) -> None:
    assert stored_dtype(named, sampled) == stored


def test_the_precision_that_is_asked_for_is_taken() -> None:
    assert compute_dtype("float32", CPU) == torch.float32
    assert compute_dtype("bfloat16", CPU) == torch.bfloat16
    assert compute_dtype("auto", CPU) in (torch.float32, torch.bfloat16)
