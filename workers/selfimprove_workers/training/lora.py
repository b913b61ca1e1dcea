"""Low-rank adapters (arXiv 2106.09685): attached before training, folded into the weights before anything is stored."""

from __future__ import annotations

from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from selfimprove.api.training import Lora
from selfimprove.errors import UserError
from selfimprove.seeds import derive_seed

ALL_LINEAR = "all-linear"
"""peft's word for every linear layer but the output head."""


def attach(model: Any, lora: Lora, seed: int) -> Any:
    """The model as peft wraps it, adapters alone trainable, the same on every rank.

    `alpha` defaults to twice the rank. Raises `UserError` when `targetModules` names no layer of the model.
    """
    settings = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha or 2 * lora.rank,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules) or ALL_LINEAR,
        bias="none",
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(derive_seed(seed, "train", 0, "distill", "lora"))
    try:
        return get_peft_model(model, settings)
    except ValueError as error:
        names = ", ".join(lora.target_modules)
        raise UserError(
            f"distillation.lora.targetModules: {names} fits no layer of the model ({str(error).splitlines()[0]}); "
            "name its linear layers, or leave it out for all of them"
        ) from error


def merge(adapted: Any) -> Any:
    """The plain model with the adapters added to its weights, which are float32: no product may be rounded away."""
    return adapted.merge_and_unload()
