"""A causal language model as training needs it: hidden states of packed rows, and logits only where they count.

Two things differ between architectures and are probed instead of assumed. Whether sequences in one row stay apart:
position ids that start again at 0 tell variable-length flash attention, and tell transformers' masks under sdpa and
eager attention (only without a cache and without an attention mask, hence `use_cache=False` and none given). And
whether the logits are the output head applied to the last hidden state, so that the head can run in pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.utils import is_flash_attn_2_available
from transformers.utils import logging as transformers_logging

from selfimprove.api.training import Lora
from selfimprove_workers.training import lora as adapters
from selfimprove_workers.training.precision import DTYPES
from selfimprove_workers.training.weights import Weights

_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 5e-2}


@dataclass(frozen=True)
class Net:
    """A loaded model, its adapters inside."""

    model: Any
    """The causal LM itself; what peft wraps, where there are adapters."""
    wrapper: Any
    """peft's model around it, or None."""
    weights: Weights
    device: torch.device
    dtype: torch.dtype
    """What it computes in."""
    named_dtype: torch.dtype
    """The type that `config.json` names."""
    flat: bool
    """Whether attention takes sequences of any length end to end (flash attention)."""

    @property
    def vocabulary(self) -> int:
        """The number of token ids that the model knows."""
        return int(self.model.get_input_embeddings().weight.shape[0])

    @property
    def positions(self) -> int:
        """The most tokens of a sequence that the model was made for."""
        text = self.model.config.get_text_config()
        return int(getattr(text, "max_position_embeddings", None) or 2**31)

    def recompute_activations(self) -> None:
        """Trade time for memory: gradient checkpointing."""
        self.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})

    def hidden(self, input_ids: Tensor, position_ids: Tensor) -> Tensor:
        """The last hidden states, (rows, length, width)."""
        body = self.model.base_model
        states: Tensor = body(input_ids=input_ids, position_ids=position_ids, use_cache=False).last_hidden_state
        return states

    def head(self, hidden: Tensor) -> Tensor:
        """The logits of these hidden states, (..., vocabulary)."""
        logits: Tensor = self.model.get_output_embeddings()(hidden)
        return logits

    def logits(self, input_ids: Tensor, position_ids: Tensor) -> Tensor:
        """All logits, by the model's own way, (rows, length, vocabulary)."""
        logits: Tensor = self.model(input_ids=input_ids, position_ids=position_ids, use_cache=False).logits
        return logits

    def finished(self) -> Any:
        """The plain model with what it learned, in float32, adapters merged; this net trains no more."""
        self.weights.settle()
        return adapters.merge(self.wrapper) if self.wrapper is not None else self.model


def open_net(folder: Path, device: torch.device, dtype: torch.dtype, lora: Lora | None = None, seed: int = 0) -> Net:
    """The model in a plain Hugging Face folder, ready to train on a device.

    `dtype` is what it computes in, float32 or bfloat16; what is trained is kept in float32 beside that. Raises
    `UserError` when `lora` doesn't fit the model.
    """
    flat = device.type == "cuda" and dtype != torch.float32 and is_flash_attn_2_available()
    options = {"attn_implementation": "flash_attention_2"} if flat else {}
    transformers_logging.disable_progress_bar()  # one bar a step is enough: ours
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, trust_remote_code=False, **options
    )
    wrapper = adapters.attach(model, lora, seed) if lora is not None else None
    model.to(device).train()
    return Net(model, wrapper, Weights(model, dtype), device, dtype, named_dtype(model.config, folder), flat)


def named_dtype(config: Any, folder: Path) -> torch.dtype:
    """The type that a folder's `config.json` names; float32 when it names none."""
    stated, _ = type(config).get_config_dict(folder)
    name = stated.get("dtype") or stated.get("torch_dtype") or "float32"
    return DTYPES.get(str(name).removeprefix("torch."), torch.float32)


@torch.no_grad()
def keeps_apart(net: Net) -> bool:
    """Whether a sequence that shares a row is seen as if it were alone: the ones before it change nothing."""
    first, second = _tokens(net, 5, 1), _tokens(net, 7, 2)
    net.model.eval()
    try:
        beside = _second(net, first, second)
        beside_other = _second(net, (first + 3) % net.vocabulary, second)
        alone = net.hidden(second, _positions(7, net))
    finally:
        net.model.train()
    leak, shift = _distance(beside, beside_other), _distance(beside, alone)
    return leak < 1e-5 and shift < _TOLERANCE[net.dtype]


@torch.no_grad()
def splits_head(net: Net) -> bool:
    """Whether the output head applied to the last hidden state gives the model's own logits (no cap, no scale)."""
    tokens, positions = _tokens(net, 6, 1), _positions(6, net)
    if net.model.get_output_embeddings() is None:
        return False
    net.model.eval()
    try:
        return _distance(net.head(net.hidden(tokens, positions)), net.logits(tokens, positions)) < 1e-5
    finally:
        net.model.train()


def _second(net: Net, first: Tensor, second: Tensor) -> Tensor:
    positions = torch.cat([_positions(first.shape[1], net), _positions(second.shape[1], net)], 1)
    return net.hidden(torch.cat([first, second], 1), positions)[:, first.shape[1] :]


def _tokens(net: Net, count: int, step: int) -> Tensor:
    return (torch.arange(1, count + 1, device=net.device) * step * 11 % net.vocabulary)[None]


def _positions(count: int, net: Net) -> Tensor:
    return torch.arange(count, device=net.device)[None]


def _distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max().clamp(min=1e-12))
