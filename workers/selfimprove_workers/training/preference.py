"""Direct preference optimization (arXiv 2305.18290) with the likelihood term of RPO (arXiv 2404.19733).

Of a pair with weight w, chosen y and rejected z, and a frozen reference model:

    w * ( -log sigmoid(m) + nllWeight * nll(y) / |y| ),   m = beta * (log p(y)/ref(y) - log p(z)/ref(z))

summed over the pairs of an optimizer batch and divided by the sum of their weights. Log-probabilities are sums over the
completion's tokens; the likelihood term alone is a mean, so that long answers do not outweigh the preference.

The loss joins two sequences, yet its gradient is a sum over tokens: by the log-probability of a token of y it is
`-w * (beta * sigmoid(-m) + nllWeight / |y|)`, of one of z `+w * beta * sigmoid(-m)`. So each pass finds its margins,
and then descends as fine-tuning does, with these numbers, the sign turned, as the weights of its tokens' losses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfimprove.errors import TerminatedError
from selfimprove_workers.training.batches import MicroBatch, Shape, micro_batches
from selfimprove_workers.training.examples import Examples, Indices
from selfimprove_workers.training.loss import Loss
from selfimprove_workers.training.net import Net
from selfimprove_workers.training.team import Team

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PreferenceLoss:
    """The loss over pairs: examples of two sequences, the preferred one first."""

    names: ClassVar[tuple[str, ...]] = (
        "loss",
        "rewardAccuracy",
        "rewardMargin",
        "chosenReward",
        "rejectedReward",
        "nll",
    )
    """Beside the loss, as weighted means over pairs: the share with m > 0, m, its two terms, and nll(y) / |y|."""
    loss: Loss
    examples: Examples
    reference: Floats
    """[2n] The log-probability of each sequence's completion under the reference model (see `log_probabilities`)."""
    beta: float
    """How dear it is to move away from the reference."""
    nll_weight: float

    @property
    def net(self) -> Net:
        """What is trained."""
        return self.loss.net

    def denominator(self, examples: Examples, step: Indices) -> float:
        """The sum of the weights of these pairs."""
        return float(examples.weights[step].sum())

    def backward(self, batch: MicroBatch, denominator: float) -> list[float]:
        """Add this pass's share of the gradient; its share of each figure."""
        states = self.loss.states(batch)
        sums = _sums(self.loss.token_losses(states, batch), self.examples, batch)
        share = self.examples.weights[batch.sequences[::2] // 2] / denominator
        rewards = self.beta * (-sums - self.reference[batch.sequences]).reshape(-1, 2)
        margin = rewards[:, 0] - rewards[:, 1]
        nll = sums[::2] / self.examples.predicted[batch.sequences[::2]]
        with np.errstate(invalid="ignore"):  # a loss that is no number is the trainer's to report
            loss = np.logaddexp(0, -margin) + self.nll_weight * nll
            pull = self.beta * np.exp(-np.logaddexp(0, margin))
        self.loss.descend(states, batch, self._token_weights(batch, share, pull))
        return [float(share @ each) for each in (loss, margin > 0, margin, rewards[:, 0], rewards[:, 1], nll)]

    def _token_weights(self, batch: MicroBatch, share: Floats, pull: Floats) -> Tensor:
        """(predictions,) What the loss changes by with each token's negative log-likelihood."""
        size = self.examples.predicted[batch.sequences]
        weights = np.stack([share * (pull + self.nll_weight / size[::2]), -share * pull], 1).reshape(-1)
        return torch.from_numpy(weights.repeat(size)).to(batch.weights)


@torch.no_grad()
def log_probabilities(
    loss: Loss,
    examples: Examples,
    steps: Sequence[Indices],
    shape: Shape,
    team: Team,
    stopping: threading.Event,
    tell: Callable[[int, int], None],
) -> Floats:
    """[n * group] The log-probability of every sequence's completion as the net stands, without dropout.

    `steps` hold each example once; with the steps of the first epoch the passes, and so the roundings, are those that
    training begins with. `tell` hears how many examples and tokens were done. Raises `TerminatedError` after a signal.
    """
    found = np.zeros(len(examples) * examples.group)
    loss.net.model.eval()
    try:
        for step in steps:
            for batch in micro_batches(examples, step, shape, team.rank, team.world):
                there = batch.to(team.device)
                found[batch.sequences] = -_sums(loss.token_losses(loss.states(there), there), examples, batch)
            tell(len(step), int(examples.sizes[step].sum()))
            if team.anyone(stopping.is_set()):
                raise TerminatedError("stopped by a signal before the first step")
    finally:
        loss.net.model.train()
    return team.totals(found)


def _sums(token_losses: Tensor, examples: Examples, batch: MicroBatch) -> Floats:
    """[sequences of the pass] The sum over each one's completion."""
    starts = np.cumsum(examples.predicted[batch.sequences]) - examples.predicted[batch.sequences]
    sums: Floats = np.add.reduceat(token_losses.cpu().double().numpy(), starts)
    return sums
