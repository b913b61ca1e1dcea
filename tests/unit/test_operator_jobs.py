"""What the Job of a step asks for, and which steps share one, on a pretended cluster."""

from __future__ import annotations

from typing import Any

import pytest

from selfimprove.api.execution import StepName
from selfimprove.api.installation import Defaults, with_defaults
from selfimprove.api.spec import Metadata, Spec
from selfimprove.ledger import StepId
from selfimprove.orders import Order
from selfimprove_operator.pods import pod_spec
from tests.unit.operator_support import DEFAULTS, GPU, Cluster, finish_run, run_manifest


def test_seed_training_is_a_job_of_the_trainer_before_the_baseline_and_m_0_a_checkpoint_of_the_run() -> None:
    fields = {"answer": "answer", "rationale": "solution"}
    dataset = {"uri": "s3://lab/train.jsonl", "task": "Math", "fields": fields}
    cluster = Cluster(run_manifest(dataset=dataset, selection={"seedTraining": "References"}, maxIterations=1))
    finish_run(cluster)
    steps = [name.removeprefix("gsm8k-1a2b3c4d-") for name in cluster.created]
    assert steps[:4] == ["i000-distill-1", "i000-evaluate-1", "i000-measure-1", "i001-generate-1"]
    assert worker_of(cluster, "i000-distill")["resources"] == worker_of(cluster, "i001-distill")["resources"]
    assert cluster.status.state == "Succeeded"


def test_workers_are_told_whose_run_it_is_so_that_they_can_write_it_down() -> None:
    cluster = Cluster()
    cluster.run["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{...}"}
    cluster.settle()
    (container,) = cluster.jobs[cluster.created[0]]["spec"]["template"]["spec"]["containers"]
    order = next(variable["value"] for variable in container["env"] if variable["name"] == "SELFIMPROVE_ORDER")
    assert Order.model_validate_json(order).metadata == Metadata(
        name="gsm8k", namespace="research", uid="1a2b3c4d-0000"
    )


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
