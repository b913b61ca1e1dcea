"""The chart's life on a real API server: install, upgrade, uninstall, and a second release beside the first."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.chart_release import (
    OURS_ALONE,
    Release,
    can,
    definition_of,
    eventually,
    helm_of,
    namespaces,
    served_bytes,
)
from tests.cluster.crd_support import manifest
from tests.fixtures.cluster import CRD, CRD_NAME, Cluster, install_crd
from tests.unit.chart_support import CHART

pytestmark = pytest.mark.cluster

POLICY = "authors.selfimprove.dev"
WORDS = "Iterations to run; may be raised later."
"""What the definition says of a field, to be changed by the next version."""


@pytest.fixture
def bare(cluster: Cluster) -> Iterator[Cluster]:
    """The API server without anything of the chart; afterwards with the definition that other tests count on."""
    _clear(cluster)
    yield cluster
    _clear(cluster)
    install_crd(cluster)


@pytest.fixture(params=["helm", "helm3"])
def release(request: pytest.FixtureRequest, bare: Cluster) -> Iterator[Release]:
    """A release to install, in a namespace where only restricted pods may run."""
    helm = helm_of(bare, request.param)
    name = f"system-{secrets.token_hex(4)}"
    with namespaces(bare, name, labels={"pod-security.kubernetes.io/enforce": "restricted"}):
        found = Release(bare, helm, name)
        yield found
        found.uninstall()


@pytest.fixture
def lab(bare: Cluster) -> Iterator[str]:
    """A namespace for runs."""
    name = f"lab-{secrets.token_hex(4)}"
    with namespaces(bare, name):
        yield name


def _clear(cluster: Cluster) -> None:
    for kind in ("validatingadmissionpolicy", "validatingadmissionpolicybinding"):
        cluster.kubectl("delete", kind, POLICY, "--ignore-not-found")
    assert cluster.kubectl("delete", "crd", CRD_NAME, "--ignore-not-found", "--timeout=60s").ok


def next_version(folder: Path) -> Path:
    """A copy of the chart whose definition says something new."""
    chart = folder / "selfimprove"
    shutil.copytree(CHART, chart)
    file = chart / "files" / "selfimproverun.yaml"
    text = file.read_text()
    assert WORDS in text
    file.write_text(text.replace(WORDS, "Iterations to run; more at any time."))
    return chart


def served(cluster: Cluster, namespace: str) -> None:
    """Wait until the server takes runs."""
    ready = cluster.kubectl("wait", f"crd/{CRD_NAME}", "--for=condition=Established", "--timeout=60s")
    assert ready.ok, ready.message
    made = cluster.apply(manifest([]), namespace=namespace)
    assert made.ok, made.message


def test_one_command_makes_a_cluster_ready_for_runs_and_says_what_comes_next(release: Release, lab: str) -> None:
    answer = release.install()
    assert answer.ok, answer.message
    served(release.cluster, lab)
    for words in (
        f"kubectl rollout status deployment/selfimprove-operator -n {release.namespace}",
        "kubectl apply -f examples/quickstart/s3.yaml",
        "kubectl apply -f examples/arithmetic/run.yaml",
        "kubectl get sir -w",
        "s3://selfimprove/runs at http://s3:8333",
    ):
        assert words in answer.message


def test_with_a_bucket_of_its_own_the_notes_name_that_and_no_quickstart(release: Release) -> None:
    answer = release.install("defaults.storage.uri=s3://lab/runs", "cpu=true")
    assert "s3://lab/runs" in answer.message
    assert "quickstart" not in answer.message
    assert "nvidia.com/gpu" not in answer.message


def test_the_server_finds_nothing_wrong_with_any_object(release: Release) -> None:
    answer = release.install("networkPolicy.enabled=true", "podDisruptionBudget.enabled=true")
    assert answer.ok, answer.message
    text = release.manifest()
    checked = release.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
    assert checked.ok, checked.message
    assert "networkpolicy.networking.k8s.io/selfimprove-operator" in checked.message
    assert "poddisruptionbudget.policy/selfimprove-operator" in checked.message


def test_the_operators_pod_satisfies_the_restricted_standard(release: Release) -> None:
    template = release.installed().pod_template()
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator"}, "spec": template["spec"]}
    answer = release.cluster.apply(pod, namespace=release.namespace, dry_run=True)
    assert answer.ok, answer.message
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert "PodSecurity" in release.cluster.apply(pod, namespace=release.namespace, dry_run=True).message


def test_the_definition_as_served_stays_small(release: Release) -> None:
    assert served_bytes(release.installed().cluster) < 64 * 1024


def test_an_upgrade_brings_the_definition_up_to_date_and_keeps_runs(release: Release, lab: str, tmp_path: Path) -> None:
    served(release.installed().cluster, lab)
    answer = release.upgrade(chart=next_version(tmp_path))
    assert answer.ok, answer.message
    assert "Iterations to run; more at any time." in str(definition_of(release.cluster)["spec"])
    assert release.cluster.get("sir", "gsm8k", lab)


def test_an_upgrade_that_leaves_the_definition_to_another_release_keeps_it(release: Release, lab: str) -> None:
    served(release.installed().cluster, lab)
    assert release.upgrade("crds.install=false").ok
    assert release.cluster.get("sir", "gsm8k", lab)


def test_an_upgrade_with_other_defaults_restarts_the_operator(release: Release) -> None:
    before = release.installed().pod_template()["metadata"]["annotations"]
    assert release.upgrade("defaults.gpu.count=2").ok
    assert release.pod_template()["metadata"]["annotations"] != before


def test_runs_outlive_the_release_and_the_next_one_takes_them_over(release: Release, lab: str) -> None:
    served(release.installed().cluster, lab)
    answer = release.uninstall()
    assert answer.ok, answer.message
    assert release.cluster.get("sir", "gsm8k", lab)
    assert not release.cluster.kubectl("get", "deployment", "selfimprove-operator", "-n", release.namespace).ok
    again = release.install()
    assert again.ok, again.message
    assert release.cluster.get("sir", "gsm8k", lab)


def test_a_definition_applied_by_hand_is_adopted_when_asked(release: Release, lab: str) -> None:
    assert release.cluster.kubectl("apply", "--server-side", "-f", str(CRD)).ok
    served(release.cluster, lab)
    refused = release.install()
    assert not refused.ok
    assert CRD_NAME in refused.message
    release.uninstall()
    adopted = release.install(options=("--take-ownership",))
    assert adopted.ok, adopted.message
    assert definition_of(release.cluster)["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"


def test_a_second_release_looks_after_its_own_namespace(release: Release, lab: str) -> None:
    release.installed()
    second = Release(release.cluster, release.helm, lab, "selfimprove-lab")
    assert not second.install(f"watchNamespaces={{{lab}}}").ok, "the definition is the first one's"
    second.uninstall()
    second.installed(f"watchNamespaces={{{lab}}}", *OURS_ALONE)
    assert second.may("create", "jobs.batch", lab)
    assert not second.may("create", "jobs.batch", release.namespace)
    assert second.uninstall().ok
    assert definition_of(release.cluster)


def test_the_operator_may_carry_out_runs_and_read_no_secret(release: Release, lab: str) -> None:
    release.installed()
    assert release.may("patch", "selfimprovementruns.selfimprove.dev:status", lab)
    assert release.may("create", "jobs.batch", lab)
    assert release.may("update", "leases.coordination.k8s.io/selfimprove-operator", release.namespace)
    assert not release.may("update", "leases.coordination.k8s.io/another", release.namespace)
    assert not release.may("update", "selfimprovementruns.selfimprove.dev", lab)
    assert not release.may("create", "pods", lab)
    for verb in ("get", "list", "watch"):
        assert not release.may(verb, "secrets", lab)
        assert not release.may(verb, "secrets", release.namespace)


@pytest.mark.parametrize(("role", "writes"), [("view", False), ("edit", True), ("admin", True)])
def test_the_clusters_own_roles_reach_runs(release: Release, lab: str, role: str, writes: bool) -> None:
    release.installed()
    cluster = release.cluster
    bound = cluster.kubectl("create", "rolebinding", role, f"--clusterrole={role}", "--user=someone", "-n", lab)
    assert bound.ok, bound.message
    runs = "selfimprovementruns.selfimprove.dev"
    assert eventually(lambda: can(cluster, "someone", "get", runs, lab))
    assert not writes or eventually(lambda: can(cluster, "someone", "create", runs, lab))
    assert can(cluster, "someone", "delete", runs, lab) == writes
    assert not can(cluster, "someone", "patch", f"{runs}:status", lab)


def test_who_may_not_create_pods_may_not_write_runs(release: Release, lab: str) -> None:
    served(release.installed().cluster, lab)
    cluster = release.cluster
    made = cluster.kubectl(
        "create", "role", "runs", "--verb=*", "--resource=selfimprovementruns.selfimprove.dev", "-n", lab
    )
    assert made.ok, made.message
    assert cluster.kubectl("create", "rolebinding", "runs", "--role=runs", "--user=someone", "-n", lab).ok

    def refused() -> bool:
        answer = cluster.apply(manifest([], name="other"), namespace=lab, dry_run=True, options=("--as=someone",))
        return "may not create pods in namespace" in answer.message

    assert eventually(refused)
