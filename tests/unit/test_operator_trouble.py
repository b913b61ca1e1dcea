"""What keeps a step from going on, and when it is called healed, on a pretended cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.operator_support import Cluster, begun, condition, run_manifest


def test_broken_surroundings_degrade_the_run_and_heal_with_it() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=4, message="error: s3://lab/runs: access denied; mend the Secret s3")
    cluster.settle()
    assert condition(cluster, "Degraded")[0] == "True"
    assert "mend the Secret s3" in cluster.status.message
    assert cluster.status.counters.failures == 0
    cluster.start(cluster.live()[0])
    cluster.wait(90)
    cluster.settle()
    assert condition(cluster, "Degraded")[0] == "False"
    assert [event.reason for event in cluster.events][-2:] == ["Degraded", "Healed"]


def test_keys_that_the_storage_refuses_are_told_with_the_secret_that_they_come_from() -> None:
    cluster = begun()
    said = "s3://lab/runs: the secret key is refused; check AWS_SECRET_ACCESS_KEY, the region and the clock"
    cluster.end(cluster.live()[0], code=4, message=f"error: {said}")
    cluster.settle()
    assert (
        "; the keys come from Secret s3 in namespace research, which spec.storage.credentialsSecretName names; once "
        "that is mended it goes on by itself"
    ) in condition(cluster, "Degraded")[2]


def test_a_token_that_no_secret_of_the_run_gives_is_told_in_the_workers_own_words() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=4, message="error: hf://lab/base: access denied; set HF_TOKEN")
    cluster.settle()
    assert "Secret" not in condition(cluster, "Degraded")[2]


def broken_surroundings(cluster: Cluster, after: float) -> None:
    """The pod at hand gives up on its storage, so many seconds after its start, and the next one runs."""
    cluster.wait(after)
    cluster.end(cluster.live()[0], code=4, message="error: s3://lab/runs: can't be reached; check the network")
    cluster.settle()
    cluster.start(cluster.live()[0])
    cluster.settle()


def test_a_pod_that_tries_as_long_as_those_before_it_has_healed_nothing() -> None:
    """A storage that can't be reached takes its time, and more of it where the node is slow."""
    cluster = begun()
    for seconds in (130, 70, 150):
        broken_surroundings(cluster, after=seconds)
    for _ in range(3):  # at 70, 140 and 210 seconds: the longest before took 150
        cluster.wait(70)
        cluster.settle()
        assert condition(cluster, "Degraded")[0] == "True"
    assert [event.reason for event in cluster.events if event.reason in ("Degraded", "Healed")] == ["Degraded"]
    cluster.wait(2)
    cluster.settle()
    assert condition(cluster, "Degraded")[0] == "False"


def test_a_pod_that_was_at_work_for_hours_before_its_storage_broke_is_not_outlasted_for_hours() -> None:
    cluster = begun()
    broken_surroundings(cluster, after=4 * 3600)
    cluster.wait(15 * 60 + 50)
    cluster.settle()
    assert condition(cluster, "Degraded")[0] == "True"
    cluster.wait(20)
    cluster.settle()
    assert condition(cluster, "Degraded")[0] == "False"


@pytest.mark.parametrize("change", [{"suspend": True}, {"execution": {"serviceAccountName": "other"}}])
def test_what_is_held_or_tried_anew_is_not_called_healed(change: dict[str, Any]) -> None:
    """Another edit may have been the wrong one: what heals shows when the pods of the new attempt run."""
    cluster = begun()
    broken_surroundings(cluster, after=30)
    cluster.run["spec"].update(change)
    cluster.settle()
    assert condition(cluster, "Degraded")[0] == "False"
    assert "Healed" not in {event.reason for event in cluster.events}


def healings(cluster: Cluster) -> list[str]:
    return [event.reason for event in cluster.events if event.reason in ("Degraded", "Healed")]


@pytest.mark.parametrize("change", [{"suspend": True}, {"execution": {"serviceAccountName": "other"}}])
def test_what_is_held_or_tried_anew_is_called_healed_once_its_work_is_done(change: dict[str, Any]) -> None:
    cluster = begun()
    broken_surroundings(cluster, after=30)
    cluster.run["spec"].update(change)
    cluster.settle()
    cluster.run["spec"]["suspend"] = False
    cluster.pods = {name: pod for name, pod in cluster.pods.items() if not cluster.is_over(name)}
    cluster.settle()
    cluster.start(cluster.live()[0])
    cluster.settle()
    assert healings(cluster) == ["Degraded"]
    assert condition(cluster, "Degraded")[1] == "Unproven"
    cluster.end(cluster.live()[0])
    cluster.settle()
    assert healings(cluster) == ["Degraded", "Healed"]
    assert condition(cluster, "Degraded") == ("False", "Healthy", "")


