"""What happens to a run on its way: held, failed, refused, raised, queued, and what a person then sees."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from selfimprove.status import timestamp
from tests.cluster.run_support import OURS, LiveRun
from tests.fixtures.cluster import Cluster
from tests.fixtures.operator import Operator, until

pytestmark = pytest.mark.cluster

SLOW = {"fake/seconds": "60s"}


@pytest.fixture
def run(operator: Operator, nodes: Cluster, namespace: str) -> LiveRun:
    return LiveRun(nodes, namespace)


def test_a_suspended_run_holds_its_job_and_goes_on_with_it(run: LiveRun) -> None:
    run.apply("maxIterations=1", labels={"fake/seconds": "3s"}).wait_for_step("i000-evaluate")
    run.patch(suspend=True)
    status = run.wait("Suspended")
    until(lambda: run.job()["spec"]["suspend"])
    assert run.condition("Suspended")["status"] == "True"
    assert status["counters"]["suspensions"] == 1
    assert status["message"].startswith("spec.suspend holds the run; i000-evaluate is next: ")
    run.patch(suspend=False)
    assert run.wait("Succeeded")["counters"]["failures"] == 0
    assert run.jobs().count("i000-evaluate-1") == 1
    assert {"Suspended", "Resumed"} <= {reason for reason, _ in run.events()}


def test_a_run_that_is_suspended_from_the_beginning_makes_no_job(run: LiveRun) -> None:
    run.apply("suspend=true").wait("Suspended")
    assert run.jobs() == []


def test_a_step_that_no_retry_can_mend_fails_the_run_with_the_pods_own_words(run: LiveRun) -> None:
    status = run.apply(labels={"fake/fails": "distill", "fake/exit-code": "3"}).wait("Failed")
    assert "told to end with 3 (exit 3, pod gsm8k-" in status["message"]
    assert run.condition("Failed")["status"] == "True"
    assert run.condition("Finished")["reason"] == "Failed"


def test_failures_are_retried_and_then_end_the_run(run: LiveRun) -> None:
    run.apply("execution.backoffLimit=0", labels={"fake/fails": "select", "fake/exit-code": "1"})
    status = run.wait("Failed")
    assert "more than execution.backoffLimit 0" in status["message"]
    assert status["counters"]["failures"] == 1


def test_a_step_that_fails_keeps_its_job_and_the_failed_pods_and_its_other_shards_are_stopped(run: LiveRun) -> None:
    sets = ("execution.backoffLimit=0", "generation.shards=2")
    run.apply(*sets, labels={"fake/seconds": "60s"}).wait_for_step("i000-evaluate")
    until(lambda: [pod["status"]["phase"] for pod in run.items("pods")] == ["Running", "Running"])
    broken = run.items("pods")[0]["metadata"]["name"]
    _end(run, broken, 1)
    status = run.wait("Failed")
    until(lambda: [pod["metadata"]["name"] for pod in run.items("pods")] == [broken])
    job = until(lambda: _over(run))
    assert job["reason"] == "MaxFailedIndexesExceeded", "its own end, and not one that the operator brought about"
    assert f"the last time: line 1 | line 2 (exit 1, pod {broken})" in status["message"]


def test_a_job_that_never_got_a_pod_is_kept_with_its_events(run: LiveRun) -> None:
    run.apply("execution.defaults.nodeSelector.disk=none", "execution.pendingDeadlineSeconds=3").wait("Failed")
    assert until(lambda: _over(run))["reason"] == "DeadlineExceeded"
    assert run.jobs() == ["i000-evaluate-1"]
    until(lambda: not run.items("pods"))


def test_a_failed_run_goes_on_after_suspend_with_its_committed_work(run: LiveRun) -> None:
    run.apply("maxIterations=1", labels={"fake/fails": "distill", "fake/exit-code": "2"}).wait("Failed")
    run.cluster.kubectl("label", "sir", run.name, "-n", run.namespace, "fake/fails-")
    run.patch(suspend=True)
    run.wait("Suspended")
    run.patch(suspend=False)
    run.wait("Succeeded")
    jobs = run.jobs()
    assert [job for job in jobs if "distill" in job] == ["i001-distill-1", "i001-distill-2"]
    assert len(jobs) == 8


def test_a_finished_run_goes_on_when_max_iterations_is_raised(run: LiveRun) -> None:
    run.apply("maxIterations=1").wait("Succeeded")
    run.patch(maxIterations=2)
    until(lambda: run.status["progress"] == "2/2")
    assert run.wait("Succeeded")["stop"]["iteration"] == 2


def test_a_budget_ends_a_run_in_order_and_reopens_it_when_raised(run: LiveRun) -> None:
    status = run.apply("maxIterations=5", "stopping.budget.tokens=80").wait("Succeeded")
    assert status["stop"]["rule"] == "BudgetSpent"
    run.patch(stopping={"budget": {"tokens": 100000}})
    until(lambda: run.status["stop"] if run.status.get("stop", {}).get("rule") == "MaxIterations" else None)


def test_a_budget_that_is_lowered_under_a_step_at_work_lets_its_iteration_end(run: LiveRun) -> None:
    run.apply("maxIterations=2", labels={"fake/seconds": "2s"}).wait_for_step("i001-generate")
    run.patch(stopping={"budget": {"wallSeconds": 1}})
    run.patch(suspend=True)
    until(lambda: run.status["state"] == "Suspended", or_say=lambda: run.status)
    run.patch(suspend=False)
    stop = run.wait("Succeeded", 120)["stop"]
    assert (stop["rule"], stop["iteration"]) == ("BudgetSpent", 1)
    assert "StepStopped" not in {reason for reason, _ in run.events()}


def test_a_rule_that_is_edited_under_a_step_at_work_stops_it_and_the_lifted_one_goes_on(run: LiveRun) -> None:
    run.apply("maxIterations=2", labels={"fake/seconds": "6s"}).wait_for_step("i002-generate", seconds=180)
    run.patch(stopping={"minGap": 0.9, "patience": 1})
    assert run.wait("Succeeded")["stop"]["rule"] == "Converged"
    until(lambda: not [pod for pod in run.items("pods") if pod["status"]["phase"] == "Running"])
    until(lambda: "step" not in run.status, or_say=lambda: run.status)
    (step,) = [message.partition(" is")[0] for reason, message in run.events() if reason == "StepStopped"]
    assert step.startswith("i002-"), "on a busy machine the one after generate may be at work by then"
    spent = run.status["usage"]["wallSeconds"]
    run.patch(stopping={"minGap": None, "patience": None})
    until(lambda: run.status.get("stop", {}).get("rule") == "MaxIterations", 180, lambda: run.status)
    assert run.status["usage"]["wallSeconds"] > spent
    assert [job for job in run.jobs() if step in job] == [f"{step}-1", f"{step}-2"]


def test_a_changed_execution_is_heeded_by_the_next_step(run: LiveRun) -> None:
    run.apply("maxIterations=1", labels={"fake/seconds": "2s"}).wait_for_step("i000-evaluate")
    run.patch(execution={"defaults": {"nodeSelector": {"type": "fake"}}})
    run.wait("Succeeded")
    selectors = {
        job["metadata"]["labels"]["selfimprove.dev/step"]: job["spec"]["template"]["spec"].get("nodeSelector")
        for job in run.items("jobs", "-l", "selfimprove.dev/iteration=1")
    }
    assert set(map(str, selectors.values())) == {"{'type': 'fake'}"}


NO_TERMS = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
BAD_EXECUTIONS = {
    f"defaults.affinity={json.dumps(NO_TERMS)}": (
        "spec.execution.defaults.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
        "nodeSelectorTerms: is missing (must have at least one node selector term); give it"
    ),
    "defaults.affinity={nodeAffinty: {}}": (
        "spec.execution.defaults.affinity.nodeAffinty: no such field; mend its name, or remove it"
    ),
    "steps.distill.resources={requests: {cpu: 4}, limits: {cpu: 2}}": (
        "spec.execution.steps.distill.resources.requests.cpu: 4 is refused (must be less than or equal to cpu limit of "
        "2); lower it, or raise the limit"
    ),
    "defaults.tolerations=[{key: a, operator: Is}]": (
        "spec.execution.defaults.tolerations[0].operator: Is is none of Equal, Exists; give one of them"
    ),
    "defaults.env=[{name: A, value: '1'}, {name: B, valueFrom: {secretKeyRef: {name: s}}}]": (
        "spec.execution.defaults.env[1].valueFrom.secretKeyRef.key: is missing; give it"
    ),
    "volumes=[{name: data, mountPath: /data, secret: {}}]": (
        "spec.execution.volumes[0].secret.secretName: is missing; give it"
    ),
}


@pytest.mark.parametrize(("setting", "line"), BAD_EXECUTIONS.items(), ids=[name[:30] for name in BAD_EXECUTIONS])
def test_a_borrowed_type_that_is_wrong_is_refused_by_the_runs_own_field(run: LiveRun, setting: str, line: str) -> None:
    run.apply(f"execution.{setting}")
    accepted = until(lambda: run.condition("Accepted"))
    assert (accepted["status"], accepted["reason"], accepted["message"]) == ("False", "Refused", line)
    assert run.jobs() == []


def test_a_run_that_is_released_with_what_the_server_refuses_is_pending_until_it_is_mended(run: LiveRun) -> None:
    run.apply("maxIterations=1", labels={"fake/seconds": "3s"}).wait_for_step("i000-evaluate")
    run.patch(suspend=True)
    run.wait("Suspended")
    run.patch(suspend=False, execution={"defaults": {"affinity": NO_TERMS}})
    status = run.wait("Pending")
    assert status["message"] == run.condition("Accepted")["message"]
    assert "nodeSelectorTerms: is missing" in status["message"]
    assert run.condition("Suspended")["status"] == "False"
    run.patch(execution={"defaults": {"affinity": None}})
    run.wait("Succeeded")


def test_a_borrowed_type_that_was_wrong_heals(run: LiveRun) -> None:
    run.apply("maxIterations=1", f"execution.defaults.affinity={json.dumps(NO_TERMS)}")
    assert until(lambda: run.condition("Accepted"))["status"] == "False"
    run.patch(execution={"defaults": {"affinity": None}})
    run.wait("Succeeded")


def test_a_quota_that_refuses_the_pods_shows_within_a_minute_and_heals(run: LiveRun) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    assert run.cluster.apply(quota, namespace=run.namespace).ok
    run.apply("maxIterations=1")
    degraded = until(lambda: _true(run, "Degraded"))
    assert degraded["message"] == (
        "the API server refuses its pods: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0; "
        f"raise ResourceQuota none of namespace {run.namespace}, or let others of its pods end"
    )
    assert run.cluster.kubectl("delete", "resourcequota", "none", "-n", run.namespace).ok
    run.wait("Succeeded", 90)
    assert run.condition("Degraded")["status"] == "False"


@pytest.mark.parametrize("counted", ["count/jobs.batch", "count/pods"])
def test_a_quota_that_finished_jobs_fill_is_told_with_how_long_they_stay(run: LiveRun, counted: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {counted: "1"}}}
    assert run.cluster.apply(quota, namespace=run.namespace).ok
    run.apply("maxIterations=1")
    degraded = until(lambda: _true(run, "Degraded"))
    assert f"exceeded quota: few, requested: {counted}=1, used: {counted}=1" in degraded["message"]
    assert degraded["message"].endswith(
        f"raise ResourceQuota few of namespace {run.namespace}, or delete Jobs there that are over; with a lower "
        "spec.execution.ttlSecondsAfterFinished the next ones go sooner by themselves"
    )
    assert run.status["committed"] == ["i000-evaluate"]
    run.patch(execution={"ttlSecondsAfterFinished": 0})
    for job in run.items("jobs"):
        assert run.cluster.kubectl("delete", "job", job["metadata"]["name"], "-n", run.namespace).ok
    run.wait("Succeeded", 120)


RANGE = {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}
UNTAKEN = {
    "execution.defaults.resources={requests: {cpu: 4}, limits: {cpu: 4}}": (
        "maximum cpu usage per Container is 1, but limit is 4; change spec.execution.defaults.resources to lie within "
        "that, or the LimitRange of namespace {namespace}"
    ),
    "execution.steps.evaluate.priorityClassName=none-such": (
        "no PriorityClass with name none-such was found; create PriorityClass none-such, or mend "
        "spec.execution.steps.evaluate.priorityClassName"
    ),
    "execution.serviceAccountName=none-such": (
        'error looking up service account {namespace}/none-such: serviceaccount "none-such" not found; create '
        "ServiceAccount none-such in namespace {namespace}, or mend spec.execution.serviceAccountName"
    ),
}


@pytest.mark.parametrize(("setting", "line"), UNTAKEN.items(), ids=[name[:40] for name in UNTAKEN])
def test_pods_that_the_server_refuses_show_with_what_to_do(run: LiveRun, setting: str, line: str) -> None:
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "range"}, "spec": RANGE}
    assert run.cluster.apply(limits, namespace=run.namespace).ok
    run.apply(setting)
    degraded = until(lambda: _true(run, "Degraded"))
    assert degraded["message"] == f"the API server refuses its pods: {line.format(namespace=run.namespace)}"


def test_a_limit_that_a_range_gives_and_a_request_exceeds_shows_with_the_runs_own_field(run: LiveRun) -> None:
    spec = {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "range"}, "spec": spec}
    assert run.cluster.apply(limits, namespace=run.namespace).ok
    run.apply("execution.defaults.resources={requests: {cpu: 4}}")
    degraded = until(lambda: _true(run, "Degraded"))
    assert degraded["message"] == (
        'the API server refuses its pods: spec.containers[0].resources.requests: Invalid value: "4": must be less than '
        "or equal to cpu limit of 1; ask for less, or give a higher limit of cpu, in spec.execution.defaults.resources;"
        f" a LimitRange of namespace {run.namespace} gives one where that has none"
    )


def test_pod_security_that_refuses_the_pods_shows(run: LiveRun) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    assert run.cluster.kubectl("label", "namespace", run.namespace, label).ok
    run.apply("maxIterations=1").wait("Succeeded")  # ours are restricted


def test_no_room_on_any_node_shows_with_the_schedulers_words_and_heals_when_mended(run: LiveRun) -> None:
    run.apply("maxIterations=1", "execution.defaults.nodeSelector.disk=none")
    degraded = until(lambda: _true(run, "Degraded"))
    assert degraded["message"].endswith(
        "2 node(s) didn't match Pod's node affinity/selector; label a node to match, or mend "
        "spec.execution.defaults.nodeSelector"
    )
    run.patch(execution={"defaults": {"nodeSelector": None}})
    run.wait("Succeeded")
    assert run.condition("Degraded")["status"] == "False"
    assert run.jobs()[0] == "i000-evaluate-2", "the Job that waits in vain makes room for one with the new settings"


def test_a_pod_that_never_starts_ends_the_run_at_its_pending_deadline(run: LiveRun) -> None:
    run.apply("execution.defaults.nodeSelector.disk=none", "execution.pendingDeadlineSeconds=3")
    status = run.wait("Failed")
    assert "execution.pendingDeadlineSeconds 3" in status["message"] and "node affinity" in status["message"]


def test_pods_that_are_evicted_when_they_ran_longer_than_a_pod_may_wait_are_replaced(run: LiveRun) -> None:
    sets = ("execution.pendingDeadlineSeconds=3", "generation.shards=2")
    run.apply(*sets, labels={"fake/seconds": "8s"}).wait_for_step("i000-evaluate")
    time.sleep(5)
    evicted = [pod["metadata"]["name"] for pod in run.items("pods", "-l", OURS)]
    for pod in evicted:
        _evict(run, pod)
    run.wait_for_step("i000-measure")
    assert run.status["counters"]["failures"] == 0
    assert len(evicted) == 2 and run.jobs()[0] == "i000-evaluate-1"


def test_a_step_whose_pod_finds_no_place_any_more_is_pending_and_that_time_is_not_counted(run: LiveRun) -> None:
    """A quota keeps the Job controller from replacing the pod."""
    run.apply("maxIterations=1", labels={"fake/seconds": "4s"}).wait_for_step("i000-evaluate")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    assert run.cluster.apply(quota, namespace=run.namespace).ok
    _evict(run, run.items("pods", "-l", OURS)[0]["metadata"]["name"])
    run.wait("Pending")
    progressing = run.condition("Progressing")
    assert progressing["reason"] == "StepPending"
    assert "i000-evaluate waits for a pod, none has run since 20" in progressing["message"]
    time.sleep(10)
    assert run.status["usage"]["wallSeconds"] <= 4
    assert run.cluster.kubectl("delete", "resourcequota", "none", "-n", run.namespace).ok
    run.wait_for_step("i000-measure", seconds=90)
    assert run.status["usage"]["wallSeconds"] <= 10


def test_a_step_that_runs_too_long_ends_the_run(run: LiveRun) -> None:
    run.apply("execution.defaults.activeDeadlineSeconds=1", labels=SLOW)
    line = "spec.execution.defaults.activeDeadlineSeconds: it ran longer than 1 s; give more"
    assert line in run.wait("Failed")["message"]


def test_a_job_that_vanishes_is_made_again_as_the_next_attempt(run: LiveRun) -> None:
    run.apply("maxIterations=1", labels={"fake/seconds": "2s"}).wait_for_step("i000-evaluate")
    assert run.cluster.kubectl("delete", "job", run.status["step"]["job"], "-n", run.namespace).ok
    status = run.wait("Succeeded")
    assert "i000-evaluate-2" in run.jobs()
    assert status["counters"]["failures"] == 0


def test_jobs_of_a_finished_step_expire_after_their_outcome_is_taken(run: LiveRun) -> None:
    run.apply("maxIterations=1", "execution.ttlSecondsAfterFinished=0").wait("Succeeded")
    until(lambda: not run.items("jobs"))
    assert run.status["state"] == "Succeeded"


def test_a_namespace_goes_with_a_run_at_work_in_it(run: LiveRun) -> None:
    """Pods whose successors can't be made any more are kept by the Job controller for as long as their Job is there."""
    run.apply("execution.defaults.nodeSelector.disk=none").wait_for_step("i000-evaluate", "Pending")
    until(lambda: run.items("pods"))
    assert run.cluster.kubectl("delete", "namespace", run.namespace, "--timeout=110s").ok


