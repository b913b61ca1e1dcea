"""The worker's edges: how an order reaches it, what it leaves behind, and what a log shows of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the workers' libraries are not installed")

from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove.ledger import StepId
from selfimprove.local import model_of
from selfimprove.orders import Order
from selfimprove.summaries import MAX_BYTES, Difference, Estimate, ManifestRef, Measures, PromptMeasures, Summary
from selfimprove_workers.main import fail, last_word, leave, read_order
from selfimprove_workers.progress import Progress
from selfimprove_workers.sampling import Plan

SPEC: dict[str, Any] = {"model": {"uri": "./m"}, "dataset": {"uri": "./d.jsonl", "task": "Exact"}}
ORDER = {
    "runURI": "/runs/a",
    "spec": SPEC,
    "steps": [{"iteration": 1, "step": "generate"}],
    "shards": 4,
    "attempt": "x",
}


def test_an_order_is_read_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "order.json"
    path.write_text(json.dumps(ORDER))
    monkeypatch.setenv("SELFIMPROVE_ORDER", json.dumps(ORDER))
    assert read_order(str(path)) == read_order("")
    assert read_order("").steps[0].id == StepId(1, "generate")


def test_an_indexed_pod_does_the_shard_of_its_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFIMPROVE_ORDER", json.dumps(ORDER))
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "3")
    assert read_order("").shard == 3


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({}, "order.runURI: Field required; give an order as the executor writes it"),
        (
            {**ORDER, "steps": []},
            "order.steps: List should have at least 1 item after validation, not 0; give an order",
        ),
    ],
)
def test_an_order_that_is_none_is_refused_by_field(
    document: object, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFIMPROVE_ORDER", json.dumps(document))
    with pytest.raises(UserError) as refused:
        read_order("")
    assert str(refused.value).startswith(line)


def test_an_order_survives_its_journey_as_json() -> None:
    order = Order.model_validate(ORDER)
    assert Order.model_validate_json(order.model_dump_json(by_alias=True, exclude_none=True)) == order
    assert order.spec == Spec.model_validate(SPEC)


def test_the_largest_summary_fits_the_termination_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "termination"
    monkeypatch.setenv("TERMINATION_LOG", str(log))
    leave(last_word([_largest()]))
    assert len(log.read_bytes()) <= MAX_BYTES
    assert Summary.model_validate_json(log.read_text()).measures is not None


def test_summaries_of_several_steps_are_one_json_list() -> None:
    plain = Summary(step="generate", iteration=1, manifest=ManifestRef(uri="/runs/a", sha256="0" * 64))
    word = last_word([plain, plain.model_copy(update={"step": "verify"})])
    assert [each["step"] for each in json.loads(word)] == ["generate", "verify"]


def test_where_the_list_would_be_cut_the_latest_steps_stay() -> None:
    word = last_word([_largest()] * 3)
    assert len(word.encode()) <= MAX_BYTES
    assert len(json.loads(word)) == 1


def test_a_failure_is_the_pods_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINATION_LOG", str(tmp_path / "word"))
    assert fail("i001-verify: no samples", 3) == 3
    assert (tmp_path / "word").read_text() == "error: i001-verify: no samples"


def test_a_termination_log_that_cannot_be_written_fails_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINATION_LOG", "/nonexistent/word")
    leave("done")


@pytest.mark.parametrize(("index", "field"), [("4", "order.shard: 4"), ("abc", "order.shard: ")])
def test_an_index_beyond_the_shards_is_refused(index: str, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFIMPROVE_ORDER", json.dumps(ORDER))
    monkeypatch.setenv("JOB_COMPLETION_INDEX", index)
    with pytest.raises(UserError) as refused:
        read_order("")
    assert str(refused.value).startswith(field)


def test_a_log_gets_one_line_a_minute_and_no_bar() -> None:
    now, stream = [0.0], io.StringIO()
    progress = Progress(stream, clock=lambda: now[0])
    progress.start("i001-generate", total=100)
    for _ in range(120):
        now[0] += 1.0
        progress.advance(1, tokens=30)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "i001-generate: 0/100 0 tok/s"
    assert lines[1:] == ["i001-generate: 60/100 30 tok/s", "i001-generate: 120/100 30 tok/s"]


def test_evaluation_samples_as_generation_does_where_it_says_nothing() -> None:
    spec = Spec.model_validate({**SPEC, "generation": {"topP": 0.5, "maxTokens": 7, "stop": ["#"]}})
    plan = Plan.of_evaluation(spec)
    assert (plan.samples, plan.temperature, plan.top_p, plan.max_tokens, plan.stop) == (4, 0.7, 0.5, 7, ("#",))


def test_greedy_evaluation_has_temperature_0() -> None:
    spec = Spec.model_validate({**SPEC, "evaluation": {"greedy": True, "samplesPerPrompt": 1, "stop": []}})
    assert Plan.of_evaluation(spec).temperature == 0.0


def test_a_model_stays_loaded_from_its_evaluation_to_the_next_training() -> None:
    steps = [StepId(1, "evaluate"), StepId(2, "generate"), StepId(2, "verify"), StepId(2, "resample")]
    assert {model_of(step) for step in steps} == {"M_1"}
    assert model_of(StepId(1, "measure")) is None
    assert model_of(StepId(2, "distill")) not in ("M_1", None)


def _largest() -> Summary:
    number = Estimate(value=-0.12345678901234567, low=-0.12345678901234567, high=-0.12345678901234567, n=100000)
    names = ("accuracy", "strict_accuracy", "gap", "relative_gap", "keep_rate", "coverage", "tail_coverage")
    held_out = PromptMeasures(
        **dict.fromkeys(names, number),
        empty_filter_rate=0.12345678901234567,
        relative_gap_skipped=100000,
        tail_prompts=100000,
        pass_at_k={str(2**k): number for k in range(15)},
        prompts=100000,
        samples=12800000,
    )
    change = Difference(
        iteration=999, n=100000, **dict.fromkeys(("value", "low", "high", "low995", "high995"), -0.12345678901234567)
    )
    measures = Measures(
        held_out=held_out, versus_baseline=change, versus_best=change, strict_versus_baseline=change, tail_change=number
    )
    uri = f"s3://{'b' * 63}/{'p' * 300}/i999/measure/00000/manifest.json"
    return Summary(step="measure", iteration=999, manifest=ManifestRef(uri=uri, sha256="0" * 64), measures=measures)
