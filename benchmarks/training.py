"""Packed training against padding to the longest, on the demo's length mix, in one run.

    python benchmarks/training.py [--prompts 96] [--rounds 3] [--dtype auto]

The examples are the demo's prompts with completions that its own model draws on the spot. The alternative is the same
training step on batches in their shuffled order, each forward pass padded to its longest sequence; the two take turns,
and the fastest of the rounds counts, since the machine may be shared. Padding's share caps what packing can win: the
slots of the padded passes over real tokens. Exit 1 when packing reaches less than 0.9 of that.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from selfimprove.api.manifest import load_run
from selfimprove.api.spec import Spec
from selfimprove.records import EXAMPLE
from selfimprove_workers.chat import render
from selfimprove_workers.datasets import load_sets
from selfimprove_workers.engines.base import SampleRequest
from selfimprove_workers.models import model_folder, open_engine
from selfimprove_workers.training.batches import MicroBatch, Shape, micro_batches, steps_of_epoch
from selfimprove_workers.training.examples import SINGLES, Examples, Indices, collect
from selfimprove_workers.training.loss import Loss
from selfimprove_workers.training.memory import OTHER_PASS, PASS, fit
from selfimprove_workers.training.net import Net, open_net, splits_head
from selfimprove_workers.training.optimizer import adamw, set_rate
from selfimprove_workers.training.precision import compute_dtype
from selfimprove_workers.training.team import Team

DEMO = Path(__file__).parents[1] / "examples" / "arithmetic" / "run.yaml"
WANTED = 0.9

Passes = Callable[[Indices], list[MicroBatch]]


def main() -> None:
    arguments = parsed()
    spec = load_run(DEMO).spec
    folder = model_folder(spec.model, spec.storage)
    examples = sampled(spec, folder, arguments.prompts)
    device = Team.assemble().device
    net = open_net(folder, device, compute_dtype(arguments.dtype, device))
    packed, padded = both_ways(net, examples, spec.distillation.max_length)
    steps = steps_of_epoch(len(examples), spec.distillation.batch_size, seed=0, epoch=0)
    train = stepper(net, examples)
    train(steps[:1], packed)  # the first step allocates
    seconds = {"packed": [], "padded": []}  # type: dict[str, list[float]]
    for _ in range(arguments.rounds):
        seconds["packed"].append(train(steps, packed))
        seconds["padded"].append(train(steps, padded))
    report(examples, steps, packed, padded, {name: min(each) for name, each in seconds.items()})


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=96, help="how many examples to train on")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured")
    parser.add_argument("--dtype", choices=["auto", "bfloat16", "float32"], default="auto")
    return parser.parse_args()


def sampled(spec: Spec, folder: Path, count: int) -> Examples:
    """The demo's prompts with one completion each, drawn as its `generate` step draws them."""
    engine = open_engine(folder, spec.generation, spec.model.chat_template)
    prompts = [draft.row for draft in load_sets(spec).drafts["train"][:count]]
    contexts = [render(engine.tokenizer, prompt.messages, {}) for prompt in prompts]
    generation = spec.generation
    requests = [
        SampleRequest(tokens, seed, generation.max_tokens, generation.temperature, generation.top_p, generation.top_k)
        for seed, tokens in enumerate(contexts)
    ]
    rows = [
        {"prompt": prompts[i].id, "sample": 0, "iteration": 1, "strategy": "", "weight": 1.0}
        | {"prompt_tokens": contexts[i], "tokens": completion.tokens}
        for i, completion in engine.sample(requests)
    ]
    vocabulary = len(engine.tokenizer)
    engine.close()
    batches = pa.Table.from_pylist(rows, EXAMPLE).select(SINGLES.columns).to_batches()
    return collect(batches, spec.distillation.max_length, vocabulary, "benchmark")


def both_ways(net: Net, examples: Examples, max_length: int) -> tuple[Passes, Passes]:
    """An optimizer step's forward passes, packed as `distill` does it, and padded to the longest."""
    longest = int(examples.lengths.max())
    shape = fit(net, examples.lengths, max_length, packs=True)
    side_by_side = max(1, PASS.get(net.device.type, OTHER_PASS) // longest)

    def padded(step: Indices) -> list[MicroBatch]:
        pieces = [step[at : at + side_by_side] for at in range(0, len(step), side_by_side)]
        return [micro_batches(examples, piece, Shape(longest, len(piece), packs=False))[0] for piece in pieces]

    return lambda step: micro_batches(examples, step, shape), padded


def stepper(net: Net, examples: Examples) -> Callable[[list[Indices], Passes], float]:
    """A function that takes optimizer steps and says how many seconds they took."""
    loss, optimizer = Loss(net, splits_head(net)), adamw(net.weights.trainable, 0.0)
    set_rate(optimizer, 1e-6)

    def train(steps: list[Indices], passes: Passes) -> float:
        began = time.perf_counter()
        for step in steps:
            denominator = loss.denominator(examples, step)
            for batch in passes(step):
                loss.backward(batch.to(net.device), denominator)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if net.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    return train


def report(examples: Examples, steps: list[Indices], packed: Passes, padded: Passes, seconds: dict[str, float]) -> None:
    """Print what was measured; exit 1 when it is not enough."""
    tokens = int(examples.lengths.sum())
    slots = {name: sum(sizes(steps, passes)) for name, passes in (("packed", packed), ("padded", padded))}
    low, middle, high = np.percentile(examples.lengths, [5, 50, 95])
    print(f"{len(examples)} examples, {tokens} tokens; lengths 5%: {low:.0f}, 50%: {middle:.0f}, 95%: {high:.0f}")
    for name in seconds:
        print(f"{name}: {tokens / seconds[name]:.0f} real tokens/s, {tokens / slots[name]:.3f} of its slots are real")
    allowed, won = slots["padded"] / tokens, seconds["padded"] / seconds["packed"]
    print(f"padding allows {allowed:.3f} x, packing wins {won:.3f} x: {won / allowed:.3f} of it (wanted: {WANTED})")
    if won < WANTED * allowed:
        raise SystemExit(1)


def sizes(steps: list[Indices], passes: Passes) -> Iterator[int]:
    return (batch.input_ids.numel() for step in steps for batch in passes(step))


if __name__ == "__main__":
    main()