def test_under_kueue_only_kueue_suspends_and_resumes_jobs(run: LiveRun) -> None:
    """Its contract, played by hand: suspended at creation, placed at admission, evicted by suspension."""
    run.apply("maxIterations=1", "execution.queueName=gpus", labels=SLOW)
    job = until(lambda: run.jobs() and run.job())
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    _patch_job(run, {"suspend": True})
    until(lambda: run.status["step"]["state"] == "Pending")
    _admit(run)
    run.wait_for_step("i000-evaluate")
    _patch_job(run, {"suspend": True})
    until(lambda: run.status["step"]["state"] == "Pending" and run.status["counters"]["suspensions"])
    assert run.status["counters"]["failures"] == 0
    assert run.jobs() == ["i000-evaluate-1"], "an eviction is Kueue's to end"


def test_under_kueue_a_suspended_runs_job_goes_and_the_next_attempt_goes_on(run: LiveRun) -> None:
    run.apply("maxIterations=1", "execution.queueName=gpus", labels=SLOW).wait_for_step("i000-evaluate")
    run.patch(suspend=True)
    run.wait("Suspended")
    until(lambda: not run.items("jobs"))
    run.patch(suspend=False)
    run.wait_for_step("i000-evaluate")
    assert run.jobs() == ["i000-evaluate-2"]


