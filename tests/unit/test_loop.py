"""The order of the loop, what failures do to it, and what its reasons say."""

from __future__ import annotations

import pytest

from selfimprove.api.execution import StepName
from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import Step, left, next_step
from tests.unit.loop_support import (
    PLAIN,
    after,
    commit,
    difference,
    measures,
    selected,
    spec_of,
    step,
    stop,
)


def walk(spec: Spec, ledger: Ledger | None = None) -> list[str]:
    """The names of all steps until the end, every one committed as it comes."""
    ledger, names = ledger or Ledger(), []
    while isinstance(found := next_step(spec, ledger), Step):
        names.append(found.id.name)
        ledger = commit(ledger, found.id, found.shards)
    return names


def test_a_run_looks_at_the_base_model_first_and_then_goes_round_its_steps():
    assert walk(spec_of(maxIterations=2)) == [
        "i000-evaluate",
        "i000-measure",
        *(f"i001-{name}" for name in PLAIN),
        *(f"i002-{name}" for name in PLAIN),
    ]


def test_seed_training_makes_m_0_first_and_says_so():
    spec = spec_of(maxIterations=1, selection={"seedTraining": "References"})
    assert walk(spec)[:4] == ["i000-distill", "i000-evaluate", "i000-measure", "i001-generate"]
    assert step(spec, Ledger()).reason == (
        "selection.seedTraining: the base model is trained on the reference solutions first, which makes M_0"
    )


@pytest.mark.parametrize(
    ("seeding", "start_from", "start"),
    [("None", "Base", "M_0"), ("References", "Base", "the base model"), ("References", "Previous", "M_0")],
)
def test_training_says_what_it_starts_from(seeding: str, start_from: str, start: str):
    spec = spec_of(selection={"seedTraining": seeding}, distillation={"startFrom": start_from})
    ledger = after(measures(0.4))
    ledger = commit(ledger, StepId(0, "distill"))
    while (found := step(spec, ledger)).id.step != "distill":
        ledger = commit(ledger, found.id)
    assert found.reason.endswith(f"M_1 is trained on them, from {start}")


def test_resample_follows_verify_when_there_is_a_strategy():
    names = walk(spec_of(maxIterations=1, strategy="StateReset"))
    assert names[2:6] == ["i001-generate", "i001-verify", "i001-resample", "i001-select"]


def test_the_test_set_is_looked_at_once_at_the_end_for_the_base_model_and_the_best():
    ledger = after(measures(0.4), measures(0.5), measures(0.45))
    assert walk(spec_of(maxIterations=2, test=True), ledger) == [
        "i000-evaluate-test",
        "i001-evaluate-test",
        "i001-measure-test",
    ]


def test_when_nothing_beats_the_base_model_only_it_answers_the_test_set():
    ledger = after(measures(0.4), measures(0.3))
    assert walk(spec_of(maxIterations=1, test=True), ledger) == ["i000-evaluate-test", "i000-measure-test"]


def test_the_end_after_the_test_set_reports_the_gain_measured_there():
    spec, ledger = spec_of(maxIterations=1, test=True), after(measures(0.4), measures(0.5))
    for n in (0, 1):
        ledger = commit(ledger, StepId(n, "evaluate", "test"))
    found = measures(0.48, versus_baseline=difference(0.07, 0.02, 0.12))
    ledger = commit(ledger, StepId(1, "measure", "test"), measures=found)
    assert stop(spec, ledger).best == 1
    assert "on the test set +0.0700 against M_0 (95% interval +0.0200 to +0.1200)" in stop(spec, ledger).message


def test_without_a_test_set_the_gain_is_marked_as_measured_on_the_prompts_that_chose_it():
    ledger = after(measures(0.4), measures(0.5, versus_baseline=difference(0.1, 0.05, 0.15)))
    assert "measured on the prompts that chose it" in stop(spec_of(maxIterations=1), ledger).message


