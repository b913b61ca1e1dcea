"""How a pod's end is read, as a kubelet tells it: in pieces, at length, and with times of its own."""

from __future__ import annotations

import json

import pytest

from selfimprove_operator.reconcile import GO_ON
from tests.unit.operator_support import Cluster, begun, last_word


def test_a_container_that_ended_well_before_its_pod_says_so_is_no_failure() -> None:
    cluster = begun()
    (pod,) = cluster.live()
    cluster.end(pod)
    cluster.pods[pod]["status"]["phase"] = "Running"
    cluster.settle()
    assert cluster.status.counters.failures == 0
    assert cluster.status.committed == ["i000-evaluate"]
    assert cluster.status.step is not None
    assert (cluster.status.step.name, cluster.status.step.message) == ("i000-measure", None)


def removed(cluster: Cluster, *, ran: bool = True, disrupted: bool = False) -> Cluster:
    """The pod at work was deleted, by whomever, and killed when its grace was over; or it never ran."""
    (pod,) = cluster.live()
    cluster.end(pod, code=137, disrupted=disrupted)
    cluster.pods[pod]["metadata"] |= {"deletionTimestamp": cluster.stamp(), "deletionGracePeriodSeconds": 0}
    if not ran:
        never = {"startedAt": None, "finishedAt": None}
        cluster.pods[pod]["status"]["containerStatuses"][0]["state"]["terminated"] |= never
    return cluster


def failures(cluster: Cluster) -> tuple[int, int | None]:
    """Those of the run, and of the shard that failed most: the latter is what the Job gives up by."""
    cluster.settle()
    assert cluster.status.step is not None
    return cluster.status.counters.failures, cluster.status.step.failures


@pytest.mark.parametrize(
    ("ran", "said"),
    [
        (True, "it was deleted, and killed since it did not end within its grace (exit 137, pod {pod})"),
        (False, "{pod}: it was deleted before it ran"),
    ],
)
def test_a_pod_that_somebody_deletes_is_a_failure_for_us_as_for_the_job_controller(ran: bool, said: str) -> None:
    cluster = begun()
    (pod,) = cluster.live()
    assert failures(removed(cluster, ran=ran)) == (1, 1)
    assert cluster.status.counters.disruptions == 0
    assert cluster.status.step is not None
    assert cluster.status.step.message == said.format(pod=pod)


def test_an_event_tells_of_an_eviction_with_its_step_its_pod_and_who_did_it() -> None:
    cluster = begun(generation={"shards": 2})
    pods = cluster.live()
    said = "Eviction API: evicting"
    for pod in pods:
        cluster.end(pod, code=143, disrupted=True)
        cluster.pods[pod]["status"]["conditions"][0]["message"] = said
    cluster.settle()
    told = [event for event in cluster.events if event.reason == "StepDisrupted"]
    assert [(event.type, event.message) for event in told] == [
        ("Warning", f"i000-evaluate: pod {pods[-1]} (and 1 more) was stopped: {said}; it counts as no failure")
    ]


def test_a_lost_node_that_says_nothing_is_told_of_once_each_time() -> None:
    cluster = begun()
    for _ in range(2):
        cluster.end(cluster.live()[0], code=137, disrupted=True)
        cluster.settle()
        cluster.settle()
    told = [event.message for event in cluster.events if event.reason == "StepDisrupted"]
    assert len(told) == 2
    assert "was stopped: its node, or who evicts pods, says no more" in told[0]


def test_a_pod_that_is_evicted_is_a_disruption_though_it_had_to_be_killed() -> None:
    cluster = begun()
    assert failures(removed(cluster, disrupted=True)) == (0, None)
    assert cluster.status.counters.disruptions == 1


@pytest.mark.parametrize("ran", [True, False])
def test_a_pod_that_goes_because_its_job_is_held_is_no_failure(ran: bool) -> None:
    cluster = begun()
    (job,) = cluster.jobs
    removed(cluster, ran=ran)
    cluster.run["spec"]["suspend"] = True
    cluster.jobs[job]["spec"]["suspend"] = True
    assert failures(cluster) == (0, None)


def let_go_on(cluster: Cluster) -> None:
    """Its Job was held until now."""
    (job,) = cluster.jobs
    let_go = {"type": "Suspended", "status": "False", "lastTransitionTime": cluster.stamp()}
    cluster.jobs[job]["status"]["conditions"] = [let_go]


def test_a_pod_that_outlives_the_time_in_which_its_job_was_held_is_no_failure() -> None:
    cluster = begun()
    removed(cluster)
    let_go_on(cluster)
    assert failures(cluster) == (0, None)


def test_a_pod_that_somebody_deletes_after_its_job_was_held_is_a_failure() -> None:
    cluster = begun()
    let_go_on(cluster)
    cluster.wait(1)
    assert failures(removed(cluster)) == (1, 1)


def test_pods_that_go_because_another_shard_failed_are_no_failures() -> None:
    cluster = begun(execution={"backoffLimit": 0}, generation={"shards": 3})
    first, second, third = cluster.live()
    cluster.end(first, code=1)
    assert failures(cluster) == (1, 1)
    for pod in (second, third):
        cluster.end(pod, code=137)
        cluster.pods[pod]["metadata"]["deletionTimestamp"] = cluster.stamp()
    assert failures(cluster) == (1, 1)


def test_pods_of_a_job_that_is_given_up_are_no_failures() -> None:
    cluster = begun()
    (job,) = cluster.jobs
    removed(cluster, ran=False)
    del cluster.jobs[job]
    assert failures(cluster) == (0, None)


