"""What this machine computes with: its device, its fast number format, its memory, and linear layers laid out for it.

On a CPU with AMX or AVX512-BF16 a bfloat16 matrix product is several times as fast as a float32 one, and another two
to four times when the weights are kept in the blocked layout that the kernels want, instead of being reordered at
every call: PyTorch does that for compiled graphs only, so it is done here by hand.
"""

from __future__ import annotations

import gc
from typing import Any

import psutil
import torch
from torch import Tensor, nn

from selfimprove.errors import SurroundingsError
from selfimprove_workers.cgroups import memory_left

_DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
_PACK_ROWS = 64
"""The batch that the blocked layout is chosen for: about what a full decoding batch has."""


def best_device() -> torch.device:
    """CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def choose_dtype(name: str, device: torch.device, stored: torch.dtype | None = None) -> torch.dtype:
    """The number format for `engineArgs.dtype`; "auto" is bfloat16 where it is fast, else what the weights are in.

    `stored` is the format of the weights; only an accelerator without bfloat16 follows it (float16 stays float16).
    """
    if name != "auto":
        return _DTYPES[name]
    if device.type == "cpu":
        return torch.bfloat16 if fast_bfloat16() else torch.float32
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    return stored if stored in (torch.float16, torch.float32) else torch.float16


def fast_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware."""
    cpu: Any = torch.cpu
    return bool(cpu._is_amx_tile_supported() or cpu._is_avx512_bf16_supported())


def free_memory(device: torch.device) -> int:
    """Bytes that may still be taken on this device, a container's limit respected."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free, allowed = int(psutil.virtual_memory().available), memory_left()
    return free if allowed is None else min(free, allowed)


def pack_linears(model: nn.Module) -> int:
    """Replace the linear layers of a model on the CPU by packed ones; returns how many. For inference only.

    Those stay as they are whose number format this CPU has no kernels for: bfloat16 without AVX512, say.
    """
    if not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return 0
    plain = [
        (name, layer)
        for name, layer in model.named_modules()
        if type(layer) is nn.Linear and _has_kernels(layer.weight.dtype)
    ]
    for name, layer in plain:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, PackedLinear(layer))
    return len(plain)


def _has_kernels(dtype: torch.dtype) -> bool:
    mkldnn: Any = torch.ops.mkldnn
    if dtype is torch.bfloat16:
        return bool(mkldnn._is_mkldnn_bf16_supported())
    if dtype is torch.float16:
        return bool(mkldnn._is_mkldnn_fp16_supported())
    return dtype is torch.float32


class PackedLinear(nn.Module):
    """A linear layer whose weight lies in oneDNN's blocked layout."""

    packed: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear):
        super().__init__()
        weight = layer.weight.detach().contiguous()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, _PACK_ROWS)
        self.bias = None if layer.bias is None else layer.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """The product with the packed weight, plus the bias."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")
        return out

    def dense(self) -> Tensor:
        """(out_features, in_features) The weight as it was before it was packed: a copy."""
        weight: Tensor = self.packed.to_dense()
        return weight


def free_unused(device: torch.device) -> None:
    """Give memory that nothing refers to back to the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device ran out of memory."""
    return isinstance(error, torch.cuda.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
    )


def no_memory(device: torch.device) -> SurroundingsError:
    """The error for a model that leaves no room for even one sequence."""
    return SurroundingsError(
        f"engineArgs.maxBatchTokens: not even one sequence fits into the memory of {device.type}; "
        "free memory, shorten maxTokens, or take a smaller model"
    )
