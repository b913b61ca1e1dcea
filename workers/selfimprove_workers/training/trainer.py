"""The optimizer's loop: step by step over the examples, the same weights at its end whatever came in between.

Every step is a function of the weights before it and its own number: its examples, learning rate and random numbers
are derived, not carried along. So a run that was killed and resumed ends where an undisturbed one does.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from selfimprove.api.training import Distillation
from selfimprove.errors import FailedError, TerminatedError
from selfimprove.seeds import derive_seed
from selfimprove_workers.progress import Progress
from selfimprove_workers.training.batches import MicroBatch, Shape, micro_batches, steps_of_epoch
from selfimprove_workers.training.checkpoint import States
from selfimprove_workers.training.examples import Examples, Indices
from selfimprove_workers.training.net import Net
from selfimprove_workers.training.optimizer import adamw, from_tensors, set_rate, to_tensors
from selfimprove_workers.training.schedule import learning_rate
from selfimprove_workers.training.team import Team

Row = dict[str, Any]
"""One step of the training curve: step, epoch, the objective's figures, learningRate, gradNorm, tokens, seconds."""


class Objective(Protocol):
    """What is minimised: a sum over the examples of an optimizer batch, so that passes and ranks each add a share."""

    @property
    def names(self) -> tuple[str, ...]:
        """The figures it tells of a batch, `loss` first."""

    @property
    def net(self) -> Net:
        """What is trained."""

    def denominator(self, examples: Examples, step: Indices) -> float:
        """What the sum over these examples is divided by."""

    def backward(self, batch: MicroBatch, denominator: float) -> list[float]:
        """Add a pass's share of the gradient; its share of each figure."""


@dataclass
class Trainer:
    """One training run: what is trained, on what, how, with whom, and who is told."""

    loss: Objective
    examples: Examples
    shape: Shape
    settings: Distillation
    seed: int
    team: Team
    states: States | None = None
    progress: Progress = field(default_factory=Progress)
    stopping: threading.Event = field(default_factory=threading.Event)
    label: str = "distill"

    def __post_init__(self) -> None:
        self._steps = self._plan()
        self._parameters = self.loss.net.weights.trainable
        self._optimizer: AdamW = adamw(self._parameters, self.settings.weight_decay)

    def run(self) -> tuple[list[Row], float]:
        """Train to the end, from the newest state if there is one.

        Gives the curve, earlier attempts' steps included, and the seconds that those took. Raises `FailedError` when
        the loss is no longer a number, `TerminatedError` when `stopping` is set, after the state is stored.
        """
        curve = self._resume()
        earlier = float(sum(row.get("seconds", 0.0) for row in curve))
        self.progress.start(self.label, total=len(self._steps), done=len(curve), unit="steps")
        for number in range(len(curve), len(self._steps)):
            row = self._step(number)
            curve.append(row)
            self.progress.advance(1, row["tokens"], f"loss {row['loss']:.4f}")
            self._save_or_stop(curve)
        self.progress.finish()
        return curve, earlier

    def _plan(self) -> list[tuple[int, Indices]]:
        """(epoch, examples) of every optimizer step."""
        return [
            (epoch, step)
            for epoch in range(self.settings.epochs)
            for step in steps_of_epoch(len(self.examples), self.settings.batch_size, self.seed, epoch)
        ]

    def _step(self, number: int) -> Row:
        began = time.monotonic()
        epoch, step = self._steps[number]
        rate = learning_rate(number, len(self._steps), self.settings.learning_rate, self.settings.warmup_ratio)
        self.loss.net.weights.refresh(derive_seed(self.seed, "train", number, "distill", "rounding"))
        torch.manual_seed(derive_seed(self.seed, "train", number, "distill", "dropout", self.team.rank))
        figures = self._backward(step)
        norm = float(clip_grad_norm_(self._parameters.values(), self.settings.max_grad_norm))
        self._require_finite(figures["loss"], norm, number, rate)
        set_rate(self._optimizer, rate)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return {
            "step": number + 1,
            "epoch": epoch + 1,
            **figures,
            "learningRate": rate,
            "gradNorm": norm,
            "tokens": int(self.examples.sizes[step].sum()),
            "seconds": round(time.monotonic() - began, 4),
        }

    def _backward(self, step: Indices) -> dict[str, float]:
        """Fill the gradients of one step, all ranks' together; the loss and the objective's other figures.

        Every rank knows the whole batch, so the denominator needs no message; gradients and figures are sums of shares.
        """
        denominator = self.loss.denominator(self.examples, step)
        passes = micro_batches(self.examples, step, self.shape, self.team.rank, self.team.world)
        shares = [self.loss.backward(batch.to(self.team.device), denominator) for batch in passes]
        self.team.sum_(self._gradients())
        totals = self.team.totals([sum(column) for column in zip([0.0] * len(self.loss.names), *shares, strict=True)])
        return dict(zip(self.loss.names, totals.tolist(), strict=True))

    def _gradients(self) -> list[Tensor]:
        """Every parameter's gradient; zero where this rank's examples did not touch it."""
        gradients = []
        for weight in self._parameters.values():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            gradients.append(weight.grad)
        return gradients

    def _require_finite(self, loss: float, norm: float, number: int, rate: float) -> None:
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise FailedError(
                f"distillation.learningRate: {self.settings.learning_rate:g} made the loss {loss:g} (gradient norm "
                f"{norm:g}) at step {number + 1} of {len(self._steps)}, where the rate was {rate:g}; lower it"
            )

    def _save_or_stop(self, curve: list[Row]) -> None:
        stop = self.team.anyone(self.stopping.is_set())
        if self.states is not None and self.team.leads and (stop or self.states.due()):
            self.states.save(to_tensors(self._parameters, self._optimizer), curve)
        if stop:
            raise TerminatedError(f"stopped by a signal after step {len(curve)}; the state is kept")

    def _resume(self) -> list[Row]:
        """Go to where the newest state stood, on all ranks; its curve."""
        state = self.states.restore() if self.states is not None and self.team.leads else None
        done = int(self.team.total(len(state.curve) if state else 0))
        if done == 0:
            return []
        if state is not None:
            from_tensors(self._parameters, self._optimizer, state.tensors, done)
        else:
            zeros = {name: torch.zeros_like(weight) for name, weight in self._parameters.items()}
            blank = {f"{kind}/{n}": z for kind in ("weight", "exp_avg", "exp_avg_sq") for n, z in zeros.items()}
            from_tensors(self._parameters, self._optimizer, blank, done)
        self.team.share_(to_tensors(self._parameters, self._optimizer).values())
        return state.curve if state else [{} for _ in range(done)]
