"""How much goes into one forward pass: rows as long as pays, as many as fit; recomputation only when not one does.

A longer row packs better and wastes more attention on what is masked: on 2 cores SmolLM2-135M took, a token, 2.6 ms in
rows of 150 or 300, 2.8 of 450, 3.2 of 600, 3.7 of 1,024 and 5.1 of 2,048. So it is chosen for the sequences at hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfimprove_workers.engines.device import free_memory
from selfimprove_workers.training.batches import Shape
from selfimprove_workers.training.net import Net
from selfimprove_workers.training.packing import pack

PASS = {"cpu": 2048, "cuda": 16384}
"""Tokens of one forward pass, memory permitting."""
OTHER_PASS = 4096
SLOPE = {"cpu": 1800}
"""The length of a row at which attention takes as long as all the rest."""
_OTHER_SLOPE = 16384
_STEP = 64
_SEEN = 512
"""Examples that are packed to find the best length."""


def fit(net: Net, lengths: NDArray[np.int64], limit: int, packs: bool) -> Shape:
    """The shape of a forward pass for sequences of these lengths, none above `limit`, on this model's device.

    Half of the free memory is left for the unforeseen. When not even one row fits, the model is set to compute its
    activations again in the backward pass.
    """
    longest = int(lengths.max())
    row = best_row(lengths[:_SEEN], longest, limit, SLOPE.get(net.device.type, _OTHER_SLOPE)) if packs else longest
    moments = sum(12 * w.numel() for w in net.weights.trainable.values())  # gradient and two moments, float32
    fitting = (free_memory(net.device) - moments) // 2 // (row * bytes_per_token(net.model.config))
    if fitting < 1:
        net.recompute_activations()
    rows = max(1, min(PASS.get(net.device.type, OTHER_PASS) // row, fitting))
    return Shape(row, rows, packs, net.flat and packs)


def best_row(lengths: NDArray[np.int64], longest: int, limit: int, slope: int) -> int:
    """The length from `longest` to `limit` at which these sequences, packed, cost least."""

    sizes: list[int] = lengths.tolist()

    def cost(row: int) -> int:
        price: int = len(pack(sizes, row)) * row * (slope + row)
        return price

    best: int = min((longest, *range(longest + _STEP, limit + 1, _STEP)), key=cost)
    return best


def bytes_per_token(config: Any) -> int:
    """Roughly what activations of one token take until the backward pass, generously, for a Llama-like block."""
    text = config.get_text_config()
    hidden = int(text.hidden_size)
    inner = int(getattr(text, "intermediate_size", None) or 4 * hidden)
    return int(text.num_hidden_layers) * (40 * hidden + 14 * inner)
