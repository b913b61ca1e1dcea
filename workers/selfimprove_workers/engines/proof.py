"""Whether a model may be decoded through slots: what its configuration says, and a proof by numbers at load.

A wrong guess here would not crash, it would sample from a different model. So before the first sample the slots' logits
of a few short sequences are compared with those of the model's own forward pass.
"""

from __future__ import annotations

import logging

from torch import Tensor
from transformers.cache_utils import get_layer_types_and_kwargs

from selfimprove_workers.engines.head import Head
from selfimprove_workers.engines.slots import ATTENTION, SlotMemory

log = logging.getLogger(__name__)

_TOLERANCE = 0.1
"""Largest mean difference, in standard deviations of the logits. bfloat16 gives 0.02, a wrong mask or position 0.5."""


def use_slots(head: Head) -> bool:
    """Switch a model to slots if it can be; its own attention is left in place when not."""
    config = head.model.config
    own = config._attn_implementation
    if set(get_layer_types_and_kwargs(config.get_text_config(decoder=True))[0]) != {"full_attention"}:
        return False
    expected = _own_logits(head)
    try:
        head.model.set_attn_implementation(ATTENTION)
        head.slots = True
        if _agree(expected, _slot_logits(head)):
            return True
        log.info("slots disagree with the model's own attention; it is decoded the general way")
    except Exception as error:
        log.info("slots don't serve this model (%s); it is decoded the general way", error)
    head.slots = False
    head.model.set_attn_implementation(own)
    return False


def bytes_per_token(head: Head) -> int:
    """Bytes that a token in flight takes: its keys and values, measured where slots hold them, else estimated."""
    if head.slots:
        memory = SlotMemory(head, 1, 2)
        memory.admit([[0]], [1])
        return memory.bytes_per_token
    config = head.model.config.get_text_config(decoder=True)
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    # transformers' cache grows by copying: the old and the new one are held for a moment.
    return int(2 * 2 * config.num_hidden_layers * heads * size * head.model.dtype.itemsize)


def _sequences(head: Head) -> list[list[int]]:
    vocabulary = head.model.get_input_embeddings().weight.shape[0]
    return [
        [(7 * start + 13 * i + 1) % vocabulary for i in range(length)] for start, length in ((1, 11), (5, 6), (9, 3))
    ]


def _own_logits(head: Head) -> list[Tensor]:
    """Logits after each sequence, and after the same with two tokens less and one less."""
    sequences = _sequences(head)
    return [head.last_logits([s[: len(s) - cut] for s in sequences]).float() for cut in (2, 1, 0)]


def _slot_logits(head: Head) -> list[Tensor]:
    sequences = _sequences(head)
    memory = SlotMemory(head, len(sequences) + 1, 16)
    # A row more than needed, that leaves from the middle: rows that move are part of the proof.
    logits = [memory.admit([s[:-2] for s in sequences], [2, 1, 1])[[0, 3, 2]]]
    order = [0, 3, 2]
    memory.keep(order)
    sequences = [sequences[0], sequences[2], sequences[1]]
    logits += [memory.step([s[-cut] for s in sequences]) for cut in (2, 1)]
    return [step[[0, 2, 1]].float() for step in logits]


def _agree(expected: list[Tensor], found: list[Tensor]) -> bool:
    return all(bool((a - b).abs().mean() <= _TOLERANCE * a.std()) for a, b in zip(expected, found, strict=True))
