"""The sidecar in which programs run: only where programs are checked, and with nothing that they could take."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from selfimprove.api.installation import Defaults
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove_operator.observed import pod_of
from selfimprove_operator.pods import pod_spec
from tests.unit.operator_support import GPU, Cluster, finish_run, run_manifest

PROGRAM = {"uri": "s3://lab/train.jsonl", "task": "Program", "fields": {"answer": "answer"}}


@dataclass
class Keeping(Cluster):
    """A cluster that remembers the pods of Jobs that are long gone."""

    templates: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create(self, manifest: Any) -> None:
        self.templates[manifest["metadata"]["name"]] = manifest["spec"]["template"]["spec"]
        super().create(manifest)


def pods(**changes: Any) -> dict[str, dict[str, Any]]:
    """The pod of every step of a run of one iteration, by the step's name."""
    spec = {"dataset": {**PROGRAM, "credentialsSecretName": "lab"}, "maxIterations": 1, **changes}
    cluster = Keeping(run_manifest(**spec))
    finish_run(cluster)
    assert cluster.status.state == "Succeeded"
    made = cluster.templates.items()
    return {name.removeprefix("gsm8k-1a2b3c4d-").removesuffix("-1"): pod for name, pod in made}


def sidecar_of(pod: dict[str, Any]) -> dict[str, Any]:
    (sidecar,) = pod["initContainers"]
    return dict(sidecar)


def test_steps_that_check_answers_have_a_sandbox_and_no_others() -> None:
    assert [name for name, pod in pods().items() if "initContainers" in pod] == [
        "i000-evaluate",
        "i001-generate",
        "i001-evaluate",
    ]


def test_without_colocation_the_sandbox_goes_with_verify() -> None:
    found = pods(execution={"colocate": False})
    assert "initContainers" in found["i001-verify"]
    assert "initContainers" not in found["i001-generate"]


@pytest.mark.parametrize("task", ["Math", "Exact"])
def test_other_tasks_have_none(task: str) -> None:
    found = pods(dataset={**PROGRAM, "task": task})
    assert not any("initContainers" in pod for pod in found.values())
    assert not any("sandbox" in json.dumps(pod) for pod in found.values())


def test_the_sandbox_has_no_gpu_no_order_and_no_credentials() -> None:
    pod = pods()["i000-evaluate"]
    sidecar, (worker,) = sidecar_of(pod), pod["containers"]
    assert GPU in worker["resources"]["limits"]
    assert any("valueFrom" in variable for variable in worker["env"])
    assert GPU not in {**sidecar["resources"]["limits"], **sidecar["resources"]["requests"]}
    assert sidecar["env"] == [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}]
    assert pod["automountServiceAccountToken"] is False


def test_the_sandbox_is_as_restricted_as_the_worker() -> None:
    pod = pods()["i000-evaluate"]
    sidecar, (worker,) = sidecar_of(pod), pod["containers"]
    assert sidecar["securityContext"] == worker["securityContext"]
    assert sidecar["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert sidecar["image"] == worker["image"]


def test_the_sandbox_outlives_the_worker_and_starts_before_it() -> None:
    assert sidecar_of(pods()["i000-evaluate"])["restartPolicy"] == "Always"


def test_both_meet_at_a_socket_in_a_volume_and_share_nothing_else() -> None:
    pod = pods()["i000-evaluate"]
    sidecar, (worker,) = sidecar_of(pod), pod["containers"]
    told = {variable["name"]: variable.get("value") for variable in worker["env"]}
    assert sidecar["args"] == ["sandbox", "--socket", told["SELFIMPROVE_SANDBOX"]]
    shared = {m["name"] for m in sidecar["volumeMounts"]} & {m["name"] for m in worker["volumeMounts"]}
    assert shared == {"scratch-sandbox"}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in (*sidecar["volumeMounts"], *worker["volumeMounts"])} <= set(volumes)
    assert volumes["scratch-programs"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "128Mi"}


ELSEWHERE = [{"name": "SELFIMPROVE_SANDBOX", "value": "/elsewhere"}]


def test_a_run_that_would_turn_the_sandbox_off_by_a_variable_is_refused() -> None:
    cluster = Cluster(run_manifest(dataset=PROGRAM, execution={"defaults": {"env": ELSEWHERE}}))
    cluster.settle()
    assert "SELFIMPROVE_SANDBOX is the worker's own" in cluster.status.message
    assert cluster.created == []


def test_an_installation_can_not_turn_the_sandbox_off_by_a_variable_either() -> None:
    spec = Spec.model_validate(run_manifest(dataset=PROGRAM)["spec"])
    defaults = Defaults.model_validate({"env": ELSEWHERE, "execution": {"env": ELSEWHERE}})
    (worker,) = pod_spec(spec, defaults, StepId(0, "evaluate"), "{}")["containers"]
    said = [variable["value"] for variable in worker["env"] if variable["name"] == "SELFIMPROVE_SANDBOX"]
    assert said == ["/sandbox/socket"]


def test_a_sandbox_whose_image_can_not_be_pulled_says_so() -> None:
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    worker = {"state": {"waiting": {"reason": "PodInitializing"}}}
    status = {"phase": "Pending", "initContainerStatuses": [waiting], "containerStatuses": [worker]}
    metadata = {
        "name": "p",
        "uid": "u",
        "creationTimestamp": "2026-11-24T00:00:00Z",
        "labels": {
            "selfimprove.dev/run": "gsm8k",
            "selfimprove.dev/iteration": "1",
            "selfimprove.dev/step": "verify",
        },
    }
    assert pod_of({"metadata": metadata, "status": status}, GPU).waiting == "ImagePullBackOff: no such image"
