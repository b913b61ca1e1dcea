"""The operator as the chart starts it: its configuration, its pod, and what keeps both right."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfimprove_operator.settings import Settings, read_settings
from tests.unit.chart_support import REGISTRY, ROOT, Rendered, render, with_helm

EVERYTHING: dict[str, Any] = {
    "image": {"tag": "1.2.3", "pullSecrets": [{"name": "registry"}]},
    "watchNamespaces": ["research", "teaching"],
    "defaults": {
        "storage": {"uri": "s3://lab/runs", "region": "eu-central-1"},
        "images": {"trainer": f"{REGISTRY}/trainer@sha256:{'0' * 64}"},
        "execution": {
            "resources": {"requests": {"cpu": 2, "memory": "8Gi"}, "limits": {"amd.com/gpu": 1}},
            "nodeSelector": {"pool": "on"},
            "tolerations": [{"key": "amd.com/gpu", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "env": [{"name": "VLLM_LOGGING_LEVEL", "value": "0010"}],
            "runtimeClassName": "amd",
            "priorityClassName": "batch",
            "activeDeadlineSeconds": 1000000,
        },
        "gpu": {"resourceName": "amd.com/gpu", "count": 2},
        "env": [{"name": "HF_ENDPOINT", "value": "https://hf.lab"}, {"name": "NODE", "valueFrom": {"fieldRef": {}}}],
    },
    "resyncSeconds": 12.5,
}
RETENTION = {"retention": "BestAndLast"}
"""Of the run alone, whatever the chart says."""


def settings(rendered: Rendered, folder: Path) -> Settings:
    """The configuration as the operator reads it."""
    file = folder / "operator.yaml"
    name = rendered.one("Deployment")["metadata"]["name"]
    file.write_text(rendered.one("ConfigMap", name)["data"]["operator.yaml"])
    return read_settings(file)


@with_helm
def test_by_default_runs_get_the_quickstarts_storage_this_version_and_one_gpu(helm: str, tmp_path: Path) -> None:
    found = settings(render(helm), tmp_path)
    version = render(helm).one("Deployment")["metadata"]["labels"]["app.kubernetes.io/version"]
    assert found.watch_namespaces == []
    assert found.defaults.storage.to_json() == RETENTION | {
        "uri": "s3://selfimprove/runs",
        "endpoint": "http://s3:8333",
        "region": "us-east-1",
        "credentialsSecretName": "s3-credentials",
    }
    assert found.defaults.images.to_json() == {
        role: f"{REGISTRY}/selfimprove-{role}:{version}" for role in ("sampler", "trainer", "verifier")
    }
    assert (found.defaults.gpu.resource_name, found.defaults.gpu.count) == ("nvidia.com/gpu", 1)


@with_helm
def test_the_quickstart_provides_the_storage_that_runs_get(helm: str, tmp_path: Path) -> None:
    storage = settings(render(helm), tmp_path).defaults.storage
    documents = {each["kind"]: each for each in yaml.safe_load_all((ROOT / "examples/quickstart/s3.yaml").read_text())}
    service, secret = documents["Service"], documents["Secret"]
    assert storage.endpoint == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert storage.credentials_secret_name == secret["metadata"]["name"]
    assert str(storage.uri).partition("://")[2].partition("/")[0] in str(documents["Deployment"]["spec"])


@with_helm
def test_the_operator_reads_every_value_as_it_was_given(helm: str, tmp_path: Path) -> None:
    found = settings(render(helm, EVERYTHING), tmp_path)
    given = EVERYTHING["defaults"]
    assert found.watch_namespaces == EVERYTHING["watchNamespaces"]
    assert found.resync_seconds == 12.5
    assert found.defaults.execution.to_json() == given["execution"]
    assert found.defaults.gpu.to_json() == given["gpu"]
    assert [each.to_json() for each in found.defaults.env] == given["env"]
    assert found.defaults.images.trainer == given["images"]["trainer"]
    assert found.defaults.images.sampler == f"{REGISTRY}/selfimprove-sampler:1.2.3"


@with_helm
def test_storage_of_your_own_is_not_mixed_with_the_quickstarts(helm: str, tmp_path: Path) -> None:
    found = settings(render(helm, EVERYTHING), tmp_path).defaults.storage
    assert found.to_json() == RETENTION | EVERYTHING["defaults"]["storage"]


@with_helm
@pytest.mark.parametrize("cpu", [True, False])
def test_make_builds_the_images_that_the_chart_names(helm: str, tmp_path: Path, cpu: bool) -> None:
    rendered = render(helm, {"cpu": cpu})
    workers = settings(rendered, tmp_path).defaults.images.to_json().values()
    command = ["make", "-s", "names", f"REGISTRY={REGISTRY}", f"CPU={str(cpu).lower()}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(made) == {rendered.container["image"], *workers}


@with_helm
def test_without_gpus_every_step_runs_one_image_and_asks_for_none(helm: str, tmp_path: Path) -> None:
    found = settings(render(helm, {"cpu": True}), tmp_path).defaults
    assert {image.rpartition(":")[0] for image in map(str, found.images.to_json().values())} == {
        f"{REGISTRY}/selfimprove-cpu"
    }
    assert found.gpu.count == 0


@with_helm
def test_workers_pull_with_the_operators_secrets_unless_they_have_their_own(helm: str, tmp_path: Path) -> None:
    pulled = {"image": {"pullSecrets": [{"name": "registry"}]}}
    own = pulled | {"defaults": {"imagePullSecrets": [{"name": "lab-registry"}]}}
    assert [each.name for each in settings(render(helm, pulled), tmp_path).defaults.image_pull_secrets] == ["registry"]
    assert [each.name for each in settings(render(helm, own), tmp_path).defaults.image_pull_secrets] == ["lab-registry"]
    assert render(helm, own).pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]


@with_helm
def test_the_readme_names_the_lease_that_stays(helm: str, tmp_path: Path) -> None:
    found = settings(render(helm, release="selfimprove"), tmp_path)
    assert f"kubectl delete lease {found.lease_name} -n" in (ROOT / "charts/selfimprove/README.md").read_text()


@with_helm
def test_the_lease_is_the_one_that_the_role_names(helm: str, tmp_path: Path) -> None:
    for release in ("selfimprove", "second"):
        rendered = render(helm, release=release)
        found = settings(rendered, tmp_path)
        rules = rendered.one("Role")["rules"]
        assert [rule["resourceNames"] for rule in rules if "resourceNames" in rule] == [[found.lease_name]]
        assert found.lease_namespace == rendered.one("Role")["metadata"]["namespace"] == "system"


@with_helm
def test_the_container_runs_the_operator_on_its_configuration(helm: str) -> None:
    rendered = render(helm)
    container = rendered.container
    assert [*container["command"], *container["args"]] == [
        "selfimprove-operator", "--config", "/etc/selfimprove/operator.yaml"
    ]  # fmt: skip
    assert container["image"].startswith(f"{REGISTRY}/selfimprove-operator:")
    assert {each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"] for each in container["env"]} == {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
    }
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each for each in rendered.pod["spec"]["volumes"]}
    assert mounted == {"config": "/etc/selfimprove", "tmp": "/tmp"}
    assert volumes["config"]["configMap"]["name"] == rendered.one("ConfigMap")["metadata"]["name"]
    assert "emptyDir" in volumes["tmp"]


@with_helm
def test_an_image_by_digest_stands_as_it_is_given(helm: str) -> None:
    digest = f"mirror.lab/operator@sha256:{'a' * 64}"
    assert render(helm, {"image": {"operator": digest}}).container["image"] == digest


@with_helm
def test_its_probes_and_its_service_reach_the_port_it_listens_on(helm: str) -> None:
    rendered = render(helm)
    (port,) = rendered.container["ports"]
    assert port["containerPort"] == rendered.config["port"]
    assert rendered.container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert rendered.container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    (served,) = rendered.one("Service")["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    assert rendered.one("Service")["spec"]["selector"].items() <= rendered.pod["metadata"]["labels"].items()


@with_helm
def test_one_operator_at_a_time(helm: str) -> None:
    spec = render(helm).one("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@with_helm
def test_it_has_no_rights_on_its_node(helm: str) -> None:
    rendered = render(helm)
    pod = rendered.pod["spec"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert rendered.container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)


@with_helm
def test_it_asks_for_cpu_and_memory_and_is_held_to_its_memory(helm: str) -> None:
    resources = render(helm).container["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]


@with_helm
@pytest.mark.parametrize(
    ("values", "restarts"),
    [
        ({"defaults": {"gpu": {"count": 2}}}, True),
        ({"watchNamespaces": ["lab"]}, True),
        ({"userRoles": {"install": False}}, False),
        ({"metrics": {"dashboard": {"enabled": True}}}, False),
    ],
    ids=str,
)
def test_another_configuration_is_another_pod_and_nothing_else_is(
    helm: str, values: dict[str, Any], restarts: bool
) -> None:
    assert (render(helm, values).pod != render(helm).pod) == restarts


@with_helm
def test_where_and_how_it_is_placed_is_up_to_you(helm: str) -> None:
    placed: dict[str, Any] = {
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "system-cluster-critical",
    }
    rendered = render(helm, placed | {"podLabels": {"team": "ml"}, "podAnnotations": {"note": "yes"}})
    assert {name: rendered.pod["spec"][name] for name in placed} == placed
    assert rendered.pod["metadata"]["labels"]["team"] == "ml"
    assert rendered.pod["metadata"]["annotations"]["note"] == "yes"
    assert not set(placed) & set(render(helm).pod["spec"])


@with_helm
def test_the_longest_of_names_still_fit(helm: str) -> None:
    rendered = render(helm, release="a" * 53)
    assert all(len(each["metadata"]["name"]) <= 63 for each in rendered.objects)


@with_helm
def test_words_that_yaml_would_read_as_something_else_stay_words(helm: str, tmp_path: Path) -> None:
    rendered = render(helm, {"watchNamespaces": ["on", "1234"]}, namespace="123")
    assert settings(rendered, tmp_path).watch_namespaces == ["on", "1234"]
    assert settings(rendered, tmp_path).lease_namespace == "123"
    named = {yaml.safe_dump(each["metadata"].get("namespace", "")) for each in rendered.objects}
    assert named <= {yaml.safe_dump(word) for word in ("", "123", "on", "1234", "system")}
