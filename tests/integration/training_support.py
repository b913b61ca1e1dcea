"""A Llama small enough to train in a test, and examples for it: what the tests of training share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from selfimprove.records import EXAMPLE, PAIR
from selfimprove_workers.training.batches import Shape, micro_batches
from selfimprove_workers.training.examples import PAIRS, SINGLES, Examples, collect
from selfimprove_workers.training.loss import Loss
from selfimprove_workers.training.net import Net, open_net, splits_head
from selfimprove_workers.training.trainer import Objective

VOCABULARY = 97
CPU = torch.device("cpu")


def save_llama(folder: Path, *, tied: bool = True, dtype: torch.dtype = torch.float32, seed: int = 0) -> Path:
    """A plain Hugging Face folder of a random two-layer Llama."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=tied,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.2,  # far from uniform, so that a leak between sequences would show
    )
    LlamaForCausalLM(config).to(dtype).save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 256}')
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    return folder


def example_rows(count: int, *, seed: int = 0, weights: list[float] | None = None) -> list[dict[str, object]]:
    """EXAMPLE rows with random tokens, prompts of 2 to 9 and completions of 1 to 14 tokens."""
    random = np.random.default_rng(seed)
    return [
        {
            "prompt": f"p{index}",
            "sample": 0,
            "iteration": 1,
            "strategy": "",
            "level": None,
            "prompt_tokens": random.integers(3, VOCABULARY, random.integers(2, 10)).tolist(),
            "tokens": random.integers(3, VOCABULARY, random.integers(1, 15)).tolist(),
            "weight": weights[index] if weights else 1.0,
        }
        for index in range(count)
    ]


def pair_rows(count: int, *, seed: int = 0, weights: list[float] | None = None) -> list[dict[str, object]]:
    """PAIR rows with random tokens, prompts of 2 to 9 and completions of 1 to 14 tokens."""
    columns = ("prompt", "iteration", "strategy", "level", "prompt_tokens", "weight")
    chosen, rejected = (example_rows(count, seed=seed + which, weights=weights) for which in (0, 1000))
    return [
        {
            **{name: one[name] for name in columns},
            "chosen_sample": 0,
            "rejected_sample": 1,
            "chosen_tokens": one["tokens"],
            "rejected_tokens": other["tokens"],
        }
        for one, other in zip(chosen, rejected, strict=True)
    ]


def pairs_of(rows: list[dict[str, object]], max_length: int = 64) -> Examples:
    """The pairs as training reads them."""
    table = pa.Table.from_pylist(rows, PAIR).select(PAIRS.columns)
    return collect(table.to_batches(3), max_length, VOCABULARY, "i001-select", PAIRS)


def examples_of(rows: list[dict[str, object]], max_length: int = 64, batch_rows: int = 3) -> Examples:
    """The rows as training reads them, in several batches."""
    table = pa.Table.from_pylist(rows, EXAMPLE).select(SINGLES.columns)
    return collect(table.to_batches(batch_rows), max_length, VOCABULARY, "i001-select")


def loss_of(net: Net, **settings: int) -> Loss:
    """The loss as `distill` sets it up."""
    return Loss(net, splits_head(net), **settings)


def loss_and_gradient(loss: Objective, examples: Examples, shape: Shape) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss over all examples as one optimizer batch, and its gradient by parameter."""
    for weight in loss.net.weights.trainable.values():
        weight.grad = None
    everyone = np.arange(len(examples))
    denominator = loss.denominator(examples, everyone)
    value = sum(loss.backward(batch, denominator)[0] for batch in micro_batches(examples, everyone, shape))
    return value, {n: p.grad.clone() for n, p in loss.net.weights.trainable.items() if p.grad is not None}


def float32_net(folder: Path) -> Net:
    """The model in a folder, in float32 on the CPU."""
    return open_net(folder, CPU, torch.float32)


def assert_close(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], atol: float = 1e-6) -> None:
    """Two gradients, or two sets of weights, that agree to float32's accuracy.

    Weights need more room: Adam makes a whole step of a gradient that is all rounding error.
    """
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-4, atol=atol, msg=lambda m, n=name: f"{n}: {m}")


def run_team(script: str, *arguments: str | Path, world: int = 2) -> list[str]:
    """Run a script in `world` processes that find one another as torchrun's do; what each wrote on standard output."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    common = {**os.environ, **address, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    common |= {"WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world)}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**common, "RANK": rank, "LOCAL_RANK": rank})
        for rank in map(str, range(world))
    ]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * world
    return outputs
