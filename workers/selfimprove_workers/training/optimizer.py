"""AdamW, and its moments as named tensors: what a pickled `state_dict` would hold, as safetensors can store it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import AdamW

_MOMENTS = ("exp_avg", "exp_avg_sq")
_FUSED = ("cpu", "cuda")


def adamw(parameters: Mapping[str, Parameter], weight_decay: float) -> AdamW:
    """AdamW on these parameters; vectors (norms, biases) are never decayed."""
    decayed = [weight for weight in parameters.values() if weight.ndim >= 2]
    others = [weight for weight in parameters.values() if weight.ndim < 2]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    fused = all(weight.device.type in _FUSED for weight in parameters.values())
    return AdamW([group for group in groups if group["params"]], lr=0.0, fused=fused)


def set_rate(optimizer: AdamW, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def to_tensors(parameters: Mapping[str, Parameter], optimizer: AdamW) -> dict[str, Tensor]:
    """The weights and their moments by name, as they stand; no copies."""
    tensors = {f"weight/{name}": weight.detach() for name, weight in parameters.items()}
    for name, weight in parameters.items():
        tensors |= {f"{moment}/{name}": optimizer.state[weight][moment] for moment in _MOMENTS}
    return tensors


@torch.no_grad()
def from_tensors(
    parameters: Mapping[str, Parameter], optimizer: AdamW, tensors: Mapping[str, Tensor], steps: int
) -> None:
    """Put weights and moments back as they stood after `steps` steps. Raises `KeyError` for a missing tensor."""
    for name, weight in parameters.items():
        weight.copy_(tensors[f"weight/{name}"])
        state = optimizer.state[weight]
        state["step"] = torch.tensor(float(steps), device=weight.device if optimizer.defaults["fused"] else "cpu")
        for moment in _MOMENTS:
            state[moment] = tensors[f"{moment}/{name}"].to(weight.device, copy=True)
