"""The keys and values of a batch whose rows come and go: each row has a slot and a length of its own.

transformers' own cache grows by concatenation (every step copies all of it), pads every row to the longest, repeats the
heads of grouped-query attention in memory, and knows no row that leaves. Here a step writes one column a row in place,
a finished row's slot is filled by the last row, a new prompt enters while the others go on, the samples of one prompt
copy one prefill, and grouped heads are folded into the query instead of being repeated.

For models whose layers all attend to everything before them. The engine proves at load that the results agree with
the model's own (`agrees`), and takes `padded.PaddedMemory` for all other models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.cache_utils import Cache
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from selfimprove_workers.engines.head import Head

ATTENTION = "selfimprove_slots"
PREFILL_TOKENS = 4096
"""Tokens of one prefill: enough to fill the matrix units, few enough to keep activations small."""


def slot_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **settings: Any
) -> tuple[Tensor, None]:
    """Attention of one new token a row over its slot; anything else is plain causal attention.

    query (rows, heads, 1, size), key and value (rows, groups, length, size), mask (rows, 1, 1, length) of booleans.
    """
    if settings.get("softcap") is not None or settings.get("s_aux") is not None:
        raise NotImplementedError("attention with soft caps or sinks")
    if attention_mask is None or query.shape[2] != 1:
        plain: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **settings)
        return plain
    rows, heads, _, size = query.shape
    folded = query.view(rows, key.shape[1], heads // key.shape[1], size)
    out = scaled_dot_product_attention(folded, key, value, attn_mask=attention_mask, scale=settings.get("scaling"))
    return out.reshape(rows, 1, heads, value.shape[-1]), None


AttentionInterface.register(ATTENTION, slot_attention)


class SlotMemory(Cache):  # type: ignore[misc]
    """Keys and values of up to `slots` rows of up to `width` tokens; the rows in use are always the first ones."""

    def __init__(self, head: Head, slots: int, width: int):
        super().__init__(layers=[])
        self.head, self.slots, self.width = head, slots, width
        self.lengths: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._keys: dict[int, Tensor] = {}
        self._values: dict[int, Tensor] = {}
        self._columns: Tensor | None = None
        self._targets = torch.zeros(0, dtype=torch.long)
        self._sources = torch.zeros(0, dtype=torch.long)

    def room(self) -> int:
        """Rows that may enter now."""
        return self.slots - len(self.lengths)

    @torch.inference_mode()
    def admit(self, contexts: Sequence[Sequence[int]], copies: Sequence[int]) -> Tensor:
        """Prefill each context once for `copies` new rows; returns the rows' next-token logits, in order."""
        logits, start = [], 0
        while start < len(contexts):
            stop = _prefill_end(contexts, start)
            logits.append(self._prefill(contexts[start:stop], copies[start:stop]))
            start = stop
        return torch.cat(logits)

    def _prefill(self, contexts: Sequence[Sequence[int]], copies: Sequence[int]) -> Tensor:
        device, lengths = self.head.device, np.array([len(c) for c in contexts])
        sources = np.repeat(np.arange(len(contexts)), copies)
        first = len(self.lengths)
        self._columns = None
        self._sources = torch.as_tensor(sources, device=device)
        self._targets = torch.arange(first, first + len(sources), device=device)
        logits = self.head.last_logits(contexts, past_key_values=self, use_cache=True)
        self.lengths = np.concatenate([self.lengths, lengths[sources]])
        return logits[self._sources]

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> Tensor:
        """Append one token to every row; returns the next-token logits (rows, vocabulary)."""
        device, reach = self.head.device, int(self.lengths.max()) + 1
        lengths = torch.as_tensor(self.lengths, device=device)
        self._columns = lengths
        self._targets = torch.arange(len(tokens), device=device)
        mask = torch.arange(reach, device=device) <= lengths[:, None]
        out = self.head.model(
            input_ids=torch.tensor(tokens, device=device)[:, None],
            position_ids=lengths[:, None],
            attention_mask=mask[:, None, None, :],
            past_key_values=self,
            use_cache=True,
        )
        self.lengths = self.lengths + 1
        logits: Tensor = out.logits[:, -1]
        return logits

    @torch.inference_mode()
    def keep(self, order: Sequence[int]) -> None:
        """Row i becomes what row `order[i]` was; the others leave. Only rows that move are copied."""
        moved = [(i, row) for i, row in enumerate(order) if i != row]
        if moved:
            reach = int(self.lengths.max())
            to, source = (torch.tensor(column, device=self.head.device) for column in zip(*moved, strict=True))
            for store in (*self._keys.values(), *self._values.values()):
                store[to, :, :reach] = store[source, :, :reach]
        self.lengths = self.lengths[list(order)]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Called by each attention layer: store the new columns, answer what the new tokens attend to."""
        if layer_idx not in self._keys:
            self._keys[layer_idx] = self._store(key_states)
            self._values[layer_idx] = self._store(value_states)
        keys, values = self._keys[layer_idx], self._values[layer_idx]
        if self._columns is None:
            length = key_states.shape[2]
            keys[self._targets, :, :length] = key_states[self._sources]
            values[self._targets, :, :length] = value_states[self._sources]
            return key_states, value_states
        keys[self._targets, :, self._columns] = key_states[:, :, 0]
        values[self._targets, :, self._columns] = value_states[:, :, 0]
        rows, reach = len(self.lengths), int(self.lengths.max()) + 1
        return keys[:rows, :, :reach], values[:rows, :, :reach]

    def _store(self, like: Tensor) -> Tensor:
        # Zeros, not garbage: a masked column weighs nothing, but nothing times NaN is NaN.
        return like.new_zeros((self.slots, like.shape[1], self.width, like.shape[3]))

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Length of the longest row; positions are always given, so no layer reads it."""
        return int(self.lengths.max(initial=0))

    @property
    def bytes_per_token(self) -> int:
        """Bytes that one token of one row takes, over all layers."""
        stores = (*self._keys.values(), *self._values.values())
        return sum(store.shape[1] * store.shape[3] * store.element_size() for store in stores)


def _prefill_end(contexts: Sequence[Sequence[int]], start: int) -> int:
    """How far one prefill reaches, padding counted; at least one context."""
    widest = 0
    for stop in range(start, len(contexts)):
        widest = max(widest, len(contexts[stop]))
        if stop > start and widest * (stop - start + 1) > PREFILL_TOKENS:
            return stop
    return len(contexts)