@pytest.mark.parametrize("name", ["generate", "verify", "resample", "evaluate"])
def test_a_map_step_waits_for_all_of_its_shards(name: StepName):
    spec, ledger = spec_of(maxIterations=1, shards=4, strategy="BruteForce"), Ledger()
    while (found := step(spec, ledger)).id != StepId(1, name):
        ledger = commit(ledger, found.id, found.shards)
    assert found.missing == (0, 1, 2, 3)
    partly = commit(ledger, found.id, 2)
    assert step(spec, partly).id == found.id
    assert step(spec, partly).missing == (2, 3)
    assert step(spec, partly).reason == f"2 of 4 shards of i001-{name} are committed"


@pytest.mark.parametrize("name", ["select", "distill", "measure"])
def test_a_reduction_runs_once_whatever_the_shards(name: StepName):
    spec, ledger = spec_of(maxIterations=1, shards=4), Ledger()
    while (found := step(spec, ledger)).id.step != name:
        ledger = commit(ledger, found.id, found.shards)
    assert (found.shards, found.missing) == (1, (0,))


def test_a_gap_in_what_is_committed_is_filled_and_never_skipped_over():
    spec = spec_of(maxIterations=3)
    ledger = after(measures(0.4), measures(0.5))
    holed = {key: shards for key, shards in ledger.committed.items() if key != StepId(1, "verify")}
    assert step(spec, Ledger(committed=holed)).id == StepId(1, "verify")


def test_a_shard_beyond_those_that_the_run_has_completes_nothing():
    ledger = Ledger().with_commit(commit(Ledger(), StepId(0, "evaluate"), 3).committed[StepId(0, "evaluate")][2])
    assert step(spec_of(shards=2), ledger).missing == (0, 1)


def test_raising_max_iterations_reopens_a_finished_run():
    ledger = after(measures(0.4), measures(0.5))
    assert stop(spec_of(maxIterations=1), ledger).rule == "MaxIterations"
    assert step(spec_of(maxIterations=2), ledger).id == StepId(2, "generate")


@pytest.mark.parametrize("begun", [False, True])
def test_a_stop_rule_that_is_edited_later_is_judged_at_the_last_iteration_that_was_measured(begun: bool):
    ledger = after(measures(0.4), measures(0.5, gap=0.1), measures(0.6, gap=0.3), measures(0.7, gap=0.1))
    ledger = commit(ledger, StepId(4, "generate")) if begun else ledger
    assert stop(spec_of(maxIterations=9, stopping={"minGap": 0.2, "patience": 1}), ledger).iteration == 3
    assert step(spec_of(maxIterations=9, stopping={"minGap": 0.2, "patience": 2}), ledger).id.iteration == 4
    assert stop(spec_of(maxIterations=1), ledger).iteration == 3


def test_a_reopened_run_looks_at_the_test_set_again_only_for_a_new_best():
    spec, ledger = spec_of(maxIterations=1, test=True), after(measures(0.4), measures(0.5))
    while isinstance(found := next_step(spec, ledger), Step):
        ledger = commit(ledger, found.id)
    ledger = ledger_with(ledger, after(measures(0.4), measures(0.5), measures(0.6)))
    assert walk(spec_of(maxIterations=2, test=True), ledger) == ["i002-evaluate-test", "i002-measure-test"]


def ledger_with(ledger: Ledger, other: Ledger) -> Ledger:
    for shards in other.committed.values():
        for summary in shards.values():
            ledger = ledger.with_commit(summary)
    return ledger


def test_a_step_that_failed_for_good_ends_the_run_with_its_cause():
    ledger = after(measures(0.4), measures(0.5)).with_fatal(StepId(2, "generate"), "model.uri: no such model")
    end = stop(spec_of(maxIterations=2), ledger)
    assert (end.rule, end.succeeded, end.iteration, end.best) == ("Failed", False, 2, 1)
    assert end.message == "i002-generate: model.uri: no such model"


