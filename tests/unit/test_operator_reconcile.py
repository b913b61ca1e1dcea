"""The reconcile of a run, on a pretended cluster: what is written and done after each thing that can happen to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from selfimprove_operator.actions import DeleteJob
from selfimprove_operator.reconcile import reconcile
from tests.unit.operator_support import DEFAULTS, Cluster, begun, condition, finish_run, run_manifest, start


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


def test_a_step_of_one_shard_costs_two_status_writes() -> None:
    cluster = Cluster()
    finish_run(cluster)
    assert cluster.writes <= 2 * len(cluster.created) + 1


def test_a_run_that_goes_on_from_another_asks_for_every_step_and_says_why() -> None:
    cluster = Cluster(run_manifest(resumeFrom={"uri": "s3://lab/runs/old", "iteration": 1}))
    cluster.settle()
    assert cluster.status.plan is not None
    assert cluster.status.plan.reason == "it is taken over from s3://lab/runs/old"
    finish_run(cluster)
    assert cluster.status.state == "Succeeded"


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


def test_a_step_is_told_with_those_that_its_pods_do_after_it() -> None:
    resampling = {"strategy": "BruteForce", "acceptThreshold": 1}
    cluster = Cluster(run_manifest(resampling=resampling, execution={"backoffLimit": 0}, maxIterations=1))
    while "i001-generate" not in str(cluster.created):
        start(cluster)
        for pod in cluster.live():
            cluster.end(pod)
        cluster.settle()
    assert begun_of(cluster)[-1] == "i001-generate (with i001-verify and i001-resample)"
    start(cluster)
    cluster.end(cluster.live()[0], code=1)
    cluster.settle()
    for suspend in (True, False):
        cluster.run["spec"]["suspend"] = suspend
        cluster.settle()
    assert begun_of(cluster)[-1] == "i001-generate (attempt 2, with i001-verify and i001-resample)"


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
