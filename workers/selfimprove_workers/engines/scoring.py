"""Teacher-forced reads of a transformers model: label log-probabilities and log-probabilities of given tokens.

One forward pass a batch, sequences of similar length together, logits only at the positions that are read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfimprove_workers.engines.device import free_unused, no_memory, out_of_memory
from selfimprove_workers.engines.head import Head

_BATCH_TOKENS = {"cpu": 4096, "mps": 8192, "cuda": 32768}
_BATCH_LOGITS = {"cpu": 2**26, "mps": 2**27, "cuda": 2**29}
"""Logits of one pass, as numbers: 2**26 float32 are 256 MiB."""


_Asked = TypeVar("_Asked", bound=Hashable)


def label_logprobs(head: Head, contexts: Sequence[Sequence[int]], labels: Sequence[int]) -> NDArray[np.float64]:
    """Log-probability of each label token as the next token of each context; shape (contexts, labels).

    Of logits in float32: one position decides a score, where a sum over many tokens evens their rounding out.
    """
    contexts, places = _distinct([tuple(context) for context in contexts])
    found = np.zeros((len(contexts), len(labels)))
    wanted = torch.tensor(list(labels), dtype=torch.long, device=head.device)

    def read(batch: list[int]) -> None:
        logits = head.last_logits([contexts[i] for i in batch], precise=True, use_cache=False).float()
        chosen = logits[:, wanted] - logits.logsumexp(-1, keepdim=True)
        found[batch] = chosen.cpu().double().numpy()

    for batch in _batches(head, [len(c) for c in contexts], [1] * len(contexts)):
        _halving(read, batch, head.device)
    return found[places]


def logprobs(
    head: Head, contexts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
) -> list[NDArray[np.float64]]:
    """Log-probability (temperature 1) of every token of each continuation after its context."""
    asked, places = _distinct([(tuple(c), tuple(t)) for c, t in zip(contexts, continuations, strict=True)])
    continuations = [tokens for _, tokens in asked]
    found: list[NDArray[np.float64]] = [np.zeros(len(c)) for c in continuations]
    pairs = [[*context, *tokens] for context, tokens in asked]
    reads = [len(c) for c in continuations]

    def read(batch: list[int]) -> None:
        rows = torch.repeat_interleave(torch.arange(len(batch)), torch.tensor([reads[i] for i in batch]))
        columns = torch.cat([torch.arange(len(pairs[i]) - reads[i], len(pairs[i])) - 1 for i in batch])
        logits = head.logits_at([pairs[i] for i in batch], rows, columns, use_cache=False)
        tokens = torch.tensor([t for i in batch for t in continuations[i]], device=head.device)
        values = _chosen(logits, tokens).cpu().double().numpy()
        for i, end in zip(batch, itertools.accumulate(reads[i] for i in batch), strict=True):
            found[i] = values[end - reads[i] : end]

    for batch in _batches(head, [len(p) for p in pairs], reads):
        _halving(read, batch, head.device)
    return [found[place] for place in places]


def _distinct(asked: Sequence[_Asked]) -> tuple[list[_Asked], list[int]]:
    """Each once, and the place of every one among them: samples of a prompt often say the very same."""
    first: dict[_Asked, int] = {}
    places = [first.setdefault(each, len(first)) for each in asked]
    return list(first), places


def _halving(read: Callable[[list[int]], None], batch: list[int], device: torch.device) -> None:
    """Read a batch; when memory runs out, its halves one after the other."""
    try:
        return read(batch)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        if len(batch) == 1:
            raise no_memory(device) from error
    free_unused(device)
    for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
        _halving(read, half, device)
    return None


def _chosen(logits: Tensor, tokens: Tensor) -> Tensor:
    logits = logits.float()
    return logits.gather(-1, tokens[:, None])[:, 0] - logits.logsumexp(-1)


def _batches(head: Head, lengths: Sequence[int], reads: Sequence[int]) -> Iterator[list[int]]:
    """Indices that go through one pass together, longest first; sequences with nothing to read are left out."""
    vocabulary = int(head.model.get_input_embeddings().weight.shape[0])
    most_tokens = _BATCH_TOKENS.get(head.device.type, 4096)
    most_reads = _BATCH_LOGITS.get(head.device.type, 2**26) // vocabulary
    batch: list[int] = []
    held = 0
    for index in sorted((i for i, n in enumerate(reads) if n), key=lambda i: -lengths[i]):
        full = lengths[batch[0]] * (len(batch) + 1) > most_tokens if batch else False
        if batch and (full or held + reads[index] > most_reads):
            yield batch
            batch, held = [], 0
        batch.append(index)
        held += reads[index]
    if batch:
        yield batch
