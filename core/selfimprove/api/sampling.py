"""How samples are drawn, from training prompts and from held-out ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from selfimprove.api.base import Model, Token

EngineName = Literal["Auto", "VLLM", "Transformers"]
Scalar = bool | int | float | str

SamplesPerPrompt = Annotated[int, Field(ge=1, le=16384)]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(gt=0, le=1)]
TopK = Annotated[int, Field(ge=-1)]
MaxTokens = Annotated[int, Field(ge=1, le=131072)]
Stop = Annotated[list[Annotated[Token, Field(min_length=1)]], Field(max_length=16)]


class EngineArgs(Model):
    """Settings of the sampling engine itself; what an engine has no use for it ignores."""

    max_model_len: Annotated[int, Field(ge=16)] | None = None
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = None
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    max_batch_tokens: Annotated[int, Field(ge=256)] | None = None
    tensor_parallel_size: Annotated[int, Field(ge=1, le=64)] | None = None


class Generation(Model):
    """Plain sampling of the training prompts (design section 2, `generate`)."""

    samples_per_prompt: SamplesPerPrompt = 8
    temperature: Temperature = 0.7
    top_p: TopP = 0.9
    top_k: TopK = -1
    max_tokens: MaxTokens = 512
    stop: Stop = []
    shards: Annotated[int, Field(ge=1, le=1000)] = 1
    engine: EngineName = "Auto"
    engine_args: EngineArgs = EngineArgs()
    chat_template_kwargs: Annotated[dict[str, Scalar], Field(max_length=32)] = {}


class Evaluation(Model):
    """Sampling of the held-out prompts; what is not set here is as in `generation`."""

    samples_per_prompt: SamplesPerPrompt = 4
    temperature: Temperature = 0.7
    greedy: bool = False
    top_p: TopP | None = None
    top_k: TopK | None = None
    max_tokens: MaxTokens | None = None
    stop: Stop | None = None