def test_failures_are_retried_up_to_the_backoff_limit_and_then_end_the_run():
    spec, ledger, first = spec_of(execution={"backoffLimit": 2}), Ledger(), StepId(0, "evaluate")
    for _ in range(2):
        ledger = ledger.with_failure(first, "CUDA out of memory")
    assert step(spec, ledger).reason.endswith("2 of its attempts failed, the last one: CUDA out of memory")
    end = stop(spec, ledger.with_failure(first, "CUDA out of memory"))
    assert end.rule == "Failed"
    assert end.message == (
        "i000-evaluate: failed 3 times, more than execution.backoffLimit 2; the last time: CUDA out of memory"
    )


def test_a_backoff_limit_of_zero_allows_no_failure():
    ledger = Ledger().with_failure(StepId(0, "evaluate"))
    assert stop(spec_of(execution={"backoffLimit": 0}), ledger).message.endswith("the last time: see its logs")


def test_failures_of_a_step_that_was_committed_after_all_are_forgotten():
    ledger = commit(Ledger().with_fatal(StepId(0, "evaluate"), "lost"), StepId(0, "evaluate"))
    assert step(spec_of(), ledger).id == StepId(0, "measure")


def test_a_colocated_step_that_failed_for_good_stops_the_other_shards_at_once():
    spec, ledger = spec_of(shards=2), after(measures(0.4), spec=spec_of(shards=2))
    ledger = commit(ledger, StepId(1, "generate"), 1).with_fatal(StepId(1, "verify"), "labels: not one token")
    assert stop(spec, ledger).message == "i001-verify: labels: not one token"


def test_a_failure_in_the_look_at_the_test_set_ends_the_run_and_keeps_the_best():
    ledger = after(measures(0.4), measures(0.5)).with_fatal(StepId(0, "evaluate", "test"), "test.uri: no such file")
    end = stop(spec_of(maxIterations=1, test=True), ledger)
    assert (end.rule, end.best, end.message) == ("Failed", 1, "i000-evaluate-test: test.uri: no such file")


def nothing_kept(iteration: int) -> Ledger:
    ledger = after(*[measures(0.4 + n / 10) for n in range(iteration)])
    for name in ("generate", "verify"):
        ledger = commit(ledger, StepId(iteration, name))
    return commit(ledger, StepId(iteration, "select"), selected=selected(examples=0))


def test_a_first_iteration_that_keeps_nothing_fails_and_names_the_remedy():
    end = stop(spec_of(test=True), nothing_kept(1))
    assert (end.rule, end.succeeded, end.best) == ("NothingToLearn", False, 0)
    assert end.message.startswith("i001-select kept no sample of 20 prompts (the filter was empty for 100% of them)")
    assert end.message.endswith("more generation.samplesPerPrompt, or a resampling.strategy")


def test_a_run_that_guides_already_is_told_of_another_strategy() -> None:
    ledger = commit(nothing_kept(1), StepId(1, "resample"))
    end = stop(spec_of(test=True, resampling={"strategy": "BruteForce"}), ledger)
    assert end.message.endswith("or another resampling.strategy than BruteForce, or more maxRounds")


def test_a_first_iteration_without_a_pair_to_prefer_fails_and_names_the_remedy():
    spec = spec_of(distillation={"method": "DPO"})
    end = stop(spec, nothing_kept(1))
    assert (end.rule, end.succeeded) == ("NothingToLearn", False)
    assert end.message.startswith("i001-select found no pair in 20 prompts")
    assert "distillation.method SFT" in end.message


def test_where_no_gold_answer_can_be_read_the_end_says_so_and_not_to_sample_more():
    ledger = after(measures(0.4))
    ledger = commit(ledger, StepId(1, "generate"))
    ledger = commit(ledger, StepId(1, "verify"), counts={"GoldUnparsable": 80})
    ledger = commit(ledger, StepId(1, "select"), selected=selected(examples=0))
    end = stop(spec_of(), ledger)
    assert end.message.startswith(
        "i001-verify could read none of the dataset's answers (80 samples are GoldUnparsable)"
    )
    assert "answerPattern" in end.message


