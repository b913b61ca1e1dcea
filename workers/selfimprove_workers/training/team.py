"""The processes that train together: one or many, with the same few operations.

Gradients are summed once per optimizer step by plain all-reduce instead of a wrapper around the model: the loss is
backpropagated in several pieces (see `loss`), and the sum must be exact whatever each rank holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from accelerate import PartialState
from numpy.typing import NDArray
from torch import Tensor

from selfimprove.errors import UserError
from selfimprove_workers.engines.device import best_device


@dataclass(frozen=True)
class Team:
    """This process among those that train together."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @classmethod
    def assemble(cls) -> Team:
        """The team that RANK, WORLD_SIZE and LOCAL_RANK (torchrun's) describe; this process alone without them.

        Raises `UserError` when the team is not as large as WORLD_SIZE says: each process would train for itself.
        """
        state = PartialState(cpu=best_device().type == "cpu")  # accelerate forms a team on CPUs only when told so
        wanted = os.environ.get("WORLD_SIZE", "1")
        if wanted != str(state.num_processes):
            raise UserError(
                f"WORLD_SIZE: {wanted} processes were to train together, but this one is in a team of "
                f"{state.num_processes}; start them with torchrun"
            )
        return cls(state.device, state.process_index, state.num_processes)

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def sum_(self, tensors: Iterable[Tensor]) -> None:
        """Each tensor becomes its sum over all ranks, in place."""
        if self.world > 1:
            for work in [dist.all_reduce(tensor, async_op=True) for tensor in tensors]:
                work.wait()

    def totals(self, values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of each number over all ranks."""
        cells = torch.tensor(values, dtype=torch.float64)
        if self.world > 1:
            cells = cells.to(self.device, torch.float32 if self.device.type == "mps" else torch.float64)
            self.sum_([cells])
        sums: NDArray[np.float64] = cells.cpu().double().numpy()
        return sums

    def total(self, value: float) -> float:
        """The sum of one number over all ranks."""
        return float(self.totals([value])[0])

    def anyone(self, flag: bool) -> bool:
        """Whether the flag is set on some rank: a signal may reach one of them a step before the others."""
        return self.total(float(flag)) > 0

    def share_(self, tensors: Iterable[Tensor]) -> None:
        """Each tensor becomes rank 0's, in place."""
        if self.world > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def wait(self) -> None:
        """Until every rank is here."""
        self.total(0.0)
