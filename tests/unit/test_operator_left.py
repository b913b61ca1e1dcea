"""A run whose rules are edited so that it is over in the middle of a step: that stops, is paid for, and can go on."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove.status import is_leaving
from selfimprove_operator.actions import Action, DeleteJob, StopJob
from selfimprove_operator.metrics import Metrics
from selfimprove_operator.observed import pod_of
from selfimprove_operator.reconcile import reconcile
from tests.unit.operator_support import DEFAULTS, GPU, Cluster, finish_run, run_manifest, start
from tests.unit.test_operator_chaos import SPEC, Chaos, calm

BUDGET = {"budget": {"wallSeconds": 1}}
GAP = {"minGap": 0.9, "patience": 1}
TEST = {"uri": "s3://lab/train.jsonl", "task": "Math", "fields": {"answer": "answer"}, "test": {"uri": "s3://lab/t"}}


def at_work(step: str, **spec: Any) -> Cluster:
    """A run of which a step's pods run, and that has been seen."""
    cluster = Cluster(run_manifest(**spec), graceful=True)
    for _ in range(100):
        cluster.settle()
        start(cluster)
        if cluster.status.step and cluster.status.step.name == step:
            return cluster
        cluster.wait(10)
        for pod in cluster.live():
            cluster.end(pod)
        cluster.collect()
    raise AssertionError(f"{step} never came")


def edit(cluster: Cluster, **stopping: Any) -> None:
    """The user writes other stop rules."""
    cluster.run["spec"]["stopping"] = stopping
    cluster.run["metadata"]["generation"] += 1


def actions(cluster: Cluster) -> list[Action]:
    return list(reconcile(cluster.look(), DEFAULTS, cluster.now).actions)


def jobs_at_work(cluster: Cluster) -> list[str]:
    return [name for name, job in cluster.jobs.items() if "conditions" not in job["status"]]


def stopped(cluster: Cluster, pod: str) -> None:
    """A pod heeds its signal."""
    cluster.end(pod, 143)


def let_go(cluster: Cluster, code: int = 143) -> None:
    """Its pods end as they were told."""
    for pod in cluster.live():
        cluster.end(pod, code)
    cluster.settle()


@pytest.mark.parametrize("step", ["i002-generate", "i002-select"])
def test_a_step_at_work_is_stopped_when_an_edited_rule_ends_the_run(step: str) -> None:
    cluster = at_work(step)
    job = cluster.created[-1]
    edit(cluster, **GAP)
    assert actions(cluster) == [StopJob(job, 86400)]
    cluster.settle()
    assert (cluster.status.state, jobs_at_work(cluster)) == ("Succeeded", [])
    assert cluster.status.step is not None and cluster.status.step.name == step
    let_go(cluster)
    assert cluster.status.step is None
    assert actions(cluster) == []


def test_what_its_pods_spend_until_they_are_over_is_counted_once() -> None:
    cluster = at_work("i002-generate")
    before = cluster.status.usage
    cluster.wait(20)
    edit(cluster, **GAP)
    cluster.settle()
    cluster.wait(5)
    let_go(cluster)
    usage = cluster.status.usage
    assert (usage.gpu_seconds - before.gpu_seconds, usage.wall_seconds - before.wall_seconds) == (25, 25)
    cluster.wait(600)
    cluster.settle()
    edit(cluster)
    cluster.settle()
    assert cluster.status.usage == usage


def test_an_event_says_that_it_was_stopped_and_why() -> None:
    cluster = at_work("i002-generate")
    edit(cluster, **GAP)
    cluster.settle()
    assert [(event.type, event.reason) for event in cluster.events[-2:]] == [
        ("Normal", "Converged"),
        ("Normal", "StepStopped"),
    ]
    said = "i002-generate is stopped, what it has committed is kept: the run is over: Converged"
    assert cluster.events[-1].message == said
    events = len(cluster.events)
    let_go(cluster)
    assert len(cluster.events) == events


def test_a_pod_that_does_its_work_while_it_is_let_go_reopens_nothing() -> None:
    cluster = at_work("i002-generate")
    edit(cluster, **GAP)
    cluster.settle()
    let_go(cluster, code=0)
    assert cluster.status.stop is not None and cluster.status.stop.rule == "Converged"
    assert cluster.status.step is None


