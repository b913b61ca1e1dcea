"""The training set as a few flat arrays, read as a stream: many examples in little more than their token ids take.

What can't be trained on is left out here, and counted by reason, so that nothing disappears silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfimprove.errors import FailedError

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where the rows of a training set have what is trained on."""

    completions: tuple[str, ...]
    """Columns of tokens; each follows the row's prompt tokens in a sequence of its own."""
    sample: str

    @property
    def columns(self) -> tuple[str, ...]:
        """What training reads of a row."""
        return ("prompt", self.sample, "prompt_tokens", *self.completions, "weight")


SINGLES = Layout(("tokens",), "sample")
"""Of `EXAMPLE` rows."""
PAIRS = Layout(("chosen_tokens", "rejected_tokens"), "chosen_sample")
"""Of `PAIR` rows."""


@dataclass(frozen=True)
class Examples:
    """n examples of `group` sequences each, all end to end: prompt tokens, completion tokens, the next sequence."""

    tokens: NDArray[np.int32]
    starts: Indices
    """Where each sequence starts in `tokens`, and the end of the last: n * group + 1 entries."""
    prompt_lengths: NDArray[np.int32]
    """[n * group]"""
    weights: NDArray[np.float64]
    """[n]"""
    dropped: dict[str, int] = field(default_factory=dict)
    """Examples left out, by reason: tooLong, empty, zeroWeight."""
    group: int = 1
    """Sequences of an example: one, or two that are compared, the preferred one first."""

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def lengths(self) -> Indices:
        """[n * group] Tokens of each sequence, prompt and completion together."""
        return np.diff(self.starts)

    @property
    def sizes(self) -> Indices:
        """[n] Tokens of each example, its sequences together."""
        sizes: Indices = self.lengths.reshape(-1, self.group).sum(1)
        return sizes

    @property
    def predicted(self) -> Indices:
        """[n * group] Tokens of each sequence that something predicts and that count: the completion's."""
        predicted: Indices = self.lengths - np.maximum(self.prompt_lengths, 1)
        return predicted

    def members(self, examples: Indices) -> Indices:
        """[len(examples), group] The sequences of some examples."""
        members: Indices = examples[:, None] * self.group + np.arange(self.group)
        return members

    def sequence(self, index: int) -> NDArray[np.int32]:
        """One sequence's tokens."""
        return self.tokens[self.starts[index] : self.starts[index + 1]]


def collect(
    batches: Iterable[pa.RecordBatch], max_length: int, vocabulary: int, source: str, layout: Layout = SINGLES
) -> Examples:
    """The examples of the batches (the layout's columns) that can be trained on; `source` names them in messages.

    Of a pair both must be trainable. Raises `FailedError` when none is left, for a weight that is negative or no
    number, and for a token id that the model has not.
    """
    reader = _Reader(max_length, vocabulary, source, layout)
    kept = [example for batch in batches for example in reader.usable(batch)]
    if not kept:
        raise FailedError(reader.why_nothing())
    sequences = [sequence for example in kept for sequence in example.sequences]
    return Examples(
        tokens=np.concatenate(sequences),
        starts=np.concatenate([[0], np.cumsum([len(sequence) for sequence in sequences])]).astype(np.int64),
        prompt_lengths=np.array([example.prompt_length for example in kept], np.int32).repeat(len(layout.completions)),
        weights=np.array([example.weight for example in kept], np.float64),
        dropped={reason: count for reason, count in reader.dropped.items() if count},
        group=len(layout.completions),
    )


@dataclass(frozen=True)
class _Example:
    sequences: list[NDArray[np.int32]]
    prompt_length: int
    weight: float


class _Reader:
    """Rows to examples, with the counts of what was left out."""

    def __init__(self, max_length: int, vocabulary: int, source: str, layout: Layout) -> None:
        self._max_length, self._vocabulary, self._source, self._layout = max_length, vocabulary, source, layout
        self._shortest = 0
        self.dropped = {"tooLong": 0, "empty": 0, "zeroWeight": 0}

    def usable(self, batch: pa.RecordBatch) -> Iterator[_Example]:
        """The examples of one batch that can be trained on."""
        prompts, columns = _lists(batch, "prompt_tokens"), [_lists(batch, name) for name in self._layout.completions]
        weights = batch.column("weight").to_numpy(zero_copy_only=False)
        for row, (prompt, *completions) in enumerate(zip(prompts, *columns, strict=True)):
            sequences = [np.concatenate([prompt, completion]) for completion in completions]
            self._check(batch, row, np.concatenate(sequences), float(weights[row]))
            lengths = [len(sequence) for sequence in sequences]
            reason = self._unusable(max(lengths), min(lengths) - max(len(prompt), 1), float(weights[row]))
            if reason:
                self.dropped[reason] += 1
            else:
                yield _Example(sequences, len(prompt), float(weights[row]))

    def why_nothing(self) -> str:
        """The line that says why no example is left."""
        total = sum(self.dropped.values())
        if not total:
            return f"{self._source}: holds no training example; lower the threshold, or set resampling.strategy"
        if self.dropped["tooLong"] == total:
            return (
                f"distillation.maxLength: {self._max_length} is less than every one of the {total} examples needs "
                f"(the shortest: {self._shortest} tokens); raise it, or lower generation.maxTokens"
            )
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.dropped.items() if count)
        return f"{self._source}: none of its {total} examples can be trained on ({reasons}); look at `select`"

    def _unusable(self, length: int, predicted: int, weight: float) -> str:
        if predicted < 1:
            return "empty"
        if weight == 0:
            return "zeroWeight"
        if length > self._max_length:
            self._shortest = min(self._shortest or length, length)
            return "tooLong"
        return ""

    def _check(self, batch: pa.RecordBatch, row: int, tokens: NDArray[np.int32], weight: float) -> None:
        if not (np.isfinite(weight) and weight >= 0):
            raise FailedError(f"{self._name(batch, row)}: weight {weight} is no weight; give a number of at least 0")
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < self._vocabulary:
            worst = int(tokens.min() if tokens.min() < 0 else tokens.max())
            raise FailedError(
                f"{self._name(batch, row)}: token id {worst} is not among the model's {self._vocabulary}; "
                "train the model that drew the samples"
            )

    def _name(self, batch: pa.RecordBatch, row: int) -> str:
        return f"{self._source}: prompt {batch.column('prompt')[row]} sample {batch.column(self._layout.sample)[row]}"


def _lists(batch: pa.RecordBatch, column: str) -> list[NDArray[np.int32]]:
    """A list column as one array a row, views into the batch's own memory."""
    lists = batch.column(column)
    values = lists.values.to_numpy(zero_copy_only=False)
    bounds = lists.offsets.to_numpy()
    return [values[start:end] for start, end in pairwise(bounds)]