@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        ({"Truncated": 70, "Wrong": 10}, "i001-verify found 70 of 80 samples cut at generation.maxTokens"),
        ({"Truncated": 112, "GoldUnparsable": 32}, "i001-verify found 112 of 144 samples cut at generation.maxTokens"),
        ({"NoAnswer": 60, "GoldUnparsable": 20}, "i001-select kept no sample of 20 prompts"),
    ],
)
def test_nothing_to_learn_names_the_cause_that_most_samples_have(counts: dict[str, int], cause: str):
    ledger = commit(after(measures(0.4)), StepId(1, "generate"))
    ledger = commit(ledger, StepId(1, "verify"), counts=counts)
    end = stop(spec_of(), commit(ledger, StepId(1, "select"), selected=selected(examples=0)))
    assert (end.rule, end.message.startswith(cause)) == ("NothingToLearn", True), end.message


def test_a_later_iteration_that_keeps_nothing_ends_with_the_best_so_far():
    end = stop(spec_of(), nothing_kept(2))
    assert (end.rule, end.succeeded, end.best, end.iteration) == ("NothingToLearn", True, 1, 2)


def test_a_later_iteration_that_keeps_nothing_still_looks_at_the_test_set():
    assert step(spec_of(test=True), nothing_kept(2)).id == StepId(0, "evaluate", "test")


def test_suspension_changes_nothing_of_what_comes_next():
    ledger = after(measures(0.4))
    assert next_step(spec_of(suspend=True), ledger) == next_step(spec_of(), ledger)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("generate", "no stop rule fired after i000-measure: iteration 1 of at most 3 begins with samples of M_0"),
        ("verify", "every sample of generate is scored by GroundTruth, judge"),
        (
            "resample",
            "strategy StateReset follows verify: prompts with fewer than 4 accepted samples are sampled again",
        ),
        ("select", "all samples are scored, and strategy StateReset is done with the tail"),
        ("distill", "i001-select kept 1,234 examples: M_1 is trained on them, from M_0"),
        ("evaluate", "the checkpoint of M_1 is committed: it answers the held-out prompts"),
        ("measure", "all held-out answers of M_1 are committed: they are measured, compared with M_0 and the best"),
    ],
)
def test_the_reason_of_a_step_says_what_it_follows_from(name: StepName, reason: str):
    methods = [{"type": "GroundTruth"}, {"name": "judge", "type": "CoTScore"}]
    spec = spec_of(strategy="StateReset", verification={"methods": methods})
    ledger = after(measures(0.4))
    while (found := step(spec, ledger)).id.step != name:
        ledger = commit(ledger, found.id, selected=selected(1234) if found.id.step == "select" else None)
    assert found.reason.startswith(reason)


def test_what_is_left_is_told_from_what_the_same_steps_cost_so_far():
    spec = spec_of(maxIterations=3, shards=2)
    ledger = after(measures(0.4), measures(0.5), spec=spec)
    ahead = left(spec, ledger)
    assert ahead.iterations == 2
    assert ahead.samples == 2 * (2 * 5 + 2 * 5)  # two iterations, generate and evaluate, two shards, 5 rows each
    assert ahead.tokens == 2 * 10 * (2 + 2 + 1 + 1 + 2 + 1)  # 10 tokens each shard of each step
    assert ahead.unknown == ()


def test_steps_that_never_ran_are_named_and_not_guessed():
    ahead = left(spec_of(maxIterations=1, test=True), after(measures(0.4)))
    assert ahead.unknown == ("generate", "verify", "select", "distill", "evaluate-test", "measure-test")
    assert ahead.samples == 5  # what evaluate cost for M_0


def test_nothing_is_left_of_a_run_that_has_ended():
    ahead = left(spec_of(maxIterations=1), after(measures(0.4), measures(0.5)))
    assert (ahead.iterations, ahead.samples, ahead.tokens) == (0, 0, 0)
