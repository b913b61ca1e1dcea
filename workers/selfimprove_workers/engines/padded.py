"""The keys, values and states of a batch of any model, in transformers' own cache: the general, slower way.

For models that a slot of plain keys and values can't serve: sliding windows, linear attention, soft caps, sinks. Rows
are padded on the left, so all rows end at the same column; finished rows leave, new ones enter when all have left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from selfimprove_workers.engines.head import Head


class PaddedMemory:
    """One batch at a time, of at most `slots` rows."""

    def __init__(self, head: Head, slots: int):
        self.head, self.slots, self.rows = head, slots, 0
        self._cache: Any = None
        self._mask = torch.zeros(0, 0, dtype=torch.long)

    def room(self) -> int:
        """Rows that may enter now: all or none."""
        return 0 if self.rows else self.slots

    @torch.inference_mode()
    def admit(self, contexts: Sequence[Sequence[int]], copies: Sequence[int]) -> Tensor:
        """Prefill each context once for `copies` new rows; returns the rows' next-token logits, in order."""
        device, width = self.head.device, max(len(c) for c in contexts)
        ids = torch.tensor([[*[0] * (width - len(c)), *c] for c in contexts], device=device)
        lengths = torch.tensor([len(c) for c in contexts], device=device)
        mask = (torch.arange(width, device=device) >= width - lengths[:, None]).long()
        self._cache = DynamicCache(config=self.head.model.config)
        logits = self._forward(ids, mask)
        rows = torch.repeat_interleave(torch.arange(len(contexts)), torch.tensor(list(copies))).to(device)
        self._cache.reorder_cache(rows)
        self._mask, self.rows = mask[rows], len(rows)
        return logits[rows]

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> Tensor:
        """Append one token to every row; returns the next-token logits (rows, vocabulary)."""
        self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        return self._forward(torch.tensor(tokens, device=self.head.device)[:, None], self._mask)

    def _forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        positions = (mask.cumsum(-1) - 1).clamp_min(0)[:, -ids.shape[1] :]
        out = self.head.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = out.logits[:, -1]
        return logits

    @torch.inference_mode()
    def keep(self, order: Sequence[int]) -> None:
        """Row i becomes what row `order[i]` was; the others leave."""
        if list(order) != list(range(self.rows)):
            index = torch.tensor(list(order), dtype=torch.long, device=self.head.device)
            if len(index):
                self._cache.reorder_cache(index)
            self._mask = self._mask[index]
        self.rows = len(order)
