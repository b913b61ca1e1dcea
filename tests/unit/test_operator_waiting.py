"""A step whose pod is gone waits for another one, and from when that is counted."""

from __future__ import annotations

from typing import Any

import pytest

from selfimprove.api.status import StepStatus
from tests.unit.operator_support import Cluster, begun, run_manifest, start

DEADLINE = 600
HOURS = 20_000
"""Much longer than a pod may wait."""


def at_work(seconds: float = HOURS, **execution: Any) -> Cluster:
    """A run whose first step has run for that long."""
    limits = {"pendingDeadlineSeconds": DEADLINE, **execution}
    cluster = begun(execution=limits, generation={"shards": 2})
    cluster.wait(seconds)
    cluster.settle()
    return cluster


def evict(cluster: Cluster) -> str:
    """Every pod is evicted now; the moment."""
    for pod in cluster.live():
        cluster.evict(pod)
    return cluster.stamp()


def step(cluster: Cluster) -> StepStatus:
    assert cluster.status.step is not None
    return cluster.status.step


def test_a_step_of_hours_whose_pods_are_evicted_waits_for_others_and_goes_on() -> None:
    cluster = at_work()
    evicted = evict(cluster)
    cluster.settle()
    assert (cluster.status.stop, step(cluster).state) == (None, "Pending")
    assert step(cluster).waiting_since == evicted
    start(cluster)
    assert (step(cluster).state, step(cluster).waiting_since) == ("Running", None)
    assert len(cluster.created) == 1


def shown(cluster: Cluster) -> tuple[str, str, str, str]:
    """What people see: the state, the reason of Progressing, its message, and that of the run."""
    status = cluster.status
    progressing = next(found for found in status.conditions if found.type == "Progressing")
    return status.state, progressing.reason, progressing.message, status.message


def test_a_step_whose_pods_are_gone_is_shown_to_wait_and_since_when() -> None:
    cluster = at_work()
    evicted = evict(cluster)
    cluster.settle()
    reason = cluster.status.plan and cluster.status.plan.reason
    line = f"i000-evaluate waits for a pod, none has run since {evicted}: {reason}"
    assert shown(cluster) == ("Pending", "StepPending", line, line)
    start(cluster)
    assert shown(cluster)[:2] == ("Running", "StepRunning")


def test_a_step_that_was_just_begun_waits_for_its_first_pod_though_others_are_committed() -> None:
    cluster = at_work(10)
    for pod in cluster.live():
        cluster.end(pod)
    cluster.settle()
    state, reason, message, _ = shown(cluster)
    assert (state, reason) == ("Pending", "StepPending")
    assert message.startswith("i000-measure waits for its first pod: ")


def test_a_step_whose_pods_a_hold_took_waits_for_another_one() -> None:
    cluster = at_work()
    hold(cluster, True)
    hold(cluster, False)
    line = f"i000-evaluate waits for another pod: {cluster.status.plan and cluster.status.plan.reason}"
    assert shown(cluster) == ("Pending", "StepPending", line, line)
    assert [event.message for event in cluster.events if event.reason == "Resumed"] == [line]


def test_a_run_that_was_held_before_it_had_a_pod_goes_on_to_wait_for_its_first() -> None:
    cluster = Cluster(run_manifest(suspend=True))
    cluster.settle()
    hold(cluster, False)
    assert cluster.status.message.startswith("i000-evaluate waits for its first pod: ")


def hold(cluster: Cluster, suspend: bool) -> None:
    """The user holds the run, or lets it go on."""
    cluster.run["spec"]["suspend"] = suspend
    cluster.settle()


def test_between_two_tries_of_a_step_nothing_runs_and_the_last_failure_is_told() -> None:
    cluster = at_work(10)
    first, second = cluster.live()
    cluster.end(first, 1, "error: i000-evaluate: it broke")
    cluster.settle()
    assert cluster.status.state == "Running", "the other shard does"
    cluster.end(second)
    cluster.settle()
    state, _, message, _ = shown(cluster)
    assert state == "Pending"
    assert f"waits for a pod, none has run since {cluster.stamp()}: 1 of 2 shards" in message
    assert f"1 of its attempts failed, the last one: it broke (exit 1, pod {first})" in message


