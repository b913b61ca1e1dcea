"""The output layer's product in float32, of a model that is kept in fewer bits.

A logit of 20 in bfloat16 is a multiple of 1/8: probabilities that are read from such ones move in steps of 3% of
themselves, and texts that differ tie. The hidden state before the output layer has the same bits, but hundreds of
numbers of them; multiplied and summed in float32 they give a logit that is as fine as the model's pass allows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from selfimprove_workers.engines.device import PackedLinear

_NUMBERS_AT_ONCE = 1 << 24
"""Of the weight, in float32: 64 MiB."""


def float32_product(layer: nn.Module, hidden: Tensor) -> Tensor | None:
    """(..., vocabulary) What `layer` makes of `hidden` (..., width), in float32.

    None of a layer whose weight can't be read (a quantised one), and of one that computes in float32 by itself.
    """
    found = _weights(layer)
    if found is None or found[0].dtype == torch.float32:
        return None
    weight, bias = found
    wide, rows = hidden.float(), max(1, _NUMBERS_AT_ONCE // weight.shape[1])
    product = torch.cat([wide @ part.float().T for part in torch.split(weight, rows)], dim=-1)
    return product if bias is None else product + bias.float()


def _weights(layer: nn.Module) -> tuple[Tensor, Tensor | None] | None:
    """The weight (vocabulary, width) and the bias."""
    if isinstance(layer, PackedLinear):
        return layer.dense(), layer.bias
    return (layer.weight, layer.bias) if type(layer) is nn.Linear else None