def test_a_run_that_is_reopened_goes_on_at_that_step_with_a_job_of_its_own() -> None:
    cluster = at_work("i002-generate")
    old = cluster.created[-1]
    edit(cluster, **GAP)
    cluster.settle()
    let_go(cluster)
    edit(cluster)
    cluster.settle()
    assert cluster.created[-1] == f"{old[:-1]}2"
    assert cluster.status.state == "Pending"
    finish_run(cluster)
    assert cluster.status.stop == calm(generation={"shards": 1}).status.stop


def test_a_run_that_is_reopened_while_its_step_still_stops_begins_the_next_attempt_at_once() -> None:
    cluster = at_work("i002-generate")
    old = cluster.created[-1]
    edit(cluster, **GAP)
    cluster.settle()
    edit(cluster)
    cluster.settle()
    assert (cluster.created[-1], list(cluster.jobs)[-1]) == (f"{old[:-1]}2", f"{old[:-1]}2")
    finish_run(cluster)
    assert cluster.status.counters.failures == 0


def test_a_job_that_is_held_has_nothing_to_stop_and_goes() -> None:
    cluster = at_work("i002-generate")
    job = cluster.created[-1]
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    edit(cluster, **GAP)
    assert [action for action in actions(cluster) if isinstance(action, DeleteJob)] == [
        DeleteJob(job, cluster.jobs[job]["metadata"]["uid"])
    ]
    cluster.settle()
    assert (cluster.status.state, cluster.status.step) == ("Succeeded", None)


def test_the_last_look_at_the_test_set_waits_until_the_step_has_stopped() -> None:
    cluster = at_work("i002-select", dataset=TEST)
    edit(cluster, **GAP)
    cluster.reconcile(calls=1)
    assert cluster.status.message.startswith("i000-evaluate-test waits until i002-select has stopped")
    assert [type(action) for action in actions(cluster)] == [DeleteJob]
    finish_run(cluster)
    assert cluster.status.stop is not None and cluster.status.stop.rule == "Converged"
    assert [name for name in cluster.created if "i002-distill" in name] == []


def test_a_budget_that_is_lowered_under_a_step_at_work_lets_the_iteration_end() -> None:
    cluster = at_work("i001-generate")
    edit(cluster, **BUDGET)
    finish_run(cluster)
    assert cluster.status.stop is not None
    assert (cluster.status.stop.rule, cluster.status.stop.iteration) == ("BudgetSpent", 1)


def test_a_budget_that_is_lowered_before_a_pod_of_an_iteration_has_run_ends_the_run_before_it() -> None:
    cluster = at_work("i000-measure")
    let_go(cluster, code=0)
    assert cluster.status.step is not None and cluster.status.step.name == "i001-generate"
    edit(cluster, **BUDGET)
    cluster.settle()
    assert cluster.status.stop is not None
    assert (cluster.status.stop.rule, cluster.status.stop.iteration) == ("BudgetSpent", 0)
    let_go(cluster)
    assert cluster.status.step is None


def evicted(cluster: Cluster) -> None:
    """Nothing is left of its pod to be seen."""
    cluster.evict(cluster.live()[0])


def preempted(cluster: Cluster) -> None:
    cluster.end(cluster.live()[0], 137, '{"promptsDone": 3}', disrupted=True)


def cut_off(cluster: Cluster) -> None:
    cluster.end(cluster.live()[0], 4)


def broken(cluster: Cluster) -> None:
    cluster.end(cluster.live()[0], 1)


def vanished(cluster: Cluster) -> None:
    cluster.remove(cluster.created[-1])


def held(cluster: Cluster) -> None:
    """Held by the user, who lets it go on when its pods are gone."""
    hold(cluster, True)
    assert cluster.status.state == "Suspended"
    let_go(cluster)
    cluster.pods = {name: pod for name, pod in cluster.pods.items() if not cluster.is_over(name)}
    cluster.settle()
    assert cluster.status.state == "Suspended"
    hold(cluster, False)


def failed(cluster: Cluster) -> None:
    """It failed for good, and the user has it tried again."""
    cluster.end(cluster.live()[0], 3)
    cluster.settle()
    hold(cluster, True)
    hold(cluster, False)


def hold(cluster: Cluster, suspend: bool) -> None:
    cluster.run["spec"]["suspend"] = suspend
    cluster.run["metadata"]["generation"] += 1
    cluster.settle()


