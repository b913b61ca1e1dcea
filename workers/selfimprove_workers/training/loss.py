"""The weighted loss of one forward pass, and its gradient, without ever holding all logits.

`loss = sum_t w_t nll_t / sum_t w_t`, t over the completion tokens of the whole optimizer batch: an example's weight
stands on each of its tokens, so a weight of 2 is the same as the example twice, and weights of 1 are plain
fine-tuning. The denominator is the caller's, since it spans passes and ranks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from selfimprove_workers.training.batches import MicroBatch
from selfimprove_workers.training.examples import Examples, Indices
from selfimprove_workers.training.net import Net

LOGITS_AT_ONCE = 64 * 2**20
"""Numbers in one piece of logits (256 MiB in float32): all of them, for a vocabulary of 128k, would be gigabytes."""


@dataclass(frozen=True)
class Loss:
    """How the loss of a net is computed."""

    names: ClassVar[tuple[str, ...]] = ("loss",)
    """The figures that `backward` gives shares of."""
    net: Net
    splits_head: bool
    """Whether the head may run piece by piece."""
    logits_at_once: int = LOGITS_AT_ONCE

    def denominator(self, examples: Examples, step: Indices) -> float:
        """The sum of weights over all completion tokens of an optimizer batch."""
        return float((examples.weights[step] * examples.predicted[step]).sum())

    def backward(self, batch: MicroBatch, denominator: float) -> list[float]:
        """Add this pass's share of the gradient of the loss; its share of the loss."""
        return [self.descend(self.states(batch), batch, batch.weights / denominator)]

    def states(self, batch: MicroBatch) -> Tensor:
        """What each completion token is predicted from, (predictions, ...): hidden states, or logits."""
        through = self.net.hidden if self.splits_head else self.net.logits
        return through(batch.input_ids, batch.position_ids).flatten(0, 1)[batch.sources]

    @torch.no_grad()
    def token_losses(self, states: Tensor, batch: MicroBatch) -> Tensor:
        """(predictions,) float32: the negative log-likelihood of each completion token."""
        pieces = [_nll(self._logits(states[piece]), batch.targets[piece]) for piece in self._pieces(len(states))]
        return torch.cat(pieces)

    def descend(self, states: Tensor, batch: MicroBatch, weights: Tensor) -> float:
        """Add the gradient of `sum_t weights_t nll_t` over this pass's completion tokens; that sum."""
        if self.splits_head:
            value, gradient = self._head_backward(states.detach(), batch, weights)
            torch.autograd.backward(states, gradient)
        else:
            value = _backward(states, batch.targets, weights)
        self.net.weights.collect()
        return value

    def _head_backward(self, hidden: Tensor, batch: MicroBatch, weights: Tensor) -> tuple[float, Tensor]:
        """Through the head, piece by piece: the sum, and its gradient by `hidden`."""
        value, gradients = 0.0, []
        for piece in self._pieces(len(hidden)):
            states = hidden[piece].requires_grad_()
            value += _backward(self.net.head(states), batch.targets[piece], weights[piece])
            assert states.grad is not None  # just filled by the line above
            gradients.append(states.grad)
        return value, torch.cat(gradients)

    def _logits(self, states: Tensor) -> Tensor:
        return self.net.head(states) if self.splits_head else states

    def _pieces(self, count: int) -> Iterator[slice]:
        size = max(1, self.logits_at_once // self.net.vocabulary)
        return (slice(start, start + size) for start in range(0, count, size))


def _backward(logits: Tensor, targets: Tensor, weights: Tensor) -> float:
    loss = (_nll(logits, targets) * weights).sum()
    torch.autograd.backward(loss)
    return float(loss.detach())


def _nll(logits: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(logits.float(), targets, reduction="none")
