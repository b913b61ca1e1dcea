"""The reconcile of a run, on a pretended cluster: what is written and done after each thing that can happen to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from selfimprove.api.execution import StepName
from selfimprove.api.installation import Defaults, with_defaults
from selfimprove.api.spec import Metadata, Spec
from selfimprove.ledger import StepId
from selfimprove.orders import Order
from selfimprove_operator.actions import DeleteJob
from selfimprove_operator.pods import pod_spec
from selfimprove_operator.reconcile import reconcile
from tests.unit.operator_support import DEFAULTS, GPU, Cluster, begun, finish_run, run_manifest


def condition(cluster: Cluster, type: str) -> tuple[str, str, str]:
    found = next(c for c in cluster.status.conditions if c.type == type)
    return found.status, found.reason, found.message


def test_a_new_run_is_accepted_and_its_first_step_becomes_a_job() -> None:
    cluster = Cluster()
    cluster.settle()
    assert cluster.created == ["gsm8k-1a2b3c4d-i000-evaluate-1"]
    assert condition(cluster, "Accepted")[0] == "True"
    assert cluster.status.run_uri == "s3://lab/runs/research/gsm8k-1a2b3c4d"
    assert cluster.status.resolved["spec.storage.uri"] == "s3://lab/runs"
    assert [event.reason for event in cluster.events] == ["Accepted", "StepBegun"]


def test_the_intent_is_written_before_the_job_is_made() -> None:
    cluster = Cluster()
    cluster.reconcile(calls=1)
    assert cluster.created == []
    assert cluster.status.step is not None and cluster.status.step.job == "gsm8k-1a2b3c4d-i000-evaluate-1"
    cluster.settle()
    assert cluster.created == ["gsm8k-1a2b3c4d-i000-evaluate-1"]


def test_nothing_is_written_at_rest() -> None:
    cluster = begun()
    written = cluster.writes
    for _ in range(5):
        cluster.wait(30)
        assert not cluster.reconcile()
    assert cluster.writes == written


def test_a_run_goes_through_every_step_and_ends_with_its_best() -> None:
    cluster = Cluster()
    finish_run(cluster)
    steps = [name.removeprefix("gsm8k-1a2b3c4d-") for name in cluster.created]
    iteration = ["generate-1", "select-1", "distill-1", "evaluate-1", "measure-1"]
    assert steps == ["i000-evaluate-1", "i000-measure-1", *(f"i00{n}-{name}" for n in (1, 2) for name in iteration)]
    status = cluster.status
    assert (status.state, status.progress, status.stop and status.stop.rule) == ("Succeeded", "2/2", "MaxIterations")
    assert status.best is not None and status.best.iteration == 2
    assert [row.iteration for row in status.iterations] == [1, 2]
    assert condition(cluster, "Finished")[:2] == ("True", "MaxIterations")


def test_seed_training_is_a_job_of_the_trainer_before_the_baseline_and_m_0_a_checkpoint_of_the_run() -> None:
    fields = {"answer": "answer", "rationale": "solution"}
    dataset = {"uri": "s3://lab/train.jsonl", "task": "Math", "fields": fields}
    cluster = Cluster(run_manifest(dataset=dataset, selection={"seedTraining": "References"}, maxIterations=1))
    finish_run(cluster)
    steps = [name.removeprefix("gsm8k-1a2b3c4d-") for name in cluster.created]
    assert steps[:4] == ["i000-distill-1", "i000-evaluate-1", "i000-measure-1", "i001-generate-1"]
    assert worker_of(cluster, "i000-distill")["resources"] == worker_of(cluster, "i001-distill")["resources"]
    assert cluster.status.state == "Succeeded"


def test_a_step_of_one_shard_costs_two_status_writes() -> None:
    cluster = Cluster()
    finish_run(cluster)
    assert cluster.writes <= 2 * len(cluster.created) + 1


def test_workers_are_told_whose_run_it_is_so_that_they_can_write_it_down() -> None:
    cluster = Cluster()
    cluster.run["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{...}"}
    cluster.settle()
    (container,) = cluster.jobs[cluster.created[0]]["spec"]["template"]["spec"]["containers"]
    order = next(variable["value"] for variable in container["env"] if variable["name"] == "SELFIMPROVE_ORDER")
    assert Order.model_validate_json(order).metadata == Metadata(
        name="gsm8k", namespace="research", uid="1a2b3c4d-0000"
    )


def test_a_run_that_goes_on_from_another_asks_for_every_step_and_says_why() -> None:
    cluster = Cluster(run_manifest(resumeFrom={"uri": "s3://lab/runs/old", "iteration": 1}))
    cluster.settle()
    assert cluster.status.plan is not None
    assert cluster.status.plan.reason == "it is taken over from s3://lab/runs/old"
    finish_run(cluster)
    assert cluster.status.state == "Succeeded"


def worker_of(cluster: Cluster, step: str) -> Any:
    """The container of the Job that does a step."""
    (container,) = next(pod for name, pod in cluster.templates.items() if f"-{step}-" in name)["containers"]
    return container


def test_a_step_that_is_taken_over_waits_for_no_gpu_and_the_next_one_asks_for_it() -> None:
    gpus = {"defaults": {"resources": {"limits": {GPU: 2, "memory": "16Gi"}}}}
    cluster = Cluster(run_manifest(resumeFrom={"uri": "s3://lab/runs/old", "iteration": 1}, execution=gpus))
    finish_run(cluster)
    assert worker_of(cluster, "i001-generate")["resources"] == {"limits": {"memory": "16Gi"}}
    assert worker_of(cluster, "i001-distill")["image"] == "verifier:1"
    assert worker_of(cluster, "i002-generate")["resources"] == {"limits": {GPU: "2", "memory": "16Gi"}}
    assert worker_of(cluster, "i002-select")["resources"] == {"limits": {"memory": "16Gi"}}


def test_gpu_seconds_are_counted_from_the_pods_times_all_attempts() -> None:
    cluster = begun(maxIterations=1)
    cluster.wait(10)
    cluster.end(cluster.live()[0], code=1)
    cluster.settle()
    assert (cluster.status.usage.gpu_seconds, cluster.status.counters.failures) == (10, 1)
    finish_run(cluster)
    assert cluster.status.usage.gpu_seconds == 10 + 10 * 4  # evaluate twice, generate (with verify), distill
    assert cluster.status.iterations[0].gpu_seconds == 30


def test_a_container_that_never_started_costs_no_time() -> None:
    cluster = Cluster(run_manifest(stopping={"budget": {"gpuSeconds": 100, "wallSeconds": 3600}}))
    cluster.settle()
    cluster.end(cluster.live()[0], code=128)
    ended = next(iter(cluster.pods.values()))["status"]["containerStatuses"][0]["state"]["terminated"]
    ended |= {"reason": "StartError", "startedAt": "1970-01-01T00:00:00Z"}
    cluster.settle()
    assert (cluster.status.usage.gpu_seconds, cluster.status.usage.wall_seconds) == (0, 0)
    assert (cluster.status.state, cluster.status.stop) == ("Pending", None)


def test_a_held_run_is_held_whatever_the_server_has_against_its_jobs() -> None:
    cluster = begun()
    cluster.run["spec"]["suspend"] = True
    cluster.run["metadata"]["generation"] = 2
    cluster.reconcile(replace(cluster.look(), refused="spec.template.spec.tolerations[0]: Unsupported value"))
    cluster.settle()
    assert cluster.status.state == "Suspended"
    assert all(job["spec"]["suspend"] for job in cluster.jobs.values())


def test_shards_are_counted_as_they_end() -> None:
    cluster = begun(generation={"shards": 3})
    cluster.end(cluster.live()[1])
    cluster.settle()
    step = cluster.status.step
    assert step is not None
    assert (step.shards, step.shards_done, step.done) == (3, 1, "1")
    assert cluster.status.message == "i000-evaluate: 1 of 3 shards done"


def test_without_colocation_verify_has_a_job_of_its_own() -> None:
    cluster = Cluster(run_manifest(execution={"colocate": False}, maxIterations=1))
    finish_run(cluster)
    assert "gsm8k-1a2b3c4d-i001-verify-1" in cluster.created


def merged(chart: dict[str, Any], run: dict[str, Any], step: dict[str, Any]) -> Any:
    """The pod of `evaluate` when the chart, the run's defaults and the step's own settings say this."""
    defaults = Defaults.model_validate({**DEFAULTS.to_json(), "execution": chart, "gpu": {"count": 0}})
    manifest = run_manifest(execution={"defaults": run, "steps": {"evaluate": step}})
    spec = with_defaults(Spec.model_validate(manifest["spec"]), defaults)
    return pod_spec(spec, defaults, StepId(0, "evaluate"), order="")


def test_amounts_are_merged_one_by_one_over_those_of_the_chart() -> None:
    """Who asks for two GPUs has not said that the pod needs no memory."""
    pod = merged(
        {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}},
        {"resources": {"requests": {"cpu": "10m"}}},
        {"resources": {"limits": {GPU: 2}}},
    )
    assert pod["containers"][0]["resources"] == {
        "requests": {"cpu": "10m", "memory": "1Gi"},
        "limits": {"memory": "4Gi", GPU: "2"},
    }


def test_a_request_from_below_gives_way_to_a_lower_limit_and_one_beside_it_does_not() -> None:
    below = {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}
    pod = merged(below, {"resources": {"limits": {"memory": "512Mi", "cpu": 1}}}, {})
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "500m"}
    pod = merged({}, {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}}, {})
    assert pod["containers"][0]["resources"]["requests"] == {"memory": "1Gi"}


def test_labels_of_nodes_are_merged_by_key_variables_by_name_and_lists_replaced() -> None:
    pod = merged(
        {
            "nodeSelector": {"pool": "gpu", "zone": "a"},
            "tolerations": [{"key": "x", "operator": "Exists"}],
            "env": [{"name": "A", "value": "chart"}, {"name": "B", "value": "chart"}],
        },
        {"nodeSelector": {"zone": "b"}, "env": [{"name": "B", "value": "run"}]},
        {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "y", "operator": "Exists"}]},
    )
    assert pod["nodeSelector"] == {"pool": "gpu", "zone": "b", "disk": "ssd"}
    assert pod["tolerations"] == [{"key": "y", "operator": "Exists"}]
    given = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert (given["A"], given["B"]) == ("chart", "run")


def test_another_model_verifies_in_a_job_of_its_own_with_a_gpu_and_resources_of_its_own() -> None:
    methods = [{"type": "Likelihood", "verifier": {"uri": "hf://lab/judge"}}]
    big = {"resources": {"limits": {"nvidia.com/gpu": 4, "memory": "64Gi"}}}
    manifest = run_manifest(verification={"methods": methods}, execution={"steps": {"verify": big}}, maxIterations=1)
    cluster = Cluster(manifest)
    finish_run(cluster)
    assert "gsm8k-1a2b3c4d-i001-verify-1" in cluster.created
    spec = with_defaults(Spec.model_validate(manifest["spec"]), DEFAULTS)
    steps: tuple[StepName, ...] = ("generate", "verify")
    pods = {step: pod_spec(spec, DEFAULTS, StepId(1, step), order="") for step in steps}
    limits = {step: pod["containers"][0]["resources"]["limits"] for step, pod in pods.items()}
    assert limits == {"generate": {GPU: "1"}, "verify": {"nvidia.com/gpu": "4", "memory": "64Gi"}}
    images = {pod["containers"][0]["image"] for pod in pods.values()}
    assert images == {"sampler:1"}


@pytest.mark.parametrize("kind", ["CoTScore", "CoTBinary", "Tournament"])
def test_a_method_that_asks_the_runs_own_model_shares_the_pod_of_generate(kind: str) -> None:
    cluster = Cluster(run_manifest(verification={"methods": [{"type": kind}]}, maxIterations=1))
    finish_run(cluster)
    assert "gsm8k-1a2b3c4d-i001-verify-1" not in cluster.created


def test_too_many_failures_end_the_run_with_the_last_message() -> None:
    cluster = begun(execution={"backoffLimit": 1})
    for _ in range(2):
        cluster.end(cluster.live()[0], code=1, message="Traceback...\nCUDA out of memory")
        cluster.settle()
    assert cluster.status.state == "Failed"
    status, reason, message = condition(cluster, "Failed")
    assert (status, reason) == ("True", "Failed")
    assert "CUDA out of memory" in message and "exit 1" in message
    assert cluster.status.stop is not None and cluster.status.stop.rule == "Failed"


@pytest.mark.parametrize("code", [2, 3])
def test_an_end_that_no_retry_can_mend_ends_the_run_at_once(code: int) -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=code, message="error: dataset.fields.answer: no column result")
    cluster.settle()
    assert cluster.status.state == "Failed"
    assert "dataset.fields.answer: no column result" in cluster.status.message


def test_a_failed_run_goes_on_after_it_was_suspended_and_released() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=3)
    cluster.settle()
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    assert cluster.status.state == "Suspended"
    assert condition(cluster, "Failed")[0] == "False"
    cluster.run["spec"]["suspend"] = False
    finish_run(cluster)
    assert cluster.status.state == "Succeeded"
    assert "gsm8k-1a2b3c4d-i000-evaluate-2" in cluster.created


def test_disruptions_and_signals_count_as_no_failure() -> None:
    cluster = begun(execution={"backoffLimit": 0})
    cluster.end(cluster.live()[0], code=137, disrupted=True)
    cluster.settle()
    cluster.start(cluster.live()[0])
    cluster.end(cluster.live()[0], code=143)
    cluster.settle()
    counters = cluster.status.counters
    assert (counters.failures, counters.disruptions, cluster.status.state) == (0, 1, "Pending")


def test_ten_stops_without_a_prompt_in_between_are_no_progress() -> None:
    cluster = begun()
    for done in (3, 3, *[3] * 10):
        cluster.end(cluster.live()[0], code=143, message=f'{{"promptsDone": {done}}}')
        cluster.settle()
        if cluster.status.state == "Failed":
            break
        cluster.start(cluster.live()[0])
    assert "NoProgress" in cluster.status.message


def test_one_stop_of_every_shard_is_no_standstill() -> None:
    cluster = begun(generation={"shards": 12})
    for pod in list(cluster.live()):
        cluster.end(pod, code=143, message='error: stopped by a signal\n{"promptsDone": 0}')
    cluster.settle()
    assert (cluster.status.state, cluster.status.stop) == ("Pending", None)


def test_how_far_a_failed_pod_was_is_not_told_as_its_reason() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code=1, message='error: i000-evaluate: a kernel went away\n{"promptsDone": 7}')
    cluster.settle()
    assert cluster.status.step is not None
    assert (cluster.status.step.message or "").startswith("a kernel went away (exit 1")


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


def test_a_step_that_ran_too_long_is_told_with_the_time_that_it_had_whatever_the_run_says_since() -> None:
    cluster = begun(execution={"defaults": {"activeDeadlineSeconds": 60}})
    cluster.run["spec"]["execution"] = {}
    cluster.give_up(cluster.created[0], "DeadlineExceeded")
    cluster.settle()
    assert "activeDeadlineSeconds: it ran longer than 60 s; give more" in cluster.status.message


def test_a_step_that_ran_too_long_keeps_no_pod_and_is_told_with_where_its_log_lies() -> None:
    limit = {"defaults": {"activeDeadlineSeconds": 60}}
    cluster = begun(execution=limit)
    cluster.give_up(cluster.created[0], "DeadlineExceeded")
    cluster.settle()
    log = "s3://lab/runs/research/gsm8k-1a2b3c4d/i000/evaluate/00000"
    assert f"activeDeadlineSeconds: it ran longer than 60 s; give more (log: under {log})" in cluster.status.message


def test_of_a_step_that_ran_too_long_without_a_pod_no_log_is_named() -> None:
    cluster = Cluster(run_manifest(execution={"defaults": {"activeDeadlineSeconds": 60}}))
    cluster.settle()
    cluster.give_up(cluster.created[0], "DeadlineExceeded")
    cluster.settle()
    assert "it ran longer than 60 s; give more" in cluster.status.message
    assert "(log:" not in cluster.status.message


def begun_of(cluster: Cluster) -> list[str]:
    return [event.message.partition(":")[0] for event in cluster.events if event.reason == "StepBegun"]


def test_a_step_is_told_to_begin_when_its_job_is_made_and_not_while_the_run_is_held() -> None:
    cluster = Cluster(run_manifest(suspend=True))
    cluster.settle()
    assert begun_of(cluster) == []
    cluster.run["spec"]["suspend"] = False
    cluster.settle()
    assert begun_of(cluster) == ["i000-evaluate"]


def test_an_attempt_after_a_failure_is_told_to_begin_once_the_run_is_let_go_on() -> None:
    cluster = begun(execution={"backoffLimit": 0})
    cluster.end(cluster.live()[0], code=1)
    cluster.settle()
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    assert begun_of(cluster) == ["i000-evaluate"]
    cluster.run["spec"]["suspend"] = False
    cluster.settle()
    assert begun_of(cluster) == ["i000-evaluate", "i000-evaluate (attempt 2)"]


def test_a_job_that_is_held_and_let_go_on_begins_once() -> None:
    cluster = begun()
    for suspend in (True, False):
        cluster.run["spec"]["suspend"] = suspend
        cluster.settle()
    assert begun_of(cluster) == ["i000-evaluate"]


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


def test_a_lost_last_word_makes_the_step_answer_again() -> None:
    cluster = Cluster()
    while not cluster.created or "measure" not in cluster.created[-1]:
        for pod in cluster.live():
            cluster.start(pod)
            cluster.end(pod)
        cluster.settle()
    cluster.end(cluster.live()[0], message="the log was cut")
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-1a2b3c4d-i000-measure-2"
    finish_run(cluster)
    assert cluster.created.count("gsm8k-1a2b3c4d-i000-measure-3") == 0


def test_a_job_that_vanished_is_made_again_as_the_next_attempt() -> None:
    cluster = begun()
    cluster.remove(cluster.created[0])
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-1a2b3c4d-i000-evaluate-2"
    finish_run(cluster)
    assert cluster.status.state == "Succeeded"


def test_a_job_of_an_earlier_run_of_that_name_is_not_ours() -> None:
    cluster = begun()
    other = run_manifest(uid="99999999-0000")
    cluster.run = other
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-99999999-i000-evaluate-1"


def test_what_the_pods_of_an_earlier_run_of_that_name_did_is_not_ours() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0])
    cluster.run = run_manifest(uid="99999999-0000")
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-99999999-i000-evaluate-1"
    assert cluster.status.committed == []


@pytest.mark.parametrize("code", [0, 3])
def test_what_a_pod_that_only_has_their_labels_did_is_not_ours(code: int) -> None:
    cluster = begun()
    cluster.end(cluster.live()[0], code)
    for pod in cluster.pods.values():
        pod["metadata"]["ownerReferences"] = []
    cluster.jobs[cluster.created[0]]["status"].pop("conditions", None)
    cluster.settle()
    assert cluster.status.step is not None
    assert (cluster.status.step.name, cluster.status.stop) == ("i000-evaluate", None)


def test_a_pod_stuck_on_a_dead_node_is_left_behind() -> None:
    cluster = begun()
    pod = cluster.live()[0]
    cluster.pods[pod]["metadata"]["deletionTimestamp"] = cluster.stamp()
    cluster.wait(timedelta(minutes=6).total_seconds())
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-1a2b3c4d-i000-evaluate-2"


def test_suspend_holds_the_job_and_release_lets_it_go_on() -> None:
    cluster = begun()
    job = cluster.created[0]
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    assert cluster.jobs[job]["spec"]["suspend"] is True
    assert (cluster.status.state, cluster.status.counters.suspensions) == ("Suspended", 1)
    assert cluster.status.message.startswith("spec.suspend holds the run; i000-evaluate is next: ")
    cluster.run["spec"]["suspend"] = False
    cluster.settle()
    assert cluster.jobs[job]["spec"]["suspend"] is False
    finish_run(cluster)
    assert cluster.status.state == "Succeeded"
    assert cluster.created.count(job) == 1


def test_a_suspended_run_begins_nothing() -> None:
    cluster = Cluster(run_manifest(suspend=True))
    cluster.settle()
    assert cluster.created == []
    assert cluster.status.state == "Suspended"
    assert cluster.status.message.startswith("spec.suspend holds the run; i000-evaluate is next: ")


def test_under_kueue_suspending_deletes_the_job_and_release_makes_the_next_attempt() -> None:
    cluster = begun(execution={"queueName": "gpus"})
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    assert cluster.jobs == {}
    cluster.run["spec"]["suspend"] = False
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-1a2b3c4d-i000-evaluate-2"
    assert "suspend" not in cluster.jobs[cluster.created[-1]]["spec"]


def test_an_eviction_by_kueue_is_a_suspension_and_never_undone_by_us() -> None:
    cluster = begun(execution={"queueName": "gpus", "pendingDeadlineSeconds": 60})
    job = cluster.created[0]
    cluster.suspend(job, True)
    cluster.wait(3600)
    cluster.settle()
    assert cluster.jobs[job]["spec"]["suspend"] is True
    assert (cluster.status.counters.suspensions, cluster.status.counters.failures) == (1, 0)
    assert cluster.status.state != "Failed"


def test_raising_max_iterations_reopens_an_ended_run() -> None:
    cluster = Cluster(run_manifest(maxIterations=1))
    finish_run(cluster)
    cluster.run["spec"]["maxIterations"] = 2
    finish_run(cluster)
    assert (cluster.status.progress, cluster.status.latest and cluster.status.latest.iteration) == ("2/2", 2)


def test_a_spent_budget_ends_the_run_between_iterations() -> None:
    cluster = Cluster(run_manifest(stopping={"budget": {"gpuSeconds": 1}}))
    finish_run(cluster)
    assert cluster.status.stop is not None and cluster.status.stop.rule == "BudgetSpent"


def test_finished_jobs_expire_only_after_their_outcome_is_written() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0])
    cluster.reconcile(calls=0)
    assert "ttlSecondsAfterFinished" not in cluster.jobs[cluster.created[0]]["spec"]
    cluster.settle()
    assert cluster.jobs[cluster.created[0]]["spec"]["ttlSecondsAfterFinished"] == 86400


def test_a_run_that_can_not_begin_says_why_and_begins_once_it_can() -> None:
    cluster = Cluster(run_manifest(distillation={"numNodes": 2}))
    cluster.settle()
    assert cluster.created == []
    status, reason, message = condition(cluster, "Accepted")
    assert (status, reason) == ("False", "Invalid")
    assert message.startswith("spec.distillation.numNodes: 2 is valid but not built yet")


def test_conditions_of_others_do_not_confuse_the_ledger() -> None:
    cluster = begun()
    cluster.run["status"]["conditions"].append({"type": "lab.example.com/Billed", "status": "True", "reason": "x"})
    cluster.end(cluster.live()[0])
    cluster.settle()
    assert cluster.created[-1] == "gsm8k-1a2b3c4d-i000-measure-1"


def test_a_run_that_is_being_deleted_is_left_alone() -> None:
    cluster = begun()
    cluster.run["metadata"]["deletionTimestamp"] = cluster.stamp()
    cluster.jobs.clear()
    assert not cluster.reconcile()


def test_in_a_namespace_that_is_being_deleted_jobs_go_and_nothing_is_begun() -> None:
    cluster = begun()
    outcome = reconcile(replace(cluster.look(), doomed=True), DEFAULTS, cluster.now)
    assert outcome.status is None
    assert [action.name for action in outcome.actions if isinstance(action, DeleteJob)] == cluster.created
    cluster.jobs.clear()
    assert not cluster.reconcile(replace(cluster.look(), doomed=True))