def test_a_new_attempt_that_is_at_work_for_longer_than_any_trouble_takes_is_called_healed() -> None:
    cluster = begun()
    broken_surroundings(cluster, after=30)
    cluster.run["spec"]["execution"] = {"serviceAccountName": "other"}
    cluster.settle()
    cluster.start(cluster.live()[0])
    cluster.settle()
    cluster.wait(15 * 60)
    cluster.settle()
    assert healings(cluster) == ["Degraded"]
    cluster.wait(70)
    cluster.settle()
    assert healings(cluster) == ["Degraded", "Healed"]


def test_what_could_not_start_is_healed_as_soon_as_a_new_attempt_runs() -> None:
    cluster = Cluster()
    cluster.settle()
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    status = {"phase": "Pending", "containerStatuses": [{"name": "worker", "state": {"waiting": waiting}}]}
    cluster.pods[cluster.live()[0]]["status"] = status
    cluster.settle()
    cluster.run["spec"]["execution"] = {"images": {"sampler": "other:1"}}
    cluster.settle()
    assert healings(cluster) == ["Degraded"]
    cluster.start(cluster.live()[0])
    cluster.settle()
    assert healings(cluster) == ["Degraded", "Healed"]


def test_a_run_that_failed_in_its_trouble_is_healed_by_the_attempt_that_works() -> None:
    cluster = begun(execution={"pendingDeadlineSeconds": 60})
    cluster.end(cluster.live()[0], code=4, message="error: s3://lab/runs: can't be reached; check the network")
    cluster.settle()
    cluster.wait(100)
    cluster.settle()
    assert (cluster.status.state, healings(cluster)) == ("Failed", ["Degraded"])
    for suspend in (True, False):
        cluster.run["spec"]["suspend"] = suspend
        cluster.settle()
    cluster.start(cluster.live()[0])
    cluster.end(cluster.live()[0])
    cluster.settle()
    assert healings(cluster) == ["Degraded", "Healed"]


def test_a_shard_that_is_done_has_healed_whatever_the_one_before_it_took() -> None:
    cluster = begun(generation={"shards": 2})
    broken_surroundings(cluster, after=130)
    retry = cluster.live()[-1]
    cluster.end(retry)
    cluster.settle()
    assert condition(cluster, "Degraded")[0] == "False"


PULLS = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}


def cannot_start(cluster: Cluster, pod: str) -> None:
    """Its image can't be pulled, and that is told."""
    cluster.pods[pod]["status"] = {"phase": "Pending", "containerStatuses": [{"name": "worker", "state": PULLS}]}
    cluster.settle()


def test_a_pod_that_could_not_start_and_is_deleted_has_healed_nothing_until_another_one_runs() -> None:
    cluster = Cluster()
    cluster.settle()
    cannot_start(cluster, cluster.live()[0])
    cluster.evict(cluster.live()[0])
    cluster.settle()
    assert (healings(cluster), condition(cluster, "Degraded")[1]) == (["Degraded"], "Unproven")
    cluster.start(cluster.live()[0])
    cluster.settle()
    assert healings(cluster) == ["Degraded", "Healed"]


def test_a_shard_that_is_at_work_or_done_heals_nothing_that_keeps_another_from_starting() -> None:
    cluster = Cluster(run_manifest(generation={"shards": 2}))
    cluster.settle()
    first, second = cluster.live()
    cluster.start(first)
    cannot_start(cluster, second)
    cluster.evict(second)
    cluster.settle()
    cluster.end(first)
    cluster.settle()
    assert (healings(cluster), condition(cluster, "Degraded")[1]) == (["Degraded"], "Unproven")
    cluster.start(cluster.live()[0])
    cluster.settle()
    assert healings(cluster) == ["Degraded", "Healed"]


