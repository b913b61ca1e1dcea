"""The status is all that a cluster's operator remembers: read back, it decides as the full ledger does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Metadata, Run, Spec
from selfimprove.api.status import Status
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import Step, Stop, next_step
from selfimprove.report import percent, points
from selfimprove.status import status_of
from selfimprove.status_ledger import from_ranges, ledger_of_status, step_of, to_ranges
from selfimprove.summaries import Difference, Estimate, Measures, PromptMeasures
from tests.unit.loop_support import after, commit, measures, spec_of
from tests.unit.test_loop_properties import Executor, specs

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Possible(Executor):
    """M_0 is compared with nothing: there is no model before it."""

    def outcome(self, step: StepId) -> dict[str, Any]:
        found = super().outcome(step)
        if step == StepId(0, "measure"):
            found["measures"] = measures(*(None if e is None else e.value for e in figures(found["measures"])))
        return found


def figures(found: Measures) -> tuple[Estimate | None, Estimate | None]:
    return found.held_out.accuracy, found.held_out.gap


def shown(spec: Spec, ledger: Ledger) -> Status:
    run = Run(
        api_version="selfimprove.dev/v1alpha1", kind="SelfImprovementRun", metadata=Metadata(name="gsm8k"), spec=spec
    )
    return status_of(run, spec, ledger, next_step(spec, ledger), run_uri="s3://lab/runs/gsm8k", now=NOW)


def core(decision: Step | Stop) -> tuple[object, ...]:
    if isinstance(decision, Stop):
        return decision.rule, decision.iteration, decision.best, decision.succeeded
    return decision.id, decision.shards, decision.missing


@given(spec=specs(), data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_ledger_read_back_from_the_status_decides_the_same_at_every_step(spec: Spec, data: st.DataObject) -> None:
    spec = resolve(spec, surroundings=Surroundings())
    executor = Possible(spec, data)
    while isinstance(step := next_step(spec, executor.ledger), Step):
        kept = ledger_of_status(spec, shown(spec, executor.ledger))
        assert core(next_step(spec, kept)) == core(step)
        for shard in step.missing:
            executor.commit(step.id, shard)
    assert core(next_step(spec, ledger_of_status(spec, shown(spec, executor.ledger)))) == core(step)


@given(spec=specs(), data=st.data())
@settings(deadline=None, max_examples=60)
def test_the_status_of_a_ledger_read_back_from_it_is_the_same_status(spec: Spec, data: st.DataObject) -> None:
    spec = resolve(spec, surroundings=Surroundings())
    executor = Possible(spec, data)
    while isinstance(step := next_step(spec, executor.ledger), Step):
        once = shown(spec, ledger_of_status(spec, shown(spec, executor.ledger)))
        assert shown(spec, ledger_of_status(spec, once)) == once
        for shard in step.missing:
            executor.commit(step.id, shard)


FIGURE = st.floats(-1, 1)


@given(value=FIGURE, low=FIGURE, high=FIGURE)
@example(value=50 / 156, low=0.00005, high=-0.00004)
def test_tables_of_the_status_and_of_all_that_was_measured_show_the_same_digits(
    value: float, low: float, high: float
) -> None:
    estimate = Estimate(value=value, low=low, high=high)
    found = PromptMeasures(accuracy=estimate, gap=estimate, pass_at_k={"1": estimate})
    versus = Difference(iteration=0, value=value, low=low, high=high, low995=low, high995=high, n=9)
    measured = Measures(held_out=found, versus_baseline=versus, versus_best=versus, tail_change=estimate)
    spec = resolve(spec_of(), surroundings=Surroundings())
    ledger = after(measures(-1.0), measured)
    kept = ledger_of_status(spec, shown(spec, ledger)).measures(1)
    assert kept is not None
    assert kept.held_out.pass_at_k is not None
    held_out = [kept.held_out.accuracy, kept.held_out.gap, kept.held_out.pass_at_k["1"]]
    differences = [kept.versus_best, kept.versus_baseline, kept.tail_change]
    assert {percent(each) for each in held_out} == {percent(estimate)}
    assert {points(each) for each in differences if each} == {points(estimate)}


def test_a_trained_m_0_that_is_the_best_is_a_checkpoint_of_the_run_and_stays_one() -> None:
    spec = resolve(spec_of(selection={"seedTraining": "References"}), surroundings=Surroundings())
    ledger = commit(commit(Ledger(), StepId(0, "distill")), StepId(0, "evaluate"))
    place = "i000/distill/00000/attempt-a/model"
    status = shown(spec, commit(ledger, StepId(0, "measure"), measures=measures(0.5, checkpoint=place)))
    assert status.best is not None
    assert status.best.model_uri == f"s3://lab/runs/gsm8k/{place}"
    assert shown(spec, ledger_of_status(spec, status)).best == status.best


@given(shards=st.sets(st.integers(0, 999)))
def test_shards_survive_as_ranges(shards: set[int]) -> None:
    assert from_ranges(to_ranges(shards)) == shards


def test_step_names_are_read_back() -> None:
    assert [step_of(name).name for name in ("i002-verify", "i000-evaluate-test")] == [
        "i002-verify",
        "i000-evaluate-test",
    ]


@given(spec=specs(), data=st.data(), edited=specs())
@settings(deadline=None, max_examples=60)
def test_a_stop_rule_that_is_edited_at_any_step_decides_the_same_on_one_machine_and_in_a_cluster(
    spec: Spec, data: st.DataObject, edited: Spec
) -> None:
    spec = resolve(spec, surroundings=Surroundings())
    other = spec.model_copy(update={"stopping": edited.stopping, "max_iterations": edited.max_iterations})
    executor = Possible(spec, data)
    while isinstance(step := next_step(spec, executor.ledger), Step):
        kept = ledger_of_status(spec, shown(spec, executor.ledger))
        assert core(next_step(other, kept)) == core(next_step(other, executor.ledger))
        for shard in step.missing:
            executor.commit(step.id, shard)
