"""What the operator refuses though admission lets it through: files that no pod has, orders that no pod can take, GPUs.

A model that is to be split over more of them than its pod asks for would start in vain.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api import Run, Surroundings, resolve
from selfimprove.api.installation import Defaults, Gpu
from selfimprove_operator.split import beyond_the_gpus
from selfimprove_operator.told import MOST_BYTES
from tests.unit.operator_support import Cluster, condition, run_manifest

VOLUME = {"name": "data", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "data"}}
DATASET = {"uri": "s3://lab/train.jsonl", "task": "Math", "fields": {"answer": "answer"}}
REACH = (
    "is no file that pods reach: they see what is under the mountPath of execution.volumes, without ..; mount a volume "
    "there, or give s3:// or hf://"
)
MEND = "delete the run and apply it mended, or apply it under another name"
LINUX_LIMIT = 131_072


def verifier(uri: str) -> dict[str, Any]:
    return {"verification": {"methods": [{"type": "CoTBinary", "verifier": {"uri": uri}}]}}


PLACES = {
    "model.uri": lambda uri: {"model": {"uri": uri}},
    "dataset.uri": lambda uri: {"dataset": {**DATASET, "uri": uri}},
    "dataset.heldOut.uri": lambda uri: {"dataset": {**DATASET, "heldOut": {"uri": uri}}},
    "dataset.test.uri": lambda uri: {"dataset": {**DATASET, "test": {"uri": uri}}},
    "storage.uri": lambda uri: {"storage": {"uri": uri}},
    "resumeFrom.uri": lambda uri: {"resumeFrom": {"uri": uri, "iteration": 1}},
    "verification.methods[0].verifier.uri": verifier,
    "resampling.teacher.uri": lambda uri: {"resampling": {"strategy": "Interactive", "teacher": {"uri": uri}}},
}


def verdict(**spec: Any) -> tuple[str, str]:
    """The reason and the message of a run that is not accepted; empty where it is."""
    cluster = Cluster(run_manifest(**spec))
    cluster.settle()
    status, reason, message = condition(cluster, "Accepted")
    if status == "True":
        return "", ""
    assert cluster.created == []
    return reason, message


def test_a_run_that_is_not_accepted_shows_of_how_many_iterations_it_is_and_heeds_a_raise() -> None:
    cluster = Cluster(run_manifest(distillation={"numNodes": 2}, maxIterations=5))
    cluster.settle()
    assert cluster.status.progress == "0/5"
    cluster.run["spec"]["maxIterations"] = 7
    cluster.settle()
    assert cluster.status.progress == "0/7"
    del cluster.run["spec"]["maxIterations"]
    cluster.settle()
    assert cluster.status.progress == "0/3"


@pytest.mark.parametrize("field", PLACES)
@pytest.mark.parametrize("uri", ["file:///data2/x", "file:///data/../etc", "file:///data/%2e%2e/etc", "./data/x"])
def test_a_file_that_no_volume_holds_is_refused_wherever_it_is_named(field: str, uri: str) -> None:
    line = f"spec.{field}: {uri} {REACH}; no apply changes spec.{field}: {MEND}"
    assert verdict(**PLACES[field](uri), execution={"volumes": [VOLUME]}) == ("Invalid", line)


@pytest.mark.parametrize("field", PLACES)
@pytest.mark.parametrize("uri", ["file:///data/a/x..y", "file:///data/my%20x"])
def test_a_file_in_a_volume_is_accepted_wherever_it_is_named(field: str, uri: str) -> None:
    assert verdict(**PLACES[field](uri), execution={"volumes": [VOLUME]}) == ("", "")


def shots(count: int, letters: str) -> list[dict[str, str]]:
    return [{"prompt": letters, "completion": "4"}] * count


@pytest.mark.parametrize(
    ("dataset", "begins"),
    [
        ({"fewShot": shots(64, "x" * 2000)}, "spec.dataset.fewShot: takes 129,985 of the "),
        ({"fewShot": shots(64, "é" * 1000)}, "spec.dataset.fewShot: takes 129,985 of the "),
        ({"fewShot": shots(2, "x") + shots(1, "é" * 65_000)}, "spec.dataset.fewShot[2].prompt: takes 130,002 of the "),
        ({"template": "{{ prompt }}" + "x" * 65_000, "system": "y" * 60_000}, "spec.dataset.template: takes 65,014 of"),
    ],
)
def test_what_makes_an_order_too_long_is_named_with_its_bytes(dataset: dict[str, Any], begins: str) -> None:
    reason, message = verdict(dataset={**DATASET, **dataset})
    size, excess = (int(number.replace(",", "")) for number in re.findall(r"(?:of the|it,) ([0-9,]+) bytes", message))
    assert reason == "Invalid"
    assert message.startswith(begins)
    assert f"it can be told 120,000; shorten it, {excess:,} bytes must go; no apply changes spec.dataset." in message
    assert message.endswith(MEND)
    assert size - MOST_BYTES == excess


def test_what_an_apply_can_mend_is_asked_for_alone() -> None:
    _, message = verdict(execution={"queueName": "Team A"})
    assert message.startswith("spec.execution.queueName: Team A names no queue")
    assert MEND not in message


def test_the_remedy_stays_whole_however_many_problems_there_are() -> None:
    fields = dict.fromkeys(("id", "prompt", "rationale", "difficulty", "choices"), "")
    _, message = verdict(dataset={**DATASET, "fields": {"answer": "answer", **fields}, "uri": f"hf://{'x' * 1000}"})
    assert len(message) == 1000
    assert message.endswith(f"...; no apply changes spec.dataset.uri and 5 fields more: {MEND}")


def held_then(**spec: Any) -> Cluster:
    """A run that was held while its first step ran, and whose spec was changed so."""
    cluster = Cluster(run_manifest())
    cluster.settle()
    cluster.start(cluster.live()[0])
    cluster.settle()
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    assert cluster.status.state == "Suspended"
    cluster.run["spec"] |= spec
    cluster.settle()
    return cluster


def holds(cluster: Cluster, type: str) -> bool:
    return condition(cluster, type)[0] == "True"


def test_a_run_that_is_released_and_not_accepted_is_pending_and_says_why() -> None:
    cluster = held_then(suspend=False, execution={"queueName": "Team A"})
    assert cluster.status.state == "Pending"
    assert cluster.status.message.startswith("spec.execution.queueName: Team A names no queue")
    assert (holds(cluster, "Accepted"), holds(cluster, "Suspended")) == (False, False)


def test_a_run_that_is_not_accepted_stays_suspended_until_it_is_released() -> None:
    cluster = held_then(execution={"queueName": "Team A"})
    assert cluster.status.state == "Suspended"
    assert (holds(cluster, "Accepted"), holds(cluster, "Suspended")) == (False, True)


def test_a_released_run_goes_on_once_it_is_accepted() -> None:
    cluster = held_then(suspend=False, execution={"queueName": "Team A"})
    cluster.run["spec"]["execution"] = {}
    cluster.settle()
    assert (cluster.status.state, holds(cluster, "Accepted")) == ("Pending", True)
    assert len(cluster.live()) == 1


@given(st.integers(1750, 1900), st.sampled_from(["x", '"', "é"]))
def test_an_accepted_run_gives_no_worker_more_than_linux_takes(length: int, letter: str) -> None:
    size = len(json.dumps(letter, ensure_ascii=False).encode()) - 2
    cluster = Cluster(run_manifest(dataset={**DATASET, "fewShot": shots(64, letter * (length // size))}))
    cluster.settle()
    for template in cluster.templates.values():
        order = next(v["value"] for v in template["containers"][0]["env"] if v["name"] == "SELFIMPROVE_ORDER")
        assert len(f"SELFIMPROVE_ORDER={order}\0".encode()) <= LINUX_LIMIT


def split(size: int, **execution: Any) -> dict[str, Any]:
    return {"generation": {"engineArgs": {"tensorParallelSize": size}}, "execution": execution}


def asks(step: str, amount: int, resource: str = "nvidia.com/gpu") -> dict[str, Any]:
    return {"steps": {step: {"resources": {"limits": {resource: amount}}}}}


def test_a_model_split_over_more_gpus_than_its_pod_asks_for_is_refused() -> None:
    assert verdict(**split(4, **asks("evaluate", 4))) == (
        "Invalid",
        "spec.execution.steps.generate.resources: its pods ask for 1 nvidia.com/gpu, and "
        "spec.generation.engineArgs.tensorParallelSize is 4; ask for 4 in their limits (a tensorParallelSize that is "
        "not given is what the pod has)",
    )


def test_a_run_is_accepted_once_an_apply_gives_its_pods_the_gpus() -> None:
    cluster = Cluster(run_manifest(**split(4)))
    cluster.settle()
    assert condition(cluster, "Accepted")[1] == "Invalid"
    cluster.run["spec"]["execution"] = {"defaults": {"resources": {"limits": {"nvidia.com/gpu": 4}}}}
    cluster.settle()
    assert condition(cluster, "Accepted")[0] == "True"


@pytest.mark.parametrize(
    "execution",
    [
        {"defaults": {"resources": {"limits": {"nvidia.com/gpu": 4}}}},
        {"steps": asks("generate", 8)["steps"] | asks("evaluate", 4)["steps"]},
    ],
    ids=["defaults", "each step"],
)
def test_a_model_split_over_what_its_pods_ask_for_is_accepted(execution: dict[str, Any]) -> None:
    assert verdict(**split(4, **execution)) == ("", "")


def test_of_devices_of_another_name_nothing_is_said() -> None:
    run = Run.model_validate(run_manifest(**split(4, **asks("generate", 1, "amd.com/gpu"))))
    spec = resolve(run.spec, surroundings=Surroundings())
    fields = {problem.field for problem in beyond_the_gpus(spec, Defaults(gpu=Gpu(count=0)))}
    assert fields == {"spec.execution.steps.evaluate.resources"}


def test_transformers_splits_no_model() -> None:
    spec = split(4)
    spec["generation"]["engine"] = "Transformers"
    assert verdict(**spec) == ("", "")


def test_a_verifier_is_split_over_the_gpus_of_its_own_pod() -> None:
    model = {"uri": "hf://lab/judge", "engineArgs": {"tensorParallelSize": 2}}
    methods = {"verification": {"methods": [{"type": "CoTBinary", "verifier": model}]}}
    line = verdict(**methods, execution=asks("evaluate", 2))[1]
    assert line.startswith("spec.execution.steps.verify.resources: its pods ask for 1 nvidia.com/gpu, and ")
    assert "spec.verification.methods[0].verifier.engineArgs.tensorParallelSize is 2" in line
    both = {"steps": asks("evaluate", 2)["steps"] | asks("verify", 2)["steps"]}
    assert verdict(**methods, execution=both) == ("", "")
