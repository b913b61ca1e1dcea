"""How the next checkpoint is made, and when the loop stops."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from selfimprove.api.base import Line, Model

SHOWN_ITERATIONS = 8
"""Iterations that a status holds, the last ones: all that a stop rule in a cluster can look back on."""


class Lora(Model):
    """Low-rank adapters, merged into the weights before the checkpoint is committed."""

    rank: Annotated[int, Field(ge=1, le=1024)] = 16
    alpha: Annotated[float, Field(gt=0)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target_modules: Annotated[list[Line], Field(max_length=64)] = []


class Distillation(Model):
    """Weighted SFT on samples, or DPO on pairs (design section 2, `distill`)."""

    method: Literal["SFT", "DPO"] = "SFT"
    start_from: Literal["Base", "Previous"] = "Base"
    epochs: Annotated[int, Field(ge=1, le=100)] = 1
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1.0e-5
    warmup_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    batch_size: Annotated[int, Field(ge=1)] = 64
    max_length: Annotated[int, Field(ge=16)] = 1024
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    lora: Lora | None = None
    beta: Annotated[float, Field(gt=0)] = 0.1
    nll_weight: Annotated[float, Field(ge=0)] = 0.0
    num_nodes: Annotated[int, Field(ge=1)] = 1


class Budget(Model):
    """What the run may spend, all attempts together."""

    gpu_seconds: Annotated[int, Field(ge=1)] | None = None
    tokens: Annotated[int, Field(ge=1)] | None = None
    wall_seconds: Annotated[int, Field(ge=1)] | None = None
    """Time in which its steps ran: what it is held, failed or waits for a place to run does not count."""


class Stopping(Model):
    """When to stop paying (design section 2, Stops)."""

    min_gap: Annotated[float, Field(ge=0, le=1)] = 0.01
    patience: Annotated[int, Field(ge=1, le=SHOWN_ITERATIONS)] = 2
    max_regression: Annotated[float, Field(ge=0, le=1)] = 0.02
    on_tail_narrowing: Literal["Continue", "Stop"] = "Continue"
    max_verifier_drop: Annotated[float, Field(ge=0, le=1)] = 0.05
    budget: Budget = Budget()
