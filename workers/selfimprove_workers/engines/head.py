"""A causal model that gives logits only where they are wanted.

Logits are the largest tensors of a small model (49,152 numbers a token), and most of them are never read. A hook in
front of the output layer gathers the wanted positions, so that whatever the model does after it (soft caps, scales)
still happens, on those positions alone. Another one behind it has them in float32 where that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from selfimprove_workers.engines.precise import float32_product


class Head:
    """A model and the hooks around its output layer."""

    def __init__(self, model: Any):
        self.model = model
        self.device: torch.device = model.device
        self.slots = False
        """The model attends through `slots.slot_attention`, which needs no padding mask."""
        self._wanted: tuple[Tensor, Tensor] | None = None
        self._precise = False
        layer = model.get_output_embeddings()
        self._hooks = (layer.register_forward_pre_hook(self._gather), layer.register_forward_hook(self._refine))

    def _gather(self, layer: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if self._wanted is None:
            return None
        rows, columns = self._wanted
        return (args[0][rows, columns][None], *args[1:])

    def _refine(self, layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        return float32_product(layer, args[0]) if self._precise else None

    def last_logits(self, contexts: Sequence[Sequence[int]], **settings: Any) -> Tensor:
        """Next-token logits (contexts, vocabulary) after each context."""
        rows = torch.arange(len(contexts))
        return self.logits_at(contexts, rows, torch.tensor([len(c) - 1 for c in contexts]), **settings)

    @torch.inference_mode()
    def logits_at(
        self,
        contexts: Sequence[Sequence[int]],
        rows: Tensor,
        columns: Tensor,
        *,
        precise: bool = False,
        **settings: Any,
    ) -> Tensor:
        """Logits (positions, vocabulary) after token `columns[i]` of context `rows[i]`; contexts padded on the right.

        Padding on the right is never seen by a causal model, so plain causal attention needs no mask. `precise`: the
        output layer in float32, whatever the model is in; for a few positions, since it is slow.
        """
        width = max(len(c) for c in contexts)
        ids = torch.tensor([[*c, *[0] * (width - len(c))] for c in contexts])
        if not self.slots:
            settings["attention_mask"] = _mask(contexts, width).to(self.device)
        positions = torch.arange(width, device=self.device).expand(len(contexts), -1)
        self._wanted, self._precise = (rows.to(self.device), columns.to(self.device)), precise
        try:
            out = self.model(input_ids=ids.to(self.device), position_ids=positions, **settings)
        finally:
            self._wanted, self._precise = None, False
        logits: Tensor = out.logits[0]
        return logits


def _mask(contexts: Sequence[Sequence[int]], width: int) -> Tensor:
    lengths = torch.tensor([len(c) for c in contexts])
    return (torch.arange(width) < lengths[:, None]).long()