def test_a_last_word_of_any_length_fits_the_status() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=1, message="error: " + "ä" * 4000)
    cluster.settle()
    assert cluster.status.step is not None and cluster.status.step.message is not None
    assert len(cluster.status.step.message.encode()) <= 1024


def test_a_fatal_last_word_of_any_length_fits_the_status() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=2, message="error: " + "x" * 4000)
    cluster.settle()
    assert cluster.status.state == "Failed"
    assert cluster.status.step is not None
    assert len((cluster.status.step.message or "").encode()) <= 1024


@pytest.mark.parametrize("limit", [0, 3])
def test_an_end_that_no_retry_can_mend_is_told_in_its_own_words_whatever_the_backoff_limit(limit: int) -> None:
    cluster = begun(execution={"backoffLimit": limit})
    (pod,) = cluster.live()
    cluster.end(pod, code=2, message="error: i000-evaluate: spec.dataset.uri: is no file; mend it")
    cluster.settle()
    assert cluster.status.message == (
        f"Failed: i000-evaluate: spec.dataset.uri: is no file; mend it (exit 2, pod {pod}); {GO_ON}"
    )
    assert cluster.status.counters.failures == 1
    assert [event.message for event in cluster.events if event.reason == "PodFailed"] == [
        f"i000-evaluate: spec.dataset.uri: is no file; mend it (exit 2, pod {pod})"
    ]


def test_a_failure_that_a_retry_could_mend_is_told_with_the_limit_that_forbids_it() -> None:
    cluster = begun(execution={"backoffLimit": 0})
    (pod,) = cluster.live()
    cluster.end(pod, code=1, message="error: i000-evaluate: it broke")
    cluster.settle()
    assert cluster.status.message == (
        "Failed: i000-evaluate: failed once, more than execution.backoffLimit 0; the last time: it broke "
        f"(exit 1, pod {pod}); {GO_ON}"
    )


def test_a_container_that_ran_out_of_memory_is_told_so_whatever_its_last_line_was() -> None:
    cluster = begun(execution={"backoffLimit": 0})
    (pod,) = cluster.live()
    cluster.end(pod, code=137, message="loading weights: 40%")
    cluster.pods[pod]["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] = "OOMKilled"
    cluster.settle()
    assert (
        "OOMKilled: it took more memory than its limit; give more by limits.memory of "
        "spec.execution.defaults.resources, or of spec.execution.steps.evaluate.resources where that is given "
        f"(exit 137, pod {pod})"
    ) in cluster.status.message


def test_a_pod_that_its_node_does_not_take_says_why() -> None:
    cluster = begun()
    (pod,) = cluster.live()
    said = {"reason": "UnexpectedAdmissionError", "message": "Pod was rejected: no healthy devices of nvidia.com/gpu"}
    cluster.pods[pod]["status"] = {"phase": "Failed", **said}
    cluster.settle()
    assert cluster.status.step is not None
    assert cluster.status.step.message == (
        f"{pod}: UnexpectedAdmissionError: Pod was rejected: no healthy devices of nvidia.com/gpu; "
        "kubectl get events shows more"
    )


def test_a_pod_of_which_nothing_is_known_says_so() -> None:
    cluster = begun()
    (pod,) = cluster.live()
    cluster.pods[pod]["status"] = {"phase": "Failed"}
    cluster.settle()
    assert cluster.status.step is not None
    assert cluster.status.step.message == (
        f"{pod}: it ended without a word, as when its node is lost; kubectl get events shows more"
    )


def test_a_step_that_is_stopped_again_and_again_says_by_whom() -> None:
    cluster = begun()
    said = "default-scheduler: preempting to accommodate a higher priority pod"
    while cluster.status.state != "Failed":
        (pod,) = cluster.live()
        cluster.start(pod)
        cluster.end(pod, code=143, disrupted=True)
        cluster.pods[pod]["status"]["conditions"][0]["message"] = said
        cluster.settle()
    assert (
        f"were stopped 10 times in a row without one more prompt done (the last time: {said}); give them nodes"
        in cluster.status.message
    )


def test_how_a_failed_run_goes_on_is_told_however_long_its_cause_is() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=2, message="error: " + "x" * 4000)
    cluster.settle()
    assert cluster.status.message.endswith(GO_ON)


def test_wall_clock_time_is_counted_once_not_by_the_worker_too() -> None:
    cluster = begun()
    cluster.wait(30)
    word = {**json.loads(last_word("i000-evaluate", 0)), "seconds": 28.0}
    cluster.end(cluster.live()[0], message=json.dumps(word))
    cluster.settle()
    assert cluster.status.usage.wall_seconds == 30


def test_a_job_that_goes_well_is_not_replaced_when_settings_change() -> None:
    cluster = begun()
    cluster.run["spec"]["execution"] = {"defaults": {"nodeSelector": {"disk": "ssd"}}}
    cluster.settle()
    assert len(cluster.created) == 1


def test_a_job_whose_pods_reach_no_storage_is_replaced_when_its_endpoint_is_mended() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=4, message="error: s3://lab/runs: http://typo:8333 does not answer")
    cluster.settle()
    cluster.run["spec"]["storage"] = {"uri": "s3://lab/runs", "endpoint": "http://s3:8333"}
    cluster.settle()
    assert len(cluster.created) == 2
    assert cluster.status.counters.failures == 0
