"""What is left of a step that failed for people to look at: its Job, the pods that ended, and their last lines."""

from __future__ import annotations

import pytest

from selfimprove_operator.actions import Action, DeleteJob, ExpireJob, StopJob
from selfimprove_operator.reconcile import reconcile
from tests.unit.operator_support import DEFAULTS, Cluster, begun

LOG = """loading weights: 40%
Traceback (most recent call last):
  File "/app/engine.py", line 7, in generate
    batch = model(tokens)
RuntimeError: CUDA error: device-side assert triggered
"""


def failed(shards: int = 1, message: str | None = None) -> Cluster:
    """A shard has failed for the last time; neither the Job controller nor the operator has seen it."""
    cluster = begun(generation={"shards": shards}, execution={"backoffLimit": 0})
    first = cluster.live()[0]
    cluster.end(first, code=1, message=message)
    cluster.jobs[cluster.created[0]]["status"].pop("conditions")
    return cluster


def actions(cluster: Cluster) -> list[Action]:
    """What is done next."""
    return list(reconcile(cluster.look(), DEFAULTS, cluster.now).actions)


def unmoved() -> Cluster:
    """NoProgress, which is our verdict alone: to the Job controller these ends are nothing."""
    cluster = begun(generation={"shards": 2})
    while True:
        pod = cluster.live()[0]
        cluster.start(pod)
        cluster.end(pod, code=143)
        if any(isinstance(action, StopJob) for action in actions(cluster)):
            return cluster
        cluster.reconcile()


def test_a_job_that_fails_by_itself_is_left_to_say_so_with_all_its_pods() -> None:
    cluster = failed()
    pods, (job,) = set(cluster.pods), cluster.created
    assert actions(cluster) == [ExpireJob(job, 86400)]
    cluster.settle()
    assert cluster.status.state == "Failed"
    assert (set(cluster.pods), list(cluster.jobs)) == (pods, [job])
    cluster.finish(job, "Failed", "FailedIndexes")
    cluster.settle()
    assert (set(cluster.pods), list(cluster.jobs)) == (pods, [job])


def test_other_shards_of_a_job_that_does_not_stop_them_in_time_are_stopped_and_the_failed_pod_kept() -> None:
    cluster = failed(shards=3)
    dead = [pod for pod in cluster.pods if cluster.is_over(pod)]
    cluster.settle()
    assert len(cluster.live()) == 2
    cluster.wait(61)
    assert actions(cluster) == [StopJob(cluster.created[0], 86400)]
    cluster.settle()
    assert list(cluster.pods) == dead


def test_a_step_without_progress_is_stopped_and_keeps_the_pods_that_ended() -> None:
    cluster = unmoved()
    dead = {pod for pod in cluster.pods if cluster.is_over(pod)}
    cluster.settle()
    assert "NoProgress" in cluster.status.message
    assert (set(cluster.pods), list(cluster.jobs)) == (dead, cluster.created)


def test_a_job_is_stopped_once() -> None:
    cluster = unmoved()
    cluster.reconcile()
    (job,) = cluster.jobs.values()
    job["status"].pop("conditions")  # the Job controller waits for the pods that it stops
    assert actions(cluster) == []


def test_a_job_that_goes_on_where_the_limit_was_lowered_below_its_own_is_stopped() -> None:
    cluster = begun()
    for _ in range(2):
        cluster.start(cluster.live()[0])
        cluster.end(cluster.live()[0], code=1)
        cluster.settle()
    cluster.run["spec"]["execution"] = {"backoffLimit": 1}
    assert actions(cluster) == [StopJob(cluster.created[0], 86400)]


def test_a_job_that_a_queue_has_not_begun_goes_since_no_deadline_ends_it() -> None:
    cluster = unmoved()
    cluster.reconcile(calls=1)
    (job,) = cluster.jobs.values()
    job["spec"]["suspend"] = True
    assert [type(action) for action in actions(cluster)] == [DeleteJob]


def test_a_failed_job_that_still_stops_its_pods_goes_when_its_step_is_tried_again() -> None:
    cluster = unmoved()
    cluster.reconcile()
    (old,) = cluster.created
    cluster.jobs[old]["status"].pop("conditions")
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    assert list(cluster.jobs) == []
    cluster.run["spec"]["suspend"] = False
    cluster.settle()
    assert list(cluster.jobs) == [f"{old[:-1]}2"]


def test_of_a_worker_that_died_the_last_lines_of_its_log_are_told() -> None:
    cluster = failed(message=LOG)
    cluster.settle()
    (pod,) = cluster.pods
    assert (
        "the last time: loading weights: 40% | Traceback (most recent call last): | "
        'File "/app/engine.py", line 7, in generate | batch = model(tokens) | '
        f"RuntimeError: CUDA error: device-side assert triggered (exit 1, pod {pod})"
    ) in cluster.status.message


def test_of_a_worker_that_said_why_itself_only_that_is_told() -> None:
    cluster = failed(message=f'{LOG}error: i000-evaluate: a kernel went away\n{{"promptsDone": 7}}')
    cluster.settle()
    assert "the last time: a kernel went away (exit 1, pod" in cluster.status.message


@pytest.mark.parametrize("line", ["x" * 300, "ä" * 4000])
def test_lines_of_any_length_leave_room_for_how_it_goes_on(line: str) -> None:
    cluster = failed(message="\n".join([line] * 6))
    cluster.settle()
    assert cluster.status.message.endswith("a field that is fixed needs a run of another name")
    (pod,) = cluster.pods
    assert cluster.status.step is not None
    assert (cluster.status.step.message or "").endswith(f"(exit 1, pod {pod})")
