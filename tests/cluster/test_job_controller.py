"""What the Job controller makes of a pod that was deleted, and that we make the same of it: no kubelet is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from selfimprove.api import Surroundings, resolve
from selfimprove.api.installation import with_defaults
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove_operator.harvest import counts
from selfimprove_operator.jobs import job_for
from selfimprove_operator.observed import job_of, pod_of
from tests.fixtures.cluster import Cluster
from tests.fixtures.operator import until
from tests.unit.operator_support import DEFAULTS, GPU, run_manifest

pytestmark = pytest.mark.cluster

NODE = "node-of-nobody"
BEGUN = "2026-11-24T00:00:00Z"
FAILURES = "batch.kubernetes.io/job-index-failure-count"


@dataclass(frozen=True)
class LiveJob:
    """A Job of ours whose pods are bound and ended by the test."""

    cluster: Cluster
    namespace: str
    name: str

    def ask(self, *arguments: str, stdin: str | None = None) -> Any:
        """A kubectl command in the Job's namespace, and its answer as JSON."""
        answer = self.cluster.kubectl(*arguments, "-n", self.namespace, "-o", "json", stdin=stdin)
        assert answer.ok, answer.message
        return json.loads(answer.message)

    def pending(self) -> dict[str, Any]:
        """The pod that waits for a node, as soon as there is one."""
        found = ("get", "pods", "--field-selector", "status.phase=Pending,spec.nodeName=")
        pods: list[dict[str, Any]] = until(lambda: self.ask(*found)["items"], 30)
        return pods[0]

    def begin(self) -> str:
        """The name of its pod, which a node has taken and runs."""
        name = str(self.pending()["metadata"]["name"])
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/binding"
        bound = self.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(binding))
        assert bound.ok, bound.message
        self.tell(name, "Running", {"running": {"startedAt": BEGUN}})
        return name

    def tell(self, pod: str, phase: str, state: dict[str, Any]) -> dict[str, Any]:
        """What a kubelet tells of a pod; the pod with it."""
        container = {"name": "worker", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": state}
        status = json.dumps({"status": {"phase": phase, "containerStatuses": [container]}})
        found: dict[str, Any] = self.ask("patch", "pod", pod, "--subresource=status", "--type=merge", "-p", status)
        return found

    def kill(self, pod: str, *, ran: bool = True) -> bool:
        """A pod's end by SIGKILL, and whether we count it as a failure."""
        begun = BEGUN if ran else None
        ended = {"exitCode": 137, "reason": "Error", "startedAt": begun, "finishedAt": begun}
        job = job_of(self.ask("get", "job", self.name))
        return counts(pod_of(self.tell(pod, "Failed", {"running": None, "terminated": ended}), GPU), job)

    def suspend(self, suspend: bool) -> None:
        """Hold it, or let it go on."""
        self.ask("patch", "job", self.name, "--type=merge", "-p", json.dumps({"spec": {"suspend": suspend}}))

    def going(self, pod: str) -> bool:
        """Whether a pod is being deleted."""
        return "deletionTimestamp" in self.ask("get", "pod", pod)["metadata"]

    def counted(self) -> bool:
        """Whether the Job controller counted a failure of the pod before the one that waits."""
        return int(self.pending()["metadata"]["annotations"][FAILURES]) > 0


@pytest.fixture
def job(cluster: Cluster, namespace: str) -> Iterator[LiveJob]:
    """A Job as the operator makes it, of a run that is not there, for no scheduler."""
    run = run_manifest(execution={"backoffLimit": 1})
    spec = resolve(with_defaults(Spec.model_validate(run["spec"]), DEFAULTS), surroundings=Surroundings())
    manifest = job_for(run, spec, DEFAULTS, "s3://lab/runs/x", StepId(1, "select"), [], 1)
    manifest["metadata"] |= {"namespace": namespace, "ownerReferences": []}
    manifest["spec"]["template"]["spec"]["schedulerName"] = "nobody"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
    applied = cluster.apply(node, manifest, namespace=namespace)
    assert applied.ok, applied.message
    yield LiveJob(cluster, namespace, manifest["metadata"]["name"])
    cluster.kubectl("delete", "node", NODE, "--wait=false")


@pytest.mark.parametrize("ran", [True, False])
def test_a_pod_that_somebody_deletes_and_that_is_killed_is_a_failure_for_both(job: LiveJob, ran: bool) -> None:
    pod = job.begin()
    assert job.cluster.kubectl("delete", "pod", pod, "-n", job.namespace, "--wait=false").ok
    assert (job.kill(pod, ran=ran), job.counted()) == (True, True)


def test_a_pod_that_is_killed_since_its_job_is_held_is_none_for_either(job: LiveJob) -> None:
    pod = job.begin()
    job.suspend(True)
    until(lambda: job.going(pod))
    ours = job.kill(pod)
    job.suspend(False)
    assert (ours, job.counted()) == (False, False)


def test_a_pod_that_outlives_the_time_in_which_its_job_is_held_is_none_for_either(job: LiveJob) -> None:
    pod = job.begin()
    job.suspend(True)
    until(lambda: job.going(pod))
    job.suspend(False)
    until(lambda: job_of(job.ask("get", "job", job.name)).resumed_at)
    assert (job.kill(pod), job.counted()) == (False, False)
