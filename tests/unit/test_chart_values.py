"""Values of the chart: one is required, what is misspelled is refused, and each is written down."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.unit.chart_support import CHART, REGISTRY, ROOT, answer_of, template, with_helm

SET = f"--set=image.registry={REGISTRY}"


def leaves(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """The keys that a user sets: down to what is no map, or an empty one."""
    for name, value in values.items():
        here = f"{path}.{name}".lstrip(".")
        if isinstance(value, dict) and value:
            yield from leaves(value, here)
        else:
            yield here


@with_helm
@pytest.mark.parametrize("options", [[], ["--set=image.registry="], ["--set=cpu=true"]], ids=str)
def test_a_missing_registry_is_refused_by_name(helm: str, options: list[str]) -> None:
    answer = template(helm, *options)
    assert not answer.ok
    assert "registry" in answer.text
    assert "/image" in answer.text


@with_helm
def test_without_the_schema_it_is_refused_with_the_remedy(helm: str) -> None:
    answer = template(helm, "--skip-schema-validation")
    assert not answer.ok
    assert (
        "image.registry is empty; say where the images were pushed: --set image.registry=registry.example.com/ml"
        in answer.text
    )


@with_helm
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("defaults.storge.uri=s3://lab/runs", "storge"),
        ("watchNamespace={lab}", "watchNamespace"),
        ("watchNamespaces={Lab}", "/watchNamespaces/0"),
        ("watchNamespaces={lab,lab}", "/watchNamespaces"),
        ("defaults.storage.uri=lab/runs", "/defaults/storage/uri"),
        ("defaults.storage.endpoint=http://s3.lab:8333", "'uri' required, if 'endpoint' exists"),
        ("defaults.storage.retention=All", "retention"),
        ("defaults.gpu.count=-1", "/defaults/gpu/count"),
        ("defaults.execution.hostNetwork=true", "hostNetwork"),
        ("defaults.execution.resources.requests.cpu=many", "/defaults/execution/resources/requests/cpu"),
        ("defaults.execution.resources.limits.memory=16Gb", "/defaults/execution/resources/limits/memory"),
        ("defaults.execution.resources.limits.cpu=-1", "/defaults/execution/resources/limits/cpu"),
        ("resources.requests.memory=128MB", "/resources/requests/memory"),
        ("defaults.gpu.resourceName=gpus", "/defaults/gpu/resourceName"),
        ("defaults.images.sampler=lab/x y", "/defaults/images/sampler"),
        ("defaults.env[0].name=HOME", "/defaults/env/0/name"),
        ("defaults.execution.env[0].name=A B", "/defaults/execution/env/0/name"),
        ("defaults.env[0].value=x", "'name'"),
        ("image.tag=a b", "/image/tag"),
        ("image.operator=bad image", "/image/operator"),
        ("priorityClassName=A B", "/priorityClassName"),
        ("fullnameOverride=Bad_Name", "/fullnameOverride"),
        ("fullnameOverride=1st", "/fullnameOverride"),
        ("metrics.serviceMonitor.interval=abc", "/metrics/serviceMonitor/interval"),
        ("networkPolicy.apiServer.cidrs={foo}", "/networkPolicy/apiServer/cidrs/0"),
        ("networkPolicy.apiServer.cidrs={10.0.0.300/8}", "/networkPolicy/apiServer/cidrs/0"),
        ("networkPolicy.apiServer.cidrs={10.0.0.1}", "/networkPolicy/apiServer/cidrs/0"),
        ("image.pullSecrets={registry}", "/image/pullSecrets/0"),
        ("resyncSeconds=61", "/resyncSeconds"),
        ("crds.install=no", "/crds/install"),
        ("replicas=2", "replicas"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(helm: str, value: str, words: str) -> None:
    answer = template(helm, SET, f"--set={value}")
    assert not answer.ok
    assert words in answer.text


@with_helm
@pytest.mark.parametrize(
    "value",
    [
        "image.tag=v1.2_rc-1",
        "image.tag=",
        "image.operator=localhost:5000/ml/selfimprove-operator:1.0@sha256:" + "0a" * 32,
        "image.operator=",
        "priorityClassName=system-cluster-critical",
        "priorityClassName=",
        "fullnameOverride=lab-2",
        "fullnameOverride=",
        "metrics.serviceMonitor.interval=1m30s",
        "networkPolicy.apiServer.cidrs={10.0.0.1/32,0.0.0.0/0,fd00::1/128,::/0,::ffff:10.0.0.1/128}",
    ],
)
def test_a_right_value_is_accepted(helm: str, value: str) -> None:
    answer = template(helm, SET, f"--set={value}")
    assert answer.ok, answer.text


@with_helm
def test_as_a_part_of_another_chart_it_takes_global_values(helm: str) -> None:
    assert template(helm, SET, "--set=global.site=lab").ok


@with_helm
def test_a_value_taken_back_by_null_is_as_if_it_were_empty(helm: str) -> None:
    answer = template(helm, SET, "--set=defaults.execution=null,defaults.env=null,watchNamespaces=null")
    assert answer.ok, answer.text
    assert "null" not in answer.text.partition("operator.yaml:")[2].partition("---")[0]


@with_helm
def test_a_kubernetes_that_is_too_old_is_refused(helm: str) -> None:
    answer = template(helm, SET, "--kube-version=1.30.9")
    assert not answer.ok
    assert ">=1.31.0-0" in answer.text


@with_helm
def test_the_chart_passes_helms_own_checks(helm: str) -> None:
    answer = answer_of([helm, "lint", "--strict", str(CHART), SET])
    assert answer.ok, answer.text


def test_every_value_is_described_in_the_readme_and_no_other() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    table = re.findall(r"^\| `([^`]+)` \|", (CHART / "README.md").read_text(), re.MULTILINE)
    assert len(table) == len(set(table))
    assert {*leaves(values), "image.registry"} == set(table)


def test_the_schema_knows_every_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(yaml.safe_load((CHART / "values.yaml").read_text())) | {"global"} == set(schema["properties"])


def test_the_charts_application_is_this_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]