def test_a_job_whose_place_kueue_takes_away_has_healed_nothing() -> None:
    cluster = Cluster(run_manifest(execution={"queueName": "q"}))
    cluster.settle()
    cluster.suspend(cluster.created[0], False)
    cannot_start(cluster, cluster.live()[0])
    cluster.suspend(cluster.created[0], True)
    cluster.settle()
    assert (healings(cluster), condition(cluster, "Degraded")[1]) == (["Degraded"], "Unproven")


def test_a_retry_that_is_evicted_has_not_healed_what_ended_the_pod_before_it() -> None:
    cluster = begun()
    broken_surroundings(cluster, after=30)
    cluster.wait(5)
    cluster.end(cluster.live()[0], 137, "cut", disrupted=True)
    cluster.settle()
    assert (healings(cluster), condition(cluster, "Degraded")[1]) == (["Degraded"], "Unproven")
    cluster.start(cluster.live()[0])
    cluster.wait(95)
    cluster.settle()
    assert healings(cluster) == ["Degraded", "Healed"]


def test_what_an_ended_pod_said_is_not_told_anew_when_its_step_is_let_go_on() -> None:
    cluster = begun()
    broken_surroundings(cluster, after=30)
    for suspend in (True, False):
        cluster.run["spec"]["suspend"] = suspend
        cluster.settle()
    assert (healings(cluster), condition(cluster, "Degraded")[1]) == (["Degraded"], "Unproven")
    broken_surroundings(cluster, after=30)
    assert healings(cluster) == ["Degraded", "Degraded"], "another pod met it"


def test_after_a_hold_only_what_pods_say_from_then_on_is_told_whichever_shard_says_it() -> None:
    cluster = begun(generation={"shards": 2})
    while cluster.status.step and cluster.status.step.shards < 2:
        cluster.end(cluster.live()[0])
        cluster.settle()
        for pod in cluster.live():
            cluster.start(pod)
        cluster.settle()
    for pod in cluster.live():
        cluster.wait(30)
        cluster.end(pod, code=4, message="error: s3://lab/runs: can't be reached; check the network")
    for suspend in (None, True, False):
        cluster.run["spec"]["suspend"] = bool(suspend)
        cluster.settle()
        cluster.wait(10)
    for pod in cluster.live():
        cluster.start(pod)
    cluster.settle()
    assert (healings(cluster), condition(cluster, "Degraded")[1]) == (["Degraded"], "Unproven")
    cluster.wait(30)
    cluster.end(max(cluster.live(), key=cluster.index), code=4, message="error: s3://lab/runs: access denied")
    cluster.settle()
    assert (healings(cluster), condition(cluster, "Degraded")[0]) == (["Degraded", "Degraded"], "True")
    assert "access denied" in condition(cluster, "Degraded")[2]


def test_a_refused_pod_shows_the_api_servers_reason() -> None:
    cluster = Cluster()
    cluster.settle()
    cluster.refusals = {cluster.created[0]: 'pods "x" is forbidden: exceeded quota: gpus'}
    cluster.settle()
    assert "exceeded quota: gpus" in condition(cluster, "Degraded")[2]


def test_a_pod_that_never_starts_ends_the_run_after_the_deadline_with_the_schedulers_reason() -> None:
    cluster = Cluster(run_manifest(execution={"pendingDeadlineSeconds": 600}))
    cluster.settle()
    pod = cluster.live()[0]
    scheduled = {
        "type": "PodScheduled",
        "status": "False",
        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    }
    cluster.pods[pod]["status"]["conditions"] = [scheduled]
    cluster.wait(60)
    cluster.settle()
    assert "3 Insufficient nvidia.com/gpu; free nvidia.com/gpu on a node" in condition(cluster, "Degraded")[2]
    cluster.wait(600)
    cluster.settle()
    assert cluster.status.state == "Failed"
    assert f"pendingDeadlineSeconds 600: no node takes {pod}: 0/3 nodes" in cluster.status.message
    assert (cluster.live(), list(cluster.jobs)) == ([], cluster.created), "its events stay to be read"


def test_a_job_whose_pods_are_never_made_says_where_to_look() -> None:
    cluster = Cluster(run_manifest(execution={"pendingDeadlineSeconds": 600}))
    cluster.settle()
    cluster.pods.clear()
    cluster.wait(700)
    cluster.settle()
    assert f"no pod was made; see kubectl describe job -n research {cluster.created[0]}" in cluster.status.message
