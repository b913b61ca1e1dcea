"""The transformers engine against transformers itself: the same numbers, and nothing that depends on the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma2ForCausalLM, MistralConfig, MistralForCausalLM

from selfimprove.api.sampling import EngineArgs
from selfimprove.errors import FailedError, SurroundingsError
from selfimprove_workers.engines.base import Completion, SampleRequest
from selfimprove_workers.engines.device import pack_linears
from selfimprove_workers.engines.head import Head
from selfimprove_workers.engines.slots import SlotMemory
from selfimprove_workers.engines.transformers import TransformersEngine
from selfimprove_workers.models import open_tokenizer
from tests.fixtures.models import TINY_VOCABULARY, make_tiny_model, make_tiny_tokenizer

FLOAT32 = EngineArgs(dtype="float32")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """A tiny model gains nothing from threads, and loses much where other tests run beside it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[TransformersEngine]:
    engine = TransformersEngine(tiny_model, FLOAT32, open_tokenizer(tiny_model))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def reference(tiny_model: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()


def contexts(count: int, longest: int = 30) -> list[list[int]]:
    draw = np.random.default_rng(7)
    return [draw.integers(3, TINY_VOCABULARY, size=int(draw.integers(1, longest))).tolist() for _ in range(count)]


def draw(engine: Any, requests: list[SampleRequest]) -> list[Completion]:
    done = dict(engine.sample(requests))
    assert sorted(done) == list(range(len(requests)))
    return [done[index] for index in range(len(requests))]


def forced(reference: Any, context: list[int], tokens: list[int]) -> np.ndarray:
    """Log-probabilities by one plain forward pass."""
    with torch.no_grad():
        logits = reference(torch.tensor([[*context, *tokens]])).logits[0].double().log_softmax(-1)
    return np.array([logits[len(context) + i - 1, token] for i, token in enumerate(tokens)])


def test_a_plain_llama_is_decoded_through_slots(engine: TransformersEngine) -> None:
    assert engine.head.slots


def test_greedy_samples_are_those_of_generate(engine: TransformersEngine, reference: Any) -> None:
    asked = contexts(12)
    found = draw(engine, [SampleRequest(c, seed=1, max_tokens=20, temperature=0.0) for c in asked])
    for context, completion in zip(asked, found, strict=True):
        out = reference.generate(
            torch.tensor([context]), max_new_tokens=20, do_sample=False, eos_token_id=sorted(engine.eos_token_ids)
        )
        assert completion.tokens == out[0, len(context) :].tolist()


def test_logprob_sum_is_of_the_untruncated_model_at_temperature_one(engine: TransformersEngine, reference: Any) -> None:
    asked = [SampleRequest(c, i, 24, temperature=0.6, top_p=0.8, top_k=40) for i, c in enumerate(contexts(12))]
    for request, completion in zip(asked, draw(engine, asked), strict=True):
        expected = forced(reference, list(request.tokens), completion.tokens).sum()
        assert completion.logprob_sum == pytest.approx(expected, abs=1e-3)


def test_a_sample_depends_on_its_seed_alone_and_not_on_its_batch(engine: TransformersEngine) -> None:
    asked = [SampleRequest(c, seed=100 + i, max_tokens=16) for i, c in enumerate(contexts(40))]
    together = draw(engine, asked)
    backwards = draw(engine, asked[::-1])[::-1]
    alone = [draw(engine, [request])[0] for request in asked[:5]]
    assert [c.tokens for c in together] == [c.tokens for c in backwards]
    assert [c.tokens for c in together[:5]] == [c.tokens for c in alone]


def test_seeds_of_one_prompt_give_different_samples_and_k_can_grow(engine: TransformersEngine) -> None:
    context = contexts(1)[0]
    few = draw(engine, [SampleRequest(context, seed, 12) for seed in range(4)])
    more = draw(engine, [SampleRequest(context, seed, 12) for seed in range(16)])
    assert [c.tokens for c in more[:4]] == [c.tokens for c in few]
    assert len({tuple(c.tokens) for c in more}) == 16


def test_slots_are_refilled_and_rows_move_without_changing_a_sample(
    tiny_model: Path, engine: TransformersEngine
) -> None:
    narrow = TransformersEngine(tiny_model, EngineArgs(dtype="float32", max_batch_tokens=256), engine.tokenizer)
    asked = [SampleRequest(c, seed=i, max_tokens=1 + i % 17) for i, c in enumerate(contexts(60)) for _ in range(2)]
    assert [c.tokens for c in draw(narrow, asked)] == [c.tokens for c in draw(engine, asked)]


def test_finish_says_what_ended_a_sample(engine: TransformersEngine) -> None:
    found = draw(engine, [SampleRequest(c, seed=i, max_tokens=48) for i, c in enumerate(contexts(96))])
    ended = [c for c in found if c.finish == "stop"]
    assert ended and all(c.tokens[-1] in engine.eos_token_ids for c in ended)
    assert all(not set(c.tokens[:-1]) & engine.eos_token_ids for c in found)
    assert all(len(c.tokens) == 48 for c in found if c.finish == "length")


def test_a_stop_string_ends_a_sample_with_the_token_that_completes_it(engine: TransformersEngine) -> None:
    context = contexts(1)[0]
    free = draw(engine, [SampleRequest(context, seed=3, max_tokens=30)])[0]
    text = engine.tokenizer.decode(free.tokens[:12], skip_special_tokens=False)
    stop = text[-3:]
    bound = draw(engine, [SampleRequest(context, seed=3, max_tokens=30, stop=("never there", stop))])[0]
    assert bound.finish == "stop"
    assert stop in engine.tokenizer.decode(bound.tokens, skip_special_tokens=False)
    assert bound.tokens == free.tokens[: len(bound.tokens)]
    assert stop not in engine.tokenizer.decode(bound.tokens[:-1], skip_special_tokens=False)


def test_samples_follow_the_truncated_distribution(engine: TransformersEngine, reference: Any) -> None:
    context, count = contexts(1)[0], 4000
    found = draw(engine, [SampleRequest(context, seed, 1, temperature=0.8, top_p=0.7) for seed in range(count)])
    with torch.no_grad():
        warm = (reference(torch.tensor([context])).logits[0, -1].double() / 0.8).softmax(-1)
    order = warm.argsort(descending=True)
    inside = order[: int((warm[order].cumsum(0) < 0.7).sum()) + 1]
    expected = warm[inside] / warm[inside].sum()
    seen = Counter(c.tokens[0] for c in found)
    assert set(seen) <= set(inside.tolist())
    observed = np.array([seen[t] for t in inside.tolist()])
    chi_square = float((((observed - count * expected.numpy()) ** 2) / (count * expected.numpy())).sum())
    degrees = len(inside) - 1
    assert chi_square < degrees + 5 * (2 * degrees) ** 0.5


def test_a_context_that_fills_the_model_gives_an_empty_sample(engine: TransformersEngine) -> None:
    full = [5] * engine.max_model_len
    nearly = [5] * (engine.max_model_len - 3)
    empty, short = draw(engine, [SampleRequest(full, 1, 8), SampleRequest(nearly, 1, 8)])
    assert (empty.tokens, empty.finish) == ([], "length")
    assert len(short.tokens) <= 3


def test_teacher_forced_logprobs_are_those_of_a_forward_pass(engine: TransformersEngine, reference: Any) -> None:
    asked = contexts(20)
    continuations = [[], *contexts(19, longest=12)]
    found = engine.logprobs(asked, continuations)
    for context, tokens, values in zip(asked, continuations, found, strict=True):
        np.testing.assert_allclose(values, forced(reference, context, tokens), atol=1e-4)


def test_label_logprobs_are_those_of_a_forward_pass(engine: TransformersEngine, reference: Any) -> None:
    asked, labels = contexts(20), [9, 200, 9, 17]
    found = engine.label_logprobs(asked, labels)
    assert found.shape == (20, 4)
    for context, row in zip(asked, found, strict=True):
        np.testing.assert_allclose(row, [forced(reference, context, [label])[0] for label in labels], atol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_labels_are_read_in_float32_from_a_model_in_bfloat16(tmp_path: Path, kind: str) -> None:
    """From the very hidden state of the bfloat16 pass, and under the model's own soft cap, which Gemma has at 30."""
    folder = make_tiny_model(tmp_path) if kind == "llama" else other_model(tmp_path, kind)
    engine = TransformersEngine(folder, EngineArgs(dtype="bfloat16"), open_tokenizer(folder))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
    cap = model.config.final_logit_softcapping if kind == "gemma2" else None
    for context in contexts(6):
        (found,) = engine.label_logprobs([context], range(TINY_VOCABULARY))
        with torch.no_grad():
            hidden = model.model(torch.tensor([context])).last_hidden_state[0, -1]
            logits = model.lm_head.weight.double() @ hidden.double()
        expected = (logits if cap is None else cap * (logits / cap).tanh()).log_softmax(-1)
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
        differences = np.diff(np.sort(found))
        assert (differences > 0).mean() > 0.98  # in bfloat16 most of the vocabulary ties


def test_only_labels_are_read_in_float32(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path)
    engine = TransformersEngine(folder, EngineArgs(dtype="bfloat16"), open_tokenizer(folder))
    plain = engine.head.last_logits([[5, 6]], use_cache=False)
    engine.label_logprobs([[5, 6]], [9])
    assert plain.dtype == engine.head.last_logits([[5, 6]], use_cache=False).dtype == torch.bfloat16


def test_the_same_words_are_read_once(engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    plain = Head.logits_at

    def counted(head: Head, contexts: Any, *rest: Any, **settings: Any) -> Any:
        read.append(len(contexts))
        return plain(head, contexts, *rest, **settings)

    monkeypatch.setattr(Head, "logits_at", counted)
    one, other = contexts(2)
    labels = engine.label_logprobs([one, other, one, one], [9, 17])
    words = engine.logprobs([one, other, one, one], [[5], [5], [5], [6]])
    assert read == [2, 3]
    assert (labels[0] == labels[2]).all() and (labels[0] == labels[3]).all() and (labels[0] != labels[1]).any()
    assert words[0] == words[2] and words[0] != words[1] and words[0] != words[3]


def test_progress_counts_samples_and_tokens(engine: TransformersEngine) -> None:
    seen: list[tuple[int, int]] = []
    found = dict(engine.sample([SampleRequest(c, 1, 9) for c in contexts(10)], lambda *done: seen.append(done)))
    assert seen == sorted(seen)
    assert seen[-1] == (10, sum(len(c.tokens) for c in found.values()))


def test_the_first_prompts_are_complete_long_before_the_last_ones_begin(tiny_model: Path) -> None:
    engine = TransformersEngine(tiny_model, EngineArgs(dtype="float32"), open_tokenizer(tiny_model))
    engine.capacity.most = 4
    asked = [SampleRequest([3 + i % 50] * (1 + i % 20), seed=i, max_tokens=4) for i in range(200)]
    order = [index for index, _ in engine.sample(asked)]
    assert max(order.index(i) for i in range(32)) < 40


def test_a_caller_that_stops_early_leaves_the_engine_usable(engine: TransformersEngine) -> None:
    asked = [SampleRequest(c, seed=i, max_tokens=12) for i, c in enumerate(contexts(10))]
    begun = engine.sample(asked)
    next(begun)
    begun.close()
    assert len(draw(engine, asked)) == 10


def test_out_of_memory_halves_the_batch_and_loses_no_sample(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [SampleRequest(c, seed=i, max_tokens=10) for i, c in enumerate(contexts(30))]
    expected = draw(engine, asked)
    step = SlotMemory.step

    def limited(memory: SlotMemory, tokens: list[int]) -> torch.Tensor:
        if memory.slots > 8:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return step(memory, tokens)

    monkeypatch.setattr(SlotMemory, "step", limited)
    assert [c.tokens for c in draw(engine, asked)] == [c.tokens for c in expected]


def test_one_sequence_that_does_not_fit_is_one_clear_line(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(memory: SlotMemory, tokens: list[int]) -> torch.Tensor:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(SlotMemory, "step", never)
    with pytest.raises(SurroundingsError, match="not even one sequence fits"):
        draw(engine, [SampleRequest([5, 6], 1, 4)])


def test_a_model_of_nan_is_said_and_not_sampled(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.model.norm.weight.data.fill_(float("nan"))
    model.save_pretrained(folder)
    engine = TransformersEngine(folder, FLOAT32, open_tokenizer(folder))
    with pytest.raises(FailedError, match="not finite"):
        draw(engine, [SampleRequest([5, 6], 1, 4)])


def other_model(folder: Path, kind: str) -> Path:
    """A tiny model that slots can't serve."""
    shape = {
        "vocab_size": TINY_VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "sliding_window": 8,
        "initializer_range": 0.3,
        "bos_token_id": None,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    torch.manual_seed(1)
    model = (
        MistralForCausalLM(MistralConfig(**shape)) if kind == "mistral" else Gemma2ForCausalLM(Gemma2Config(**shape))
    )
    model.save_pretrained(folder)
    make_tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["mistral", "gemma2"])
def test_sliding_windows_and_soft_caps_are_decoded_the_general_way(tmp_path: Path, kind: str) -> None:
    folder = other_model(tmp_path, kind)
    engine = TransformersEngine(folder, FLOAT32, open_tokenizer(folder))
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    assert not engine.head.slots
    asked = [SampleRequest(c, seed=i, max_tokens=20) for i, c in enumerate(contexts(12)) for _ in range(2)]
    for request, completion in zip(asked, draw(engine, asked), strict=True):
        expected = forced(reference, list(request.tokens), completion.tokens).sum()
        assert completion.logprob_sum == pytest.approx(expected, abs=2e-3)
        (read,) = engine.logprobs([request.tokens], [completion.tokens])
        assert read.sum() == pytest.approx(expected, abs=2e-3)


@pytest.mark.model
def test_a_real_model_answers_and_stops(smollm2: Path) -> None:
    tokenizer = open_tokenizer(smollm2)
    engine = TransformersEngine(smollm2, EngineArgs(), tokenizer)
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    context = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    (answer,) = draw(engine, [SampleRequest(context, 1, 24, temperature=0.0)])
    assert answer.finish == "stop"
    assert "Paris" in tokenizer.decode(answer.tokens)
    assert answer.tokens[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_linear_layers_that_this_cpu_has_no_kernels_for_stay_as_they_are() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4)).double()
    assert pack_linears(model) == 0
    assert model(torch.ones(1, 4, dtype=torch.float64)).shape == (1, 4)
