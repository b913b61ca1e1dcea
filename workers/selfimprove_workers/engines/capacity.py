"""How many sequences may be in flight: bounded by memory, and by what still makes a device faster.

Where memory is what limits the batch, requests are drawn in waves of similar length, so that one long prompt doesn't
make every short one wait in a narrow batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from selfimprove_workers.engines.base import SampleRequest
from selfimprove_workers.engines.device import free_memory

_MOST = {"cpu": 256, "mps": 128, "cuda": 512}
_WINDOW = 8
"""Batches' worth of requests that are sorted together where memory narrows the batch."""
_SHARE = 0.5
"""Of the free memory, for keys and values; the rest is for activations, logits and whoever else lives here."""


Queue = list[tuple[int, SampleRequest]]
"""Requests, each with the index by which the caller knows it."""


class Capacity:
    """Tokens that all sequences in flight may hold together, prompts and room for answers included."""

    def __init__(self, device: torch.device, max_batch_tokens: int | None, bytes_per_token: int):
        self.most = _MOST.get(device.type, 128)
        fitting = int(free_memory(device) * _SHARE) // max(bytes_per_token, 1)
        self.tokens = min(max_batch_tokens or fitting, fitting) if fitting else max_batch_tokens or 1

    def slots(self, width: int) -> int:
        """Sequences of `width` tokens that may be in flight; at least one."""
        return max(1, min(self.most, self.tokens // width))

    def shrink(self, tokens: int) -> None:
        """Memory ran out: never hold more than this again."""
        self.tokens = max(1, min(self.tokens, tokens))

    def __str__(self) -> str:
        return f"at most {self.most} sequences and {self.tokens:,} tokens at once"


def waves(queue: Queue, capacity: Capacity) -> Iterator[tuple[Queue, int, int]]:
    """Cut a queue into waves of (requests, slots, width of a slot); one wave where memory allows it.

    Within a window the longest go first, with equal contexts beside each other; windows keep the caller's order, so
    that the first prompts are complete long before the last ones are begun. A window is what is in flight together,
    but `_WINDOW` times as much where a wave ends whenever lengths change.
    """
    if not queue:
        return
    width = max(_width(request) for _, request in queue)
    one_wave = capacity.slots(width) == capacity.most
    window = capacity.most if one_wave else _WINDOW * capacity.most
    ordered = [item for at in range(0, len(queue), window) for item in _longest_first(queue[at : at + window])]
    if one_wave:
        yield ordered, min(capacity.most, len(ordered)), width
        return
    while ordered:
        width = _width(ordered[0][1])
        slots = capacity.slots(width)
        fits = (at for at, (_, request) in enumerate(ordered) if not width / 2 < _width(request) <= width)
        stop = next(fits, len(ordered))
        yield ordered[:stop], min(slots, stop), width
        ordered = ordered[stop:]


def _longest_first(window: Queue) -> Queue:
    return sorted(window, key=lambda item: (-_width(item[1]), tuple(item[1].tokens)))


def _width(request: SampleRequest) -> int:
    return len(request.tokens) + request.max_tokens
