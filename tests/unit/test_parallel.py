"""Over how many GPUs a model is split, from what its config.json says."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from selfimprove.errors import UserError
from selfimprove_workers.engines.parallel import tensor_parallel_size


def model(folder: Path, heads: int, key_value_heads: int | None = None) -> Path:
    config = {"num_attention_heads": heads, "num_key_value_heads": key_value_heads}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("heads", "key_value_heads", "gpus", "size"),
    [
        (32, 8, 8, 8),
        (32, 8, 4, 4),
        (12, 2, 4, 4),  # the two key and value heads are repeated
        (32, 8, 3, 2),
        (14, 2, 4, 2),  # Qwen2.5-0.5B
        (9, 3, 2, 1),  # SmolLM2-135M
        (9, None, 3, 3),
        (32, 8, 0, 1),
    ],
)
def test_a_model_is_split_over_as_many_gpus_as_its_heads_allow(
    heads: int, key_value_heads: int | None, gpus: int, size: int, tmp_path: Path
) -> None:
    assert tensor_parallel_size(model(tmp_path, heads, key_value_heads), None, gpus) == size


def test_gpus_that_stay_idle_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tensor_parallel_size(model(tmp_path, 9, 3), None, 2)
    assert caplog.messages == ["tensor parallel size 1 of 2 GPUs: 9 attention heads split over no more"]


def test_a_size_that_does_not_suit_is_refused_with_those_that_do(tmp_path: Path) -> None:
    assert tensor_parallel_size(model(tmp_path, 32, 8), 2, 4) == 2
    with pytest.raises(UserError) as refused:
        tensor_parallel_size(model(tmp_path, 32, 8), 8, 4)
    assert str(refused.value) == (
        "spec.generation.engineArgs.tensorParallelSize: 8 does not suit 4 GPUs and 32 attention heads; "
        "give one of 1, 2, 4"
    )


def test_the_size_of_a_verifier_of_its_own_is_named_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^spec\.verification\.methods\.verifier\.engineArgs\.tensorParallelSize: 8 "):
        tensor_parallel_size(model(tmp_path, 32, 8), 8, 4, "spec.verification.methods.verifier")


def test_a_model_of_text_and_pictures_has_its_heads_in_the_text_config(tmp_path: Path) -> None:
    text = {"text_config": {"num_attention_heads": 6, "num_key_value_heads": 6}}
    (tmp_path / "config.json").write_text(json.dumps(text))
    assert tensor_parallel_size(tmp_path, None, 4) == 3
