"""What a worker's pod has of its own is refused to runs: the list of it is that of the pods themselves."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from selfimprove.api.reserved import OWN_VARIABLES, OWN_VOLUMES, is_taken
from selfimprove.crd import rules
from tests.unit.chart_support import CHART
from tests.unit.operator_support import Cluster, finish_run, run_manifest

PROGRAM = {"uri": "s3://lab/train.jsonl", "task": "Program", "fields": {"answer": "tests"}}
FROM_ELSEWHERE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
"""Of the storage's Secret: a run may give its own."""
OF_KUBERNETES = {"JOB_COMPLETION_INDEX"}


def pods() -> list[dict[str, Any]]:
    cluster = Cluster(run_manifest(maxIterations=1, dataset=PROGRAM))
    finish_run(cluster)
    return list(cluster.templates.values())


def test_every_variable_of_a_workers_own_is_refused_and_no_other() -> None:
    own = {variable["name"] for pod in pods() for variable in pod["containers"][0]["env"]}
    assert own - FROM_ELSEWHERE | OF_KUBERNETES == OWN_VARIABLES


def test_every_place_and_name_of_a_workers_own_volumes_is_refused() -> None:
    mounts = [mount for pod in pods() for mount in pod["containers"][0]["volumeMounts"]]
    assert {mount["mountPath"] for mount in mounts} == {"/tmp", "/cache", "/dev/shm", "/sandbox"}
    assert all(is_taken(mount["mountPath"]) for mount in mounts)
    assert all(volume["name"].startswith(OWN_VOLUMES) for pod in pods() for volume in pod["volumes"])


@pytest.mark.parametrize(
    "path", ["/", "//etc", "/etc/", "/data/../proc", "/dev/termination-log", "/opt/selfimprove/bin"]
)
def test_what_the_image_and_the_kernel_need_stays_seen(path: str) -> None:
    assert is_taken(path)


@pytest.mark.parametrize("path", ["/data", "/etc/ca", "/cache/huggingface", "/tmp/lab", "/mnt", "/var/lab", "/optics"])
def test_other_places_are_free(path: str) -> None:
    assert not is_taken(path)


def refused_by_the_definition(rule: str, text: str) -> bool:
    """By the pattern that a rule of the definition must not find."""
    (cel,) = {each.rule for each in rules() if each.name == rule}
    pattern = re.findall(r"!self(?:[.]name)?[.]matches[(]'(.*?)'[)]", cel)[-1]
    return re.search(pattern, text) is not None


@pytest.mark.parametrize("above", ["cache", "etc", "opt", "opt/selfimprove", "run", "tmp", "var", "bin", "boot", "dev"])
@pytest.mark.parametrize("below", ["", "/x", "x", "/x/usr"])
def test_the_definition_refuses_the_same_places(above: str, below: str) -> None:
    path = f"/{above}{below}"
    assert refused_by_the_definition("mount-path", path) == is_taken(path)


@pytest.mark.parametrize(
    "path", ["/lib", "/lib/x", "/lib64", "/library", "/proc", "/sandbox/x", "/sbin", "/sys", "/usr/a"]
)
def test_the_definition_refuses_what_the_system_has(path: str) -> None:
    assert refused_by_the_definition("mount-path", path) == is_taken(path)


@pytest.mark.parametrize("name", sorted(OWN_VARIABLES))
def test_the_definition_refuses_the_same_variables(name: str) -> None:
    assert refused_by_the_definition("variable", name)
    assert not refused_by_the_definition("variable", f"MY_{name}")
    assert not refused_by_the_definition("variable", f"{name}_2")


def test_the_chart_refuses_the_same_variables() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    name = schema["definitions"]["env"]["items"]["properties"]["name"]
    assert set(name["not"]["enum"]) == OWN_VARIABLES