def test_between_two_tries_to_reach_its_surroundings_a_step_is_pending() -> None:
    cluster = at_work(10)
    for pod in cluster.live():
        cluster.end(pod, 4, "error: s3://lab/runs: access denied")
    cluster.settle()
    state, reason, _, message = shown(cluster)
    assert (state, reason) == ("Pending", "StepPending")
    assert message.startswith("i000-evaluate: s3://lab/runs: access denied (exit 4, pod")


def test_evicted_pods_that_have_no_successors_yet_are_no_pods_that_were_never_made() -> None:
    cluster = at_work()
    cluster.pods.clear()
    cluster.settle()
    assert (cluster.status.stop, step(cluster).state) == (None, "Pending")


def test_a_step_that_has_run_and_finds_no_node_any_more_ends_by_the_deadline_from_when_it_waits() -> None:
    cluster = at_work()
    evict(cluster)
    cluster.settle()
    cluster.wait(DEADLINE)
    cluster.settle()
    assert cluster.status.stop is None
    cluster.wait(1)
    cluster.settle()
    assert cluster.status.state == "Failed"
    assert f"no pod could start for execution.pendingDeadlineSeconds {DEADLINE}" in cluster.status.message


def test_waiting_counts_from_when_the_successor_was_made_though_nobody_looked_then() -> None:
    cluster = at_work()
    evicted = evict(cluster)
    cluster.wait(DEADLINE / 2)
    cluster.settle()
    assert step(cluster).waiting_since == evicted


def test_waiting_counts_from_when_the_last_pod_ended_where_that_can_be_seen() -> None:
    cluster = at_work()
    for pod in cluster.live():
        cluster.end(pod, 137, disrupted=True)
        ended = cluster.stamp()
        cluster.wait(30)
    cluster.pods = {name: pod for name, pod in cluster.pods.items() if cluster.is_over(name)}
    cluster.wait(30)
    cluster.settle()
    assert step(cluster).waiting_since == ended


def test_a_step_waits_for_nothing_while_one_of_its_shards_runs() -> None:
    cluster = at_work()
    first, _ = cluster.live()
    cluster.evict(first)
    cluster.wait(2 * DEADLINE)
    cluster.settle()
    assert (cluster.status.stop, step(cluster).state, step(cluster).waiting_since) == (None, "Running", None)


def test_a_pod_that_came_and_went_unseen_was_at_work_all_the_same() -> None:
    cluster = at_work()
    evict(cluster)
    cluster.settle()
    cluster.wait(DEADLINE / 2)
    for pod in cluster.live():
        cluster.start(pod)
        cluster.wait(5)
        cluster.end(pod, 143)
    ended = cluster.stamp()
    cluster.settle()
    assert step(cluster).waiting_since == ended


def test_a_job_that_vanishes_while_its_step_waits_is_made_again_as_the_next_attempt() -> None:
    cluster = at_work()
    evict(cluster)
    cluster.settle()
    cluster.remove(cluster.created[0])
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-1a2b3c4d-i000-evaluate-2"
    assert step(cluster).waiting_since is None


def test_time_in_which_a_step_is_held_is_no_time_in_which_it_waits() -> None:
    cluster = at_work()
    evict(cluster)
    cluster.settle()
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    cluster.wait(HOURS)
    cluster.settle()
    cluster.run["spec"]["suspend"] = False
    cluster.settle()
    assert (cluster.status.stop, step(cluster).state) == (None, "Pending")
    assert cluster.status.counters.suspensions == 1


@pytest.mark.parametrize("pods_first", [True, False])
def test_an_eviction_by_kueue_is_counted_once_whether_its_job_or_its_pods_are_seen_to_go_first(
    pods_first: bool,
) -> None:
    cluster = at_work(queueName="gpus")
    (job,) = cluster.jobs
    if pods_first:
        cluster.pods.clear()
        cluster.settle()
    cluster.suspend(job, True)
    for _ in range(2):
        cluster.wait(60)
        cluster.settle()
    assert (cluster.status.counters.suspensions, step(cluster).waiting_since) == (1, None)
