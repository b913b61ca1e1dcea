"""Over how many GPUs vLLM splits a model: all that the pod has, where the attention heads can be dealt out so."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from selfimprove.errors import UserError
from selfimprove_workers.engines.base import SETTINGS

log = logging.getLogger(__name__)


def tensor_parallel_size(folder: Path, wanted: int | None, gpus: int, field: str = SETTINGS) -> int:
    """`wanted`, or else the most of the `gpus` that can be seen over which the model of `folder` splits.

    `field`: where the settings stand. Raises `UserError` for a wanted size that is not one of those.
    """
    heads, key_value_heads = _heads(folder)
    sizes = [n for n in range(1, max(gpus, 1) + 1) if _splits(n, heads, key_value_heads)]
    if wanted is None:
        if sizes[-1] < gpus:
            log.info(
                "tensor parallel size %d of %d GPUs: %d attention heads split over no more", sizes[-1], gpus, heads
            )
        return sizes[-1]
    if wanted not in sizes:
        choice = ", ".join(map(str, sizes))
        raise UserError(
            f"{field}.engineArgs.tensorParallelSize: {wanted} does not suit {gpus} GPUs and {heads} attention heads; "
            f"give one of {choice}"
        )
    return wanted


def _splits(size: int, heads: int, key_value_heads: int) -> bool:
    """Every GPU has as many heads as the others; key and value heads are dealt out or, if there are few, repeated."""
    return heads % size == 0 and (key_value_heads % size == 0 or size % key_value_heads == 0)


def _heads(folder: Path) -> tuple[int, int]:
    config = json.loads((folder / "config.json").read_text())
    text = config.get("text_config", config)
    heads = int(text.get("num_attention_heads") or 1)
    return heads, int(text.get("num_key_value_heads") or heads)
