"""The status of a run: what people, columns and scripts read, from the same facts on one machine and in a cluster."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Metadata, Run, Spec
from selfimprove.api.status import Condition, Measure, Status
from selfimprove.api.training import Stopping
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import Step, Stop, next_step
from selfimprove.status import Activity, status_of
from selfimprove.status_fitting import MAX_BYTES
from selfimprove.status_ledger import ledger_of_status
from selfimprove.summaries import Difference, Estimate, Measures, PromptMeasures, Selected
from tests.unit import loop_support as loop

NOW = datetime(2026, 11, 22, 17, 5, 0, 500, tzinfo=UTC)
URI = "s3://lab/runs/research/gsm8k-1a2b3c4d"
CHECKPOINT = "i001/distill/00000/attempt-a/model"
PATIENT = loop.spec_of(maxIterations=99, stopping={"minGap": 0})
FAILED = Stop("Failed", 1, 0, False, "i001-distill: the loss is NaN")


def status(spec: Spec, ledger: Ledger, decision: Step | Stop | None = None, **more: Any) -> Status:
    """The status of a run of `spec`, resolved first, at a moment that is always the same."""
    run = Run(
        api_version="selfimprove.dev/v1alpha1",
        kind="SelfImprovementRun",
        metadata=Metadata(name="gsm8k"),
        spec=spec,
    )
    resolved = resolve(spec, surroundings=Surroundings())
    decision = decision or next_step(resolved, ledger)
    return status_of(run, resolved, ledger, decision, **{"run_uri": URI, "now": NOW, **more})


def condition(found: Status, type: str) -> Condition:
    return next(condition for condition in found.conditions if condition.type == type)


def estimate(value: float) -> Estimate:
    return Estimate(value=value, low=value - 0.0123, high=value + 0.0123, n=1000)


def full_measures() -> PromptMeasures:
    names = ("accuracy", "strict_accuracy", "relative_gap", "keep_rate", "coverage", "tail_coverage")
    pass_at_k = {str(2**i): estimate(-0.5 + i / 100) for i in range(15)}
    longest = {name: estimate(-0.4321) for name in names}
    return PromptMeasures(**longest, gap=estimate(0.4321), pass_at_k=pass_at_k, prompts=500)  # the gap ends no run


def test_an_iteration_that_was_worked_on_stays_reached_when_a_rule_ends_the_run_before_it() -> None:
    ledger = loop.after(loop.measures(0.4), loop.measures(0.5, gap=0.1))
    going = status(PATIENT, ledger)
    ended = status(loop.spec_of(stopping={"minGap": 0.2, "patience": 1}), ledger, previous=going)
    assert (going.iteration, ended.iteration) == (2, 2)
    assert (ended.progress, ended.stop and ended.stop.iteration) == ("1/3", 1)


def test_a_run_that_has_not_begun_is_pending_with_its_plan() -> None:
    found = status(loop.spec_of(), Ledger())
    assert (found.state, found.iteration, found.progress) == ("Pending", 0, "0/3")
    assert found.plan is not None
    assert found.plan.next == "i000-evaluate"
    assert found.message == f"i000-evaluate is next: {found.plan.reason}"
    assert (found.latest, found.best, found.iterations, found.baseline) == (None, None, [], None)


def test_a_run_at_which_nobody_works_is_pending_whatever_is_committed() -> None:
    assert status(loop.spec_of(), loop.after(loop.measures())).state == "Pending"


def test_a_run_at_work_says_which_step_how_often_tried_and_since_when() -> None:
    spec = loop.spec_of()
    ledger = loop.after(loop.measures(accuracy=0.25)).with_failure(StepId(1, "generate"))
    found = status(spec, ledger, activity=Activity(running_since=NOW - timedelta(minutes=5)))
    assert (found.state, found.iteration, found.progress) == ("Running", 1, "1/3")
    assert found.message == "i001-generate is running"
    assert found.step is not None
    assert found.step.to_json() == {
        "name": "i001-generate",
        "state": "Running",
        "attempt": 2,
        "startedAt": "2026-11-22T17:00:00Z",
        "shards": 1,
        "shardsDone": 0,
    }
    assert found.counters.failures == 1


def test_shards_of_a_step_are_counted() -> None:
    spec = loop.spec_of(shards=4)
    ledger = loop.after(loop.measures(), spec=spec)
    for shard in (0, 1, 3):
        ledger = ledger.with_commit(loop.summary_of(StepId(1, "generate"), shard))
    assert status(spec, ledger).message == "i001-generate: 3 of 4 shards done"


def test_measures_are_decimal_strings_and_counts_are_integers() -> None:
    measures = Measures(held_out=PromptMeasures(accuracy=Estimate(value=0.444, low=0.4, high=0.48888), prompts=200))
    training = PromptMeasures(gap=estimate(0.03121), tail_coverage=estimate(0.41))
    ledger = loop.after(loop.measures(accuracy=0.3), measures, selections={1: Selected(training=training, examples=7)})
    document: dict[str, Any] = status(loop.spec_of(), ledger).to_json()
    assert document["latest"] == {"iteration": 1, "gap": "0.0312", "tailCoverage": "0.4100", "accuracy": "0.4440"}
    (iteration,) = document["iterations"]
    assert iteration["heldOut"] == {"accuracy": {"value": "0.4440", "low": "0.4000", "high": "0.4889"}}
    assert iteration["gap"] == {"value": "0.0312", "low": "0.0189", "high": "0.0435"}
    assert (iteration["tokens"], iteration["gpuSeconds"]) == (60, 0)
    assert iteration["manifest"] == {"uri": "file:///run/i001-measure/0", "sha256": "0" * 64}
    assert document["baseline"] == {"accuracy": {"value": "0.3000"}}
    assert document["usage"] == {"gpuSeconds": 0, "tokens": 80, "wallSeconds": 0}


def test_the_tail_column_is_the_held_out_one_where_it_exists() -> None:
    held_out = Measures(held_out=PromptMeasures(tail_coverage=estimate(0.9)))
    selection = {1: Selected(training=PromptMeasures(tail_coverage=estimate(0.1)), examples=1)}
    latest = status(loop.spec_of(), loop.after(loop.measures(), held_out, selections=selection)).latest
    assert latest is not None
    assert latest.tail_coverage == "0.9000"


def test_a_negative_zero_is_zero() -> None:
    ledger = loop.after(loop.measures(gap=-0.00001))
    baseline = status(loop.spec_of(), ledger).baseline
    assert baseline is not None
    assert baseline.gap is not None
    assert baseline.gap.value == "0.0000"


def test_the_best_model_is_m0_at_its_source_until_something_beats_it() -> None:
    best = status(loop.spec_of(), loop.after(loop.measures(accuracy=0.5), loop.measures(accuracy=0.4))).best
    assert best is not None
    assert (best.iteration, best.model_uri, best.gain) == (0, "hf://lab/base", None)
    assert best.message == "no iteration beat M_0, whose held-out accuracy is 0.5000"


def test_the_gain_says_when_it_was_measured_on_the_prompts_that_chose_the_best() -> None:
    gain = loop.difference(0.1, 0.05, 0.15)
    better = loop.measures(accuracy=0.5, versus_baseline=gain, checkpoint=CHECKPOINT)
    best = status(loop.spec_of(), loop.after(loop.measures(accuracy=0.4), better)).best
    assert best is not None
    assert best.to_json() == {
        "iteration": 1,
        "modelURI": f"{URI}/{CHECKPOINT}",
        "accuracy": {"value": "0.5000"},
        "gain": {"value": "0.1000", "low": "0.0500", "high": "0.1500", "measuredOn": "HeldOut"},
        "message": "M_1 has the highest held-out accuracy: 0.5000, M_0's 0.4000",
    }


def test_the_gain_is_the_test_sets_where_there_is_one() -> None:
    spec = loop.spec_of(test=True, maxIterations=1)
    chosen = loop.measures(accuracy=0.5, versus_baseline=loop.difference(0.1, 0.05, 0.15))
    ledger = loop.after(loop.measures(accuracy=0.4), chosen)
    tested = loop.measures(accuracy=0.45, versus_baseline=loop.difference(0.03, 0.01, 0.05))
    for n in (0, 1):
        ledger = loop.commit(ledger, StepId(n, "evaluate", "test"))
    ledger = loop.commit(ledger, StepId(1, "measure", "test"), measures=tested)
    found = status(spec, ledger)
    assert found.best is not None
    assert found.best.gain is not None
    assert (found.best.gain.value, found.best.gain.measured_on) == ("0.0300", "Test")
    assert (found.state, found.iteration) == ("Succeeded", 1)


def test_the_last_look_at_the_test_set_belongs_to_the_last_iteration() -> None:
    spec = loop.spec_of(test=True, maxIterations=1)
    found = status(spec, loop.after(loop.measures(accuracy=0.4), loop.measures(accuracy=0.5)))
    assert found.plan is not None
    assert (found.plan.next, found.iteration, found.progress) == ("i000-evaluate-test", 1, "1/1")


def test_an_end_is_finished_with_the_rule_as_the_reason() -> None:
    spec = loop.spec_of(maxIterations=1)
    found = status(spec, loop.after(loop.measures(accuracy=0.4), loop.measures(accuracy=0.5)))
    assert found.stop is not None
    assert (found.state, found.stop.rule, found.stop.iteration) == ("Succeeded", "MaxIterations", 1)
    assert found.step is None
    ends = {type: condition(found, type) for type in ("Finished", "Succeeded", "Failed", "Progressing")}
    assert {type: end.status for type, end in ends.items()} == {
        "Finished": "True",
        "Succeeded": "True",
        "Failed": "False",
        "Progressing": "False",
    }
    assert ends["Finished"].reason == "MaxIterations"


def test_a_failure_is_finished_too_and_has_not_succeeded() -> None:
    found = status(loop.spec_of(), loop.after(loop.measures()), FAILED)
    assert found.state == "Failed"
    assert found.message == "Failed: i001-distill: the loss is NaN"
    assert [condition(found, type).status for type in ("Finished", "Succeeded", "Failed")] == ["True", "False", "True"]


def test_the_message_of_a_suspended_run_says_what_holds_it_and_what_is_next() -> None:
    found = status(loop.spec_of(suspend=True), Ledger(), activity=Activity(suspended=True))
    assert found.plan is not None
    assert found.message == f"spec.suspend holds the run; i000-evaluate is next: {found.plan.reason}"


def test_a_suspended_run_says_so() -> None:
    found = status(loop.spec_of(suspend=True), loop.after(loop.measures()))
    assert found.state == "Suspended"
    assert condition(found, "Suspended").status == "True"
    assert condition(found, "Progressing").reason == "Suspended"


def test_trouble_in_the_surroundings_degrades_and_shows_its_remedy() -> None:
    trouble = "s3://lab: access denied; renew the credentials"
    found = status(loop.spec_of(), Ledger(), activity=Activity(trouble=trouble))
    degraded = condition(found, "Degraded")
    assert (degraded.status, degraded.message) == ("True", trouble)
    assert found.message == f"i000-evaluate: {trouble}"


def test_convergence_is_a_condition_of_its_own() -> None:
    small = loop.measures(gap=0.001)
    found = status(loop.spec_of(maxIterations=9), loop.after(loop.measures(), small, small))
    assert condition(found, "Converged").status == "True"
    assert condition(found, "Finished").reason == "Converged"


def test_a_narrowing_tail_is_a_warning() -> None:
    fell = loop.measures(tail_change=Estimate(value=-0.2, low=-0.3, high=-0.1, n=40))
    found = status(loop.spec_of(maxIterations=9), loop.after(loop.measures(), loop.measures(), fell))
    warning = condition(found, "TailNarrowing")
    assert (warning.status, warning.reason) == ("True", "CoverageFell")
    assert found.stop is None


def test_so_are_hard_levels_that_vanish_from_the_training_set() -> None:
    shrank = Selected(
        training=PromptMeasures(), examples=10, hard_share_change=Estimate(value=-0.2, low=-0.3, high=-0.1)
    )
    ledger = loop.after(loop.measures(), loop.measures(), loop.measures(), selections={2: shrank})
    found = status(loop.spec_of(maxIterations=9), ledger)
    warning = condition(found, "TailNarrowing")
    assert (warning.status, warning.reason) == ("True", "HardShareFell")
    assert found.iterations[-1].hard_change == Measure(value="-0.2000", low="-0.3000", high="-0.1000")


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    spec = loop.spec_of(maxIterations=1)
    first = status(spec, Ledger(), generation=1)
    later = NOW + timedelta(hours=1)
    ended = loop.after(loop.measures(accuracy=0.4), loop.measures(accuracy=0.5))
    second = status(spec, ended, previous=first, now=later, generation=2)
    assert condition(second, "Accepted").last_transition_time == "2026-11-22T17:05:00Z"
    assert condition(second, "Finished").last_transition_time == "2026-11-22T18:05:00Z"
    assert {condition.observed_generation for condition in second.conditions} == {2}


def test_the_same_facts_give_the_same_status_at_any_time() -> None:
    spec, ledger = loop.spec_of(), loop.after(loop.measures(accuracy=0.4))
    first = status(spec, ledger)
    assert status(spec, ledger, previous=first, now=NOW + timedelta(days=1)) == first


def test_conditions_are_keyed_by_type() -> None:
    types = [condition.type for condition in status(loop.spec_of(), Ledger()).conditions]
    assert len(types) == len(set(types)) == 10


def test_what_was_resolved_is_shown() -> None:
    resolved = status(loop.spec_of(), Ledger()).resolved
    assert resolved["spec.dataset.heldOut.fraction"] == 0.1
    assert resolved["spec.verification.methods[0].type"] == "MultipleChoice"


def full_run(iterations: int) -> Ledger:
    """Everything that may be measured was, with its interval."""
    versus = Difference(iteration=0, value=-0.1, low=-0.2, high=-0.01, low995=-0.3, high995=0.1, n=500)
    shrank = Estimate(value=-0.1234, low=-0.2345, high=0.0123, n=500)
    verifier = {f"{name}.{figure}": estimate(0.6) for name, figure in (("judge", "auroc"), ("vote", "massChange"))}
    measured = Measures(
        held_out=full_measures(),
        versus_baseline=versus,
        versus_best=versus,
        tail_change=shrank,
        checkpoint=CHECKPOINT,
    )
    selection = Selected(training=full_measures(), examples=10, hard_share_change=shrank, verifier=verifier)
    return loop.after(*[measured] * (iterations + 1), spec=PATIENT, selections=dict.fromkeys(range(99), selection))


METHODS = [
    {"type": "MultipleChoice"},
    {"name": "judge", "type": "CoTScore", "range": [1, 10], "verifier": {"uri": "hf://lab/judge"}},
    {"name": "binary", "type": "CoTBinary"},
    {"name": "vote", "type": "MajorityVote"},
    {"name": "likely", "type": "Likelihood"},
]
CROWDED = loop.spec_of(
    maxIterations=99, stopping={"minGap": 0}, verification={"methods": METHODS, "combine": "Weighted"}
)
INSTALLATION: dict[str, object] = {
    "images": {name: f"registry.example.com/ml/{name}@sha256:{'0' * 64}" for name in ("sampler", "trainer", "verifier")}
}


def crowded(ledger: Ledger) -> Status:
    """The status of a run of five methods, of which everything was measured, in a cluster."""
    return status(CROWDED, ledger, generation=3, version="0.1.0", defaults=INSTALLATION)


def size(document: Any) -> int:
    return len(json.dumps(document.to_json(), separators=(",", ":")).encode())


def test_with_full_intervals_the_object_holds_eight_iterations_in_16_kilobytes() -> None:
    found = crowded(full_run(12))
    assert [iteration.iteration for iteration in found.iterations] == list(range(5, 13))
    assert size(found) + size(CROWDED) <= MAX_BYTES < 16 * 1024


def test_what_is_short_of_room_costs_old_iterations_what_no_rule_reads() -> None:
    first, *_, before, last = crowded(full_run(12)).iterations
    assert first.held_out and first.held_out.accuracy and first.held_out.gap and first.gap
    assert all(found.low and found.high for found in (first.held_out.accuracy, first.held_out.gap, first.gap))
    assert first.relative_gap == first.held_out.relative_gap == Measure(value="-0.4321")
    assert (first.held_out.pass_at_k, first.verifier) == (None, None)
    for row in (before, last):
        assert row.relative_gap and row.relative_gap.low and row.held_out and row.held_out.pass_at_k and row.verifier


def test_a_run_that_is_short_of_room_still_ends_by_patience_over_eight_iterations() -> None:
    spec = resolve(CROWDED, surroundings=Surroundings())
    spec = spec.model_copy(update={"stopping": Stopping(min_gap=0.5, patience=8)})
    decision = next_step(spec, ledger_of_status(spec, crowded(full_run(12))))
    assert isinstance(decision, Stop)
    assert decision.rule == "Converged"


def test_what_is_left_of_old_iterations_stays_as_it_is() -> None:
    found = crowded(full_run(12))
    kept = ledger_of_status(resolve(CROWDED, surroundings=Surroundings()), found)
    assert crowded(kept).iterations == found.iterations


def test_a_spec_that_is_greater_than_the_bound_costs_no_iteration() -> None:
    spec = CROWDED.model_copy(update={"dataset": CROWDED.dataset.model_copy(update={"system": "x" * 20_000})})
    assert len(status(spec, full_run(12)).iterations) == 8


def test_long_messages_cost_the_oldest_iterations_and_never_the_bound() -> None:
    decision = Stop("Failed", 12, 0, False, "\n".join(["x" * 300] * 300))
    long = f"s3://lab/{'y' * 1500}"
    found = status(PATIENT, full_run(12), decision, run_uri=long)
    size = len(json.dumps(found.to_json(), separators=(",", ":")).encode())
    assert size <= MAX_BYTES
    assert found.iterations[-1].iteration == 12
    assert "\n" not in found.message


def test_pass_at_k_is_shown_for_few_k_with_both_ends() -> None:
    held_out = status(loop.spec_of(maxIterations=20), full_run(1)).iterations[0].held_out
    assert held_out is not None
    assert held_out.pass_at_k is not None
    assert list(held_out.pass_at_k) == ["1", "32", "512", "16384"]


@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_a_status_goes_to_json_and_back(iterations: int) -> None:
    found = status(loop.spec_of(maxIterations=9), full_run(iterations))
    document = json.loads(json.dumps(found.to_json()))
    assert document["runURI"] == URI
    assert Status.model_validate(document) == found
