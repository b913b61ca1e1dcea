"""From examples to tensors: which examples make an optimizer step, and how they lie in rows.

The order of examples depends on the seed and the epoch alone, so a resumed run continues it. Packing happens within one
optimizer batch: it changes the tensors, never the sum that is minimised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfimprove.seeds import derive_seed
from selfimprove_workers.training.examples import Examples, Indices
from selfimprove_workers.training.packing import pack


@dataclass(frozen=True)
class Shape:
    """How the rows of one forward pass lie."""

    row_length: int
    rows: int = 1
    """Rows of one forward pass; where nothing is packed: examples of one."""
    packs: bool = True
    """Whether a row may hold several sequences; False for a model that can't keep them apart."""
    flat: bool = False
    """All rows of a pass end to end in one, as variable-length attention wants them."""


@dataclass(frozen=True)
class MicroBatch:
    """One forward pass."""

    input_ids: Tensor
    """(rows, length), int64; the ends of rows that are not filled hold token 0."""
    position_ids: Tensor
    """(rows, length); starts again at 0 with every sequence: that is what keeps them apart."""
    sources: Tensor
    """(predictions,) flat positions in `input_ids` from which a completion token is predicted."""
    targets: Tensor
    """(predictions,) the tokens to predict."""
    weights: Tensor
    """(predictions,) float32, the example's weight on every one of its completion tokens."""
    sequences: Indices
    """The sequences of the pass in the order of their predictions, those of an example together."""
    tokens: int
    """Real tokens, padding not counted."""

    def to(self, device: torch.device) -> MicroBatch:
        """The same on a device."""
        names = ("input_ids", "position_ids", "sources", "targets", "weights")
        return replace(self, **{name: getattr(self, name).to(device, non_blocking=True) for name in names})


def steps_of_epoch(examples: int, batch_size: int, seed: int, epoch: int) -> list[Indices]:
    """The examples of each optimizer step of one epoch, shuffled, as evenly as `batch_size` allows.

    Evenly, since a last batch of three examples would move the model as far as one of sixty-four.
    """
    order = np.random.default_rng(derive_seed(seed, "train", epoch, "distill", "order")).permutation(examples)
    return np.array_split(order, -(-examples // batch_size))


def micro_batches(examples: Examples, step: Indices, shape: Shape, rank: int = 0, world: int = 1) -> list[MicroBatch]:
    """This rank's forward passes of one optimizer step; all ranks' together hold every example of it once, whole."""
    dealt = _bundles(examples, step, shape)[rank::world]
    passes = [dealt[at : at + shape.rows] for at in range(0, len(dealt), shape.rows)]
    return [_assemble(examples, [row for bundle in each for row in bundle], shape) for each in passes]


def _bundles(examples: Examples, step: Indices, shape: Shape) -> list[list[Indices]]:
    """Rows of sequences that must lie in one pass: a row of whole examples or, unpacked, the rows of one example."""
    sizes = examples.sizes[step]
    # Fullest first, so that dealing rows out to ranks and passes leaves neighbours of like length together.
    packed = pack(sizes.tolist(), shape.row_length) if shape.packs else [[i] for i in range(len(step))]
    packed.sort(key=lambda row: -int(sizes[row].sum()))
    rows = [examples.members(step[row]).reshape(-1) for row in packed]
    return [[row] if shape.packs else list(row[:, None]) for row in rows]


def _assemble(examples: Examples, rows: Sequence[Indices], shape: Shape) -> MicroBatch:
    rows = [np.concatenate(rows)] if shape.flat else rows
    length = max(int(examples.lengths[row].sum()) for row in rows)
    ids = np.zeros((len(rows), length), np.int64)
    positions = np.zeros_like(ids)
    alone = all(len(row) == 1 for row in rows)
    pieces = []
    for r, row in enumerate(rows):
        for start, index in _laid_out(examples, row):
            sequence = examples.sequence(index)
            ids[r, start : start + len(sequence)] = sequence
            positions[r, start : start + len(sequence)] = np.arange(len(sequence))
            pieces.append(_predictions(examples, index, r * length + start))
        filled = int(examples.lengths[row].sum())
        # What fills a row up is seen by nobody. Where it goes on counting, no mask is made, and attention is faster.
        positions[r, filled:] = np.arange(filled, length) if alone else 0
    sources, targets, weights = (torch.from_numpy(np.concatenate(column)) for column in zip(*pieces, strict=True))
    sequences = np.concatenate(rows)
    tokens = int(examples.lengths[sequences].sum())
    return MicroBatch(torch.from_numpy(ids), torch.from_numpy(positions), sources, targets, weights, sequences, tokens)


def _laid_out(examples: Examples, row: Indices) -> Iterator[tuple[int, int]]:
    """(start within the row, index) of each sequence of a row."""
    starts = np.concatenate([[0], np.cumsum(examples.lengths[row])[:-1]])
    yield from zip(starts.tolist(), row.tolist(), strict=True)


def _predictions(examples: Examples, index: int, offset: int) -> tuple[Indices, Indices, NDArray[np.float32]]:
    """Flat sources, targets and weights of one sequence that starts at the flat position `offset`."""
    sequence = examples.sequence(index)
    first = max(int(examples.prompt_lengths[index]), 1)  # nothing predicts a sequence's first token
    targets = sequence[first:].astype(np.int64)
    sources = offset + np.arange(first - 1, len(sequence) - 1, dtype=np.int64)
    return sources, targets, np.full(len(targets), examples.weights[index // examples.group], np.float32)
