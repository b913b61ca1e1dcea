"""Which numbers to compute in, and which to store; what is added up is always float32 (see `weights`)."""

from __future__ import annotations

from typing import Literal

import torch

from selfimprove_workers.engines.device import choose_dtype

Precision = Literal["auto", "bfloat16", "float32"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def compute_dtype(wanted: Precision, device: torch.device) -> torch.dtype:
    """The type that the model computes in: what is wanted, else bfloat16 where the hardware multiplies it faster.

    On 2 cores with AMX a token of a 135M model took 2.6 ms in bfloat16 and 6.3 in float32. float16 never: its range
    would ask for loss scaling.
    """
    if wanted != "auto":
        return DTYPES[wanted]
    fast = choose_dtype("auto", device, torch.float32) == torch.bfloat16
    return torch.bfloat16 if fast else torch.float32


def stored_dtype(named: torch.dtype, sampled: torch.dtype) -> torch.dtype:
    """The type of a checkpoint's tensors: `named` by `config.json`, or float32 where the samplers compute in it."""
    return torch.float32 if sampled == torch.float32 else named
