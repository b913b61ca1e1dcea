"""The weighted loss of one forward pass, and its gradient, without ever holding all logits.

`loss = sum_t w_t nll_t / sum_t w_t`, t over the completion tokens of the whole optimizer batch: an example's weight
stands on each of its tokens, so a weight of 2 is the same as the example twice, and weights of 1 are plain
fine-tuning. The denominator is the caller's, since it spans passes and ranks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from selfimprove_workers.training.batches import MicroBatch
from selfimprove_workers.training.net import Net

LOGITS_AT_ONCE = 64 * 2**20
"""Numbers in one piece of logits (256 MiB in float32): all of them, for a vocabulary of 128k, would be gigabytes."""


@dataclass(frozen=True)
class Loss:
    """How the loss of a net is computed."""

    net: Net
    splits_head: bool
    """Whether the head may run piece by piece."""
    logits_at_once: int = LOGITS_AT_ONCE

    def backward(self, batch: MicroBatch, denominator: float) -> float:
        """Add this pass's share of the gradient of the loss; its share of the loss.

        `denominator`: the sum of weights over all completion tokens of the optimizer batch.
        """
        if self.splits_head:
            hidden = self.net.hidden(batch.input_ids, batch.position_ids).flatten(0, 1)[batch.sources]
            share, gradient = self._head_backward(hidden.detach(), batch, denominator)
            torch.autograd.backward(hidden, gradient)
        else:
            logits = self.net.logits(batch.input_ids, batch.position_ids).flatten(0, 1)[batch.sources]
            share = _backward(logits, batch.targets, batch.weights / denominator)
        self.net.weights.collect()
        return share

    def _head_backward(self, hidden: Tensor, batch: MicroBatch, denominator: float) -> tuple[float, Tensor]:
        """Through the head, piece by piece: the share of the loss, and its gradient by `hidden`."""
        share, gradients = 0.0, []
        for piece in self._pieces(len(hidden)):
            states = hidden[piece].requires_grad_()
            share += _backward(self.net.head(states), batch.targets[piece], batch.weights[piece] / denominator)
            assert states.grad is not None  # just filled by the line above
            gradients.append(states.grad)
        return share, torch.cat(gradients)

    def _pieces(self, count: int) -> Iterator[slice]:
        size = max(1, self.logits_at_once // self.net.vocabulary)
        return (slice(start, start + size) for start in range(0, count, size))


def _backward(logits: Tensor, targets: Tensor, weights: Tensor) -> float:
    loss = (cross_entropy(logits.float(), targets, reduction="none") * weights).sum()
    torch.autograd.backward(loss)
    return float(loss.detach())
