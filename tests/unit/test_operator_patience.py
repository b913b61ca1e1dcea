"""Which ends in a row are no progress: those that nobody asked for. What the user has stopped says nothing of nodes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from selfimprove_operator.trouble import MOST_IGNORED
from tests.unit.operator_support import Cluster, run_manifest

OFTEN = MOST_IGNORED + 1


def pending(**execution: Any) -> Cluster:
    """A run whose first pod is there."""
    cluster = Cluster(run_manifest(execution=execution))
    cluster.settle()
    return cluster


def ends_late(cluster: Cluster, *, ran: bool, code: int = 137) -> dict[str, Any]:
    """The pod at hand as it is when its deletion is over, which the operator sees after it had it deleted."""
    (pod,) = cluster.live()
    document = copy.deepcopy(cluster.pods[pod])
    ended: dict[str, Any] = {"exitCode": code, "reason": "Error", "startedAt": None, "finishedAt": None}
    if ran:
        ended |= {"startedAt": cluster.stamp(), "finishedAt": cluster.stamp()}
    document["metadata"]["deletionTimestamp"] = cluster.stamp()
    state = [{"name": "worker", "state": {"terminated": ended}}]
    document["status"] = {"phase": "Failed", "containerStatuses": state}
    return document


def seen(cluster: Cluster, pod: dict[str, Any]) -> None:
    """The end of a pod is seen, and then it is gone."""
    cluster.pods[pod["metadata"]["name"]] = pod
    cluster.settle()
    cluster.pods.pop(pod["metadata"]["name"], None)
    cluster.settle()


def ignored(cluster: Cluster) -> int | None:
    assert cluster.status.step is not None
    return cluster.status.step.ignored


def no_image(cluster: Cluster) -> None:
    """The pod at hand finds no image."""
    (pod,) = cluster.live()
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    cluster.pods[pod]["status"]["containerStatuses"] = [{"name": "worker", "state": {"waiting": waiting}}]
    cluster.settle()


def test_edits_of_a_run_whose_pods_never_ran_are_no_standstill_however_many() -> None:
    cluster = pending()
    for attempt in range(OFTEN):
        no_image(cluster)
        replaced = ends_late(cluster, ran=False)
        cluster.run["spec"]["execution"] = {"images": {"sampler": f"typo:{attempt}"}}
        cluster.settle()
        seen(cluster, replaced)
    assert (ignored(cluster), cluster.status.stop) == (None, None)
    assert len(cluster.created) == OFTEN + 1


def test_a_pod_that_is_deleted_before_it_ran_is_no_sign_of_nodes_that_do_not_last() -> None:
    cluster = pending(backoffLimit=100)
    for _ in range(OFTEN):
        (name,) = cluster.live()
        pod = ends_late(cluster, ran=False)
        pod["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]
        cluster.evict(name)
        seen(cluster, pod)
    assert (ignored(cluster), cluster.status.stop) == (None, None)


def test_edits_that_replace_a_pod_which_tries_again_are_no_standstill() -> None:
    cluster = pending()
    for attempt in range(OFTEN):
        (pod,) = cluster.live()
        cluster.start(pod)
        cluster.end(pod, code=4, message="error: s3://lab/runs: access denied")
        cluster.settle()
        (retry,) = cluster.live()
        cluster.start(retry)
        stopped = ends_late(cluster, ran=True, code=143)
        cluster.run["spec"]["execution"] = {"defaults": {"env": [{"name": "TRY", "value": str(attempt)}]}}
        cluster.settle()
        seen(cluster, stopped)
    assert (ignored(cluster), cluster.status.stop) == (None, None)


@pytest.mark.parametrize("queue", [{}, {"queueName": "gpus"}])
def test_a_run_that_its_user_holds_again_and_again_is_no_standstill(queue: dict[str, str]) -> None:
    cluster = pending(**queue)
    for _ in range(OFTEN):
        cluster.start(cluster.live()[0])
        cluster.settle()
        stopped = ends_late(cluster, ran=True, code=143)
        cluster.run["spec"]["suspend"] = True
        cluster.settle()
        seen(cluster, stopped)
        cluster.run["spec"]["suspend"] = False
        cluster.settle()
    assert (ignored(cluster), cluster.status.stop) == (None, None)


def test_a_step_that_loses_its_place_in_a_queue_again_and_again_comes_to_no_end() -> None:
    cluster = pending(queueName="gpus")
    (job,) = cluster.jobs
    while cluster.status.stop is None:
        cluster.start(cluster.live()[0])
        cluster.settle()
        stopped = ends_late(cluster, ran=True, code=143)
        cluster.suspend(job, True)
        seen(cluster, stopped)
        cluster.suspend(job, False)
        cluster.settle()
    assert "NoProgress: its pods were stopped 10 times in a row" in cluster.status.message