def _true(run: LiveRun, type: str) -> dict[str, Any]:
    found = run.condition(type)
    return found if found.get("status") == "True" else {}


def _over(run: LiveRun) -> dict[str, Any]:
    """How the one Job of a run says that it failed; empty before it does."""
    (job,) = run.items("jobs")
    return next((found for found in job["status"].get("conditions", []) if found["type"] == "Failed"), {})


def _end(run: LiveRun, pod: str, code: int) -> None:
    """A pod's worker dies with a code; its log is all that is left of it."""
    now = timestamp(datetime.now(UTC))
    ended = {"exitCode": code, "reason": "Error", "message": "line 1\nline 2", "startedAt": now, "finishedAt": now}
    container = {"name": "worker", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    container |= {"state": {"running": None, "terminated": ended}}
    status = json.dumps({"status": {"phase": "Failed", "containerStatuses": [container]}})
    options = ("-n", run.namespace, "--subresource=status", "--type=merge", "-p", status)
    assert run.cluster.kubectl("patch", "pod", pod, *options).ok


def _evict(run: LiveRun, pod: str) -> None:
    """What a drain does."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{run.namespace}/pods/{pod}/eviction"
    answer = run.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    assert answer.ok, answer.message


def _patch_job(run: LiveRun, spec: dict[str, Any]) -> None:
    name = run.status["step"]["job"]
    answer = run.cluster.kubectl(
        "patch", "job", name, "-n", run.namespace, "--type=merge", "-p", json.dumps({"spec": spec})
    )
    assert answer.ok, answer.message


def _admit(run: LiveRun) -> None:
    """Kueue's admission: the start time cleared, the flavour's node selector injected, then resumed."""
    name = run.status["step"]["job"]
    cleared = json.dumps({"status": {"startTime": None}})
    options = ("-n", run.namespace, "--subresource=status", "--type=merge", "-p", cleared)
    assert run.cluster.kubectl("patch", "job", name, *options).ok
    _patch_job(run, {"template": {"spec": {"nodeSelector": {"type": "fake"}}}})
    _patch_job(run, {"suspend": False})
