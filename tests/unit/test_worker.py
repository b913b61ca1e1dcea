"""The worker's edges: how an order reaches it, what it leaves behind, and what a log shows of it."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

pytest.importorskip("torch", reason="the workers' libraries are not installed")

from selfimprove.api.spec import Spec
from selfimprove.errors import TERMINATED, TerminatedError, UserError
from selfimprove.failing import naming_log, shortened
from selfimprove.ledger import StepId
from selfimprove.local import model_of
from selfimprove.orders import Failure, Order
from selfimprove.summaries import (
    MAX_BYTES,
    Difference,
    Estimate,
    ManifestRef,
    Measures,
    PromptMeasures,
    Selected,
    Summary,
)
from selfimprove_workers.desk import Desk
from selfimprove_workers.main import fail, give_up, last_word, leave, read_order
from selfimprove_workers.progress import Progress, duration
from selfimprove_workers.sampling import Plan
from selfimprove_workers.signals import Signals, StoppedError, ending_at_once

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


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ({"iteration": 0, "step": "generate"}, "iteration 0 has distill and evaluate and measure only, not generate"),
        ({"iteration": 1, "step": "select", "split": "test"}, "the test set has evaluate and measure only, not select"),
        ({"iteration": 1, "step": "evaluate", "split": "{x}"}, "split {x} is none; it is test or empty"),
    ],
)
def test_a_step_that_the_loop_does_not_have_is_refused_before_anything_is_looked_for(
    step: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFIMPROVE_ORDER", json.dumps({**ORDER, "steps": [step]}))
    with pytest.raises(UserError) as refused:
        read_order("")
    assert str(refused.value) == f"order.steps.0: {line}; give an order as the executor writes it"


def test_m_0_is_trained_by_order_of_seed_training_only() -> None:
    steps = [{"iteration": 0, "step": "distill"}]
    with pytest.raises(ValidationError, match="i000-distill needs"):
        Order.model_validate({**ORDER, "steps": steps})
    spec = {**SPEC, "selection": {"seedTraining": "References"}}
    assert Order.model_validate({**ORDER, "spec": spec, "steps": steps}).steps[0].id.name == "i000-distill"


@pytest.mark.parametrize("split", ["", "test"])
@pytest.mark.parametrize("step", ["evaluate", "measure"])
def test_a_look_at_the_base_model_is_an_order_like_any_other(step: str, split: str) -> None:
    order = Order.model_validate({**ORDER, "steps": [{"iteration": 0, "step": step, "split": split}]})
    assert order.steps[0].id == StepId(0, order.steps[0].step, split)


def test_no_two_pods_of_a_job_write_to_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFIMPROVE_ORDER", json.dumps({**ORDER, "attempt": "2"}))
    monkeypatch.setenv("SELFIMPROVE_ATTEMPT", "0f2e7a9c-51d3-4f7e-9b1a-2d7c6f0e8a11")
    assert read_order("").attempt == "2-0f2e7a9c51d3"


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


def test_counts_that_would_not_fit_stay_in_the_manifest_but_for_verdicts() -> None:
    figures = {f"{'m' * 40}.{which}": NUMBER for which in ("auroc", "aurocChange", "massChange")}
    measures = _largest().measures
    assert measures is not None
    selected = Selected(training=measures.held_out, examples=10**7, verifier=figures, hard_share_change=NUMBER)
    levels = {f"level.{n}": 100 for n in range(1000)}
    update = {"step": "select", "measures": None, "selected": selected, "counts": {"Wrong": 3, **levels}}
    word = last_word([_largest().model_copy(update=update)])
    assert len(word.encode()) <= MAX_BYTES
    assert Summary.model_validate_json(word).counts == {"Wrong": 3}


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


def test_a_pod_that_is_stopped_ends_with_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINATION_LOG", str(tmp_path / "word"))
    stopped = Failure(step="i001-generate", exit_code=143, message="stopped by a signal" + "!" * 5000, prompts_done=12)
    assert give_up(stopped, 143) == 143
    *lines, last = (tmp_path / "word").read_text().splitlines()
    assert json.loads(last) == {"promptsDone": 12}
    assert lines[0].startswith("error: i001-generate: stopped by a signal!")
    assert len((tmp_path / "word").read_bytes()) <= MAX_BYTES


def test_a_long_failure_fits_the_termination_message_and_still_names_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINATION_LOG", str(tmp_path / "word"))
    message = naming_log(
        "spec.dataset.fields.prompt: ü is missing; there is " + "ö" * 5000, "s3://lab/runs/a/worker.log"
    )
    fail(f"i001-generate: {message}", 2)
    word = (tmp_path / "word").read_bytes()
    assert len(word) <= MAX_BYTES
    assert word.decode().endswith("ö... (log: s3://lab/runs/a/worker.log)")


def test_what_is_too_long_is_cut_between_two_characters() -> None:
    assert shortened("üüüü", 8) == "üüüü"
    assert shortened("üüüüü", 8) == "üü..."


def test_an_error_nobody_expected_is_told_in_a_line_and_traced_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def step(context: object) -> Summary:
        raise RuntimeError("a kernel went away\nand more")

    monkeypatch.setattr("selfimprove_workers.desk.runner", lambda name: step)
    reply = Desk(threading.Event()).do(Order.model_validate({**ORDER, "runURI": str(tmp_path)}))
    log = tmp_path / "i001/generate/00000/attempt-x/worker.log"
    assert reply.failure is not None
    assert reply.failure.exit_code == 1
    assert reply.failure.message == f"RuntimeError: a kernel went away (log: {log})"
    for text in (log.read_text(), capfd.readouterr().err):
        assert "Traceback (most recent call last):" in text
        assert "RuntimeError: a kernel went away" in text


def test_a_step_that_was_told_to_stop_has_nothing_to_look_for_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(context: object) -> Summary:
        raise TerminatedError("stopped by a signal; what was done is kept")

    monkeypatch.setattr("selfimprove_workers.desk.runner", lambda name: step)
    reply = Desk(threading.Event()).do(Order.model_validate({**ORDER, "runURI": str(tmp_path)}))
    assert reply.failure is not None
    assert reply.failure.message == "stopped by a signal; what was done is kept"
    log = (tmp_path / "i001/generate/00000/attempt-x/worker.log").read_text()
    assert "stopped by a signal" in log and "Traceback" not in log


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
    assert lines[0] == "i001-generate: 0/100 prompts"
    assert lines[1:] == [
        "i001-generate: 60/100 prompts, 30 tok/s, 40 s left",
        "i001-generate: 120/100 prompts, 30 tok/s",
    ]


@pytest.mark.parametrize(("done", "left"), [(3, ""), (6, ", 15 min left")])
def test_how_long_the_rest_takes_is_not_told_from_the_first_few_to_end(done: int, left: str) -> None:
    now, lines = [0.0], list[str]()
    progress = Progress(io.StringIO(), clock=lambda: now[0], log=lines.append)
    progress.start("i000-evaluate", total=96, unit="samples")
    now[0] += 60.0
    progress.advance(done)
    assert lines[1:] == [f"i000-evaluate: {done}/96 samples{left}"]


def test_nor_from_the_first_seconds() -> None:
    now, lines = [0.0], list[str]()
    progress = Progress(io.StringIO(), clock=lambda: now[0], log=lines.append)
    now[0] += 55.0
    progress.start("i000-evaluate", total=96, unit="samples")
    progress.advance(48)
    now[0] += 5.0
    progress._say()
    now[0] += 5.0
    progress._say()
    assert lines[1:] == ["i000-evaluate: 48/96 samples", "i000-evaluate: 48/96 samples, 10 s left"]


def test_work_that_takes_long_to_advance_still_says_a_line_a_minute() -> None:
    now, stream = [0.0], io.StringIO()
    progress = Progress(stream, clock=lambda: now[0])
    progress.start("i001-distill", total=8, done=2, unit="steps")
    progress.advance(2, tokens=100, note="loss 1.5000")
    for _ in range(20):
        now[0] += 5.0
        progress.beat()
    now[0] += 20.0
    progress.beat()
    assert stream.getvalue().splitlines()[1:] == [
        "i001-distill: 4/8 steps, 2 tok/s, 2 min left, loss 1.5000",
        "i001-distill: 4/8 steps, 1 tok/s, 4 min left, loss 1.5000",
    ]


def test_a_model_that_takes_minutes_to_load_is_no_silence() -> None:
    now, stream = [0.0], io.StringIO()
    progress = Progress(stream, clock=lambda: now[0], at_work_on="i001-generate")
    for _ in range(26):
        now[0] += 5.0
        progress.beat()
    progress.start("i001-generate", total=100)
    assert stream.getvalue().splitlines() == [
        "i001-generate: getting ready, 1 min so far",
        "i001-generate: getting ready, 2 min so far",
        "i001-generate: 0/100 prompts",
    ]


def test_nothing_is_said_between_two_stretches() -> None:
    now, stream = [0.0], io.StringIO()
    progress = Progress(stream, clock=lambda: now[0])
    progress.start("i001-verify", total=1)
    progress.finish()
    now[0] += 100.0
    progress.beat()
    assert len(stream.getvalue().splitlines()) == 1


def test_a_terminal_gets_a_bar_and_the_steps_log_its_lines_all_the_same() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream, lines = Terminal(), list[str]()
    progress = Progress(stream, log=lines.append)
    progress.start("i001-generate", total=4, unit="samples")
    progress.finish()
    assert lines == ["i001-generate: 0/4 samples"]
    assert "0/4" in stream.getvalue() and "0/4 samples\n" not in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h 0 min"), (12000, "3 h 20 min")]
)
def test_times_read_as_people_write_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


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


NUMBER = Estimate(value=-0.12345678901234567, low=-0.12345678901234567, high=-0.12345678901234567, n=100000)


def _largest() -> Summary:
    names = ("accuracy", "strict_accuracy", "gap", "relative_gap", "keep_rate", "coverage", "tail_coverage")
    held_out = PromptMeasures(
        **dict.fromkeys(names, NUMBER),
        empty_filter_rate=0.12345678901234567,
        relative_gap_skipped=100000,
        tail_prompts=100000,
        pass_at_k={str(2**k): NUMBER for k in range(15)},
        prompts=100000,
        samples=12800000,
    )
    change = Difference(
        iteration=999, n=100000, **dict.fromkeys(("value", "low", "high", "low995", "high995"), -0.12345678901234567)
    )
    measures = Measures(
        held_out=held_out,
        versus_baseline=change,
        versus_best=change,
        strict_versus_baseline=change,
        tail_change=NUMBER,
        checkpoint=f"i999/distill/00000/attempt-{'a' * 40}/model",
    )
    uri = f"s3://{'b' * 63}/{'p' * 300}/i999/measure/00000/manifest.json"
    return Summary(step="measure", iteration=999, manifest=ManifestRef(uri=uri, sha256="0" * 64), measures=measures)


def test_what_ends_at_once_is_not_begun_after_a_signal() -> None:
    Signals.installed().stopping.set()
    with pytest.raises(StoppedError), ending_at_once():
        raise AssertionError("it has begun")


def test_a_library_that_turns_errors_into_its_own_does_not_hide_that_a_signal_came() -> None:
    assert not issubclass(StoppedError, Exception)
    assert StoppedError(TERMINATED).code == TERMINATED