@pytest.mark.parametrize("happens", [evicted, preempted, cut_off, broken, vanished, held, failed])
def test_a_budget_that_is_spent_within_an_iteration_ends_the_run_after_it(happens: Callable[[Cluster], None]) -> None:
    cluster = at_work("i001-generate", stopping={"budget": {"wallSeconds": 1000}})
    cluster.wait(1500)
    happens(cluster)
    cluster.settle()
    assert (cluster.status.stop, cluster.status.usage.wall_seconds > 1000) == (None, True)
    finish_run(cluster)
    assert cluster.status.stop is not None
    assert (cluster.status.stop.rule, cluster.status.stop.iteration) == ("BudgetSpent", 1)


def test_the_last_look_at_the_test_set_has_healed_nothing_that_kept_the_step_before_it_from_going_on() -> None:
    cluster = at_work("i002-select", dataset=TEST)
    cluster.end(cluster.live()[0], 4, "error: s3://lab/runs: can't be reached; check the network")
    cluster.settle()
    edit(cluster, **GAP)
    cluster.settle()
    let_go(cluster)
    assert cluster.status.step is not None and cluster.status.step.name == "i000-evaluate-test"
    assert [event.reason for event in cluster.events].count("Healed") == 0
    finish_run(cluster)
    assert [event.reason for event in cluster.events].count("Healed") == 1


def test_a_pod_on_a_node_that_answers_no_more_keeps_no_step_at_hand() -> None:
    cluster = at_work("i002-generate")
    edit(cluster, **GAP)
    cluster.settle()
    cluster.wait(400)
    cluster.settle()
    assert cluster.status.step is None


def test_a_job_that_has_our_labels_and_not_our_names_is_ended_by_nobody() -> None:
    cluster = at_work("i002-generate")
    (job,) = jobs_at_work(cluster)
    other = {**cluster.jobs[job], "metadata": {**cluster.jobs[job]["metadata"], "name": "mine", "uid": "mine"}}
    cluster.jobs["mine"] = json.loads(json.dumps(other))
    edit(cluster, **GAP)
    cluster.settle()
    assert jobs_at_work(cluster) == ["mine"]
    let_go(cluster)
    assert cluster.status.step is None


def test_a_step_that_was_stopped_is_no_duration_of_a_step() -> None:
    cluster, metrics = at_work("i002-generate"), Metrics()
    edit(cluster, **GAP)
    statuses = [cluster.status]
    cluster.settle()
    statuses.append(cluster.status)
    let_go(cluster)
    statuses.append(cluster.status)
    for before, after in pairwise(statuses):
        metrics.changed(before, after, cluster.now)
    assert metrics.registry.get_sample_value("selfimprove_step_duration_seconds_count", {"step": "generate"}) is None


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=15)
def test_a_run_whose_rules_are_edited_to_and_fro_ends_with_the_same_ledger(seed: int) -> None:
    draw = random.Random(seed)
    chaos = Chaos(Cluster(run_manifest(**SPEC), graceful=True), draw)
    for _ in range(200):
        chaos.happen()
        if draw.random() < 0.1:
            edit(chaos.cluster, **draw.choice([BUDGET, GAP, {}, {}]))
    edit(chaos.cluster)
    finish_run(chaos.cluster)
    found, expected = chaos.cluster.status, calm().status
    assert (found.stop, found.best, found.latest) == (expected.stop, expected.best, expected.latest)
    assert [row.held_out for row in found.iterations] == [row.held_out for row in expected.iterations]
    assert chaos.cluster.status.step is None


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=15)
def test_every_second_of_a_gpu_is_counted_once_however_often_a_run_ends_and_is_reopened(seed: int) -> None:
    draw = random.Random(seed)
    cluster = Cluster(run_manifest(execution={"ttlSecondsAfterFinished": 10**6}), graceful=True)
    pods: dict[str, Any] = {}
    for _ in range(40):
        cluster.settle()
        ends = [stopped] if is_leaving(cluster.status) else [Cluster.start, Cluster.end, stopped]
        for pod in cluster.live():
            draw.choice(ends)(cluster, pod)
        cluster.wait(draw.choice([1, 15]))
        pods |= cluster.pods
        cluster.settle()
        if not is_leaving(cluster.status):
            edit(cluster, **draw.choice([BUDGET, GAP, {}, {}]))
    cluster.settle()
    let_go(cluster)
    assert cluster.status.usage.gpu_seconds == sum(map(gpu_seconds, (pods | cluster.pods).values()))


def gpu_seconds(pod: dict[str, Any]) -> float:
    """Of a pod that ended."""
    found = pod_of(pod, GPU)
    if found.ended is None or found.ended.started_at is None or found.ended.finished_at is None:
        return 0.0
    return found.gpus * (found.ended.finished_at - found.ended.started_at).total_seconds()
