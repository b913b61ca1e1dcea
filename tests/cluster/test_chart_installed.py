"""The chart as it stands on a real API server: nothing is wrong with it, and it has no more rights than it needs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.chart_release import (
    OURS_ALONE,
    Release,
    can,
    cleared,
    eventually,
    helm_of,
    namespaces,
    served_bytes,
    serves,
)
from tests.cluster.crd_support import manifest
from tests.fixtures.cluster import Cluster

pytestmark = pytest.mark.cluster

RUNS = "selfimprovementruns.selfimprove.dev"
BEYOND_ADMIN = {f"{RUNS}/status": "patch", f"{RUNS}/finalizers": "update"}
"""What the chart's README asks for of whoever installs a release without being an administrator of the cluster."""


@pytest.fixture(scope="module")
def release(cluster: Cluster) -> Iterator[Release]:
    """A release with all that this server knows, in a namespace where only restricted pods may run."""
    name = f"system-{secrets.token_hex(4)}"
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    with cleared(cluster), namespaces(cluster, name, labels=restricted):
        found = Release(cluster, helm_of(cluster), name)
        yield found.installed("networkPolicy.enabled=true", "podDisruptionBudget.enabled=true")
        found.uninstall()


@pytest.fixture(scope="module")
def lab(release: Release) -> Iterator[str]:
    """A namespace for runs."""
    name = f"lab-{secrets.token_hex(4)}"
    with namespaces(release.cluster, name):
        assert serves(release.cluster, name)
        yield name


def test_the_server_finds_nothing_wrong_with_any_object(release: Release) -> None:
    checked = release.cluster.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "--server-side", "--force-conflicts", "-f", "-",
        stdin=release.manifest(),
    )  # fmt: skip
    assert checked.ok, checked.message
    assert "networkpolicy.networking.k8s.io/selfimprove-operator" in checked.message
    assert "poddisruptionbudget.policy/selfimprove-operator" in checked.message


def test_the_operators_pod_satisfies_the_restricted_standard(release: Release) -> None:
    spec = release.pod_template()["spec"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator"}, "spec": spec}
    answer = release.cluster.apply(pod, namespace=release.namespace, dry_run=True)
    assert answer.ok, answer.message
    spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert "PodSecurity" in release.cluster.apply(pod, namespace=release.namespace, dry_run=True).message


def test_the_definition_as_served_stays_small(release: Release) -> None:
    assert served_bytes(release.cluster) < 64 * 1024


def test_the_operator_may_carry_out_runs_and_read_no_secret(release: Release, lab: str) -> None:
    assert release.may("patch", f"{RUNS}:status", lab)
    assert release.may("create", "jobs.batch", lab)
    assert release.may("update", "leases.coordination.k8s.io/selfimprove-operator", release.namespace)
    assert not release.may("update", "leases.coordination.k8s.io/another", release.namespace)
    assert not release.may("update", RUNS, lab)
    assert not release.may("create", "pods", lab)
    for verb in ("get", "list", "watch"):
        assert not release.may(verb, "secrets", lab)
        assert not release.may(verb, "secrets", release.namespace)


@pytest.mark.parametrize(("role", "writes"), [("view", False), ("edit", True), ("admin", True)])
def test_the_clusters_own_roles_reach_runs(release: Release, lab: str, role: str, writes: bool) -> None:
    cluster, user = release.cluster, f"{role}-only"
    bound = cluster.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={user}", "-n", lab)
    assert bound.ok, bound.message
    assert eventually(lambda: can(cluster, user, "get", RUNS, lab))
    assert not writes or eventually(lambda: can(cluster, user, "create", RUNS, lab))
    assert can(cluster, user, "delete", RUNS, lab) == writes
    assert not can(cluster, user, "patch", f"{RUNS}:status", lab)


def test_who_may_not_create_pods_may_not_write_runs(release: Release, lab: str) -> None:
    cluster = release.cluster
    made = cluster.kubectl("create", "role", "runs", "--verb=*", f"--resource={RUNS}", "-n", lab)
    assert made.ok, made.message
    assert cluster.kubectl("create", "rolebinding", "runs", "--role=runs", "--user=someone", "-n", lab).ok

    def refused() -> bool:
        answer = cluster.apply(manifest([], name="other"), namespace=lab, dry_run=True, options=("--as=someone",))
        return "may not create pods in namespace" in answer.message

    assert eventually(refused)


def test_an_admin_of_a_namespace_installs_with_the_rights_that_the_readme_names(release: Release) -> None:
    cluster, name = release.cluster, f"tenant-{secrets.token_hex(4)}"
    as_tenant = (f"--kube-as-user={name}",)
    with namespaces(cluster, name):
        bind(cluster, name, "admin", "--clusterrole=admin")
        assert eventually(lambda: can(cluster, name, "list", RUNS, name))
        second = Release(cluster, release.helm, name)
        sets = (f"watchNamespaces={{{name}}}", *OURS_ALONE)
        refused = second.install(*sets, options=as_tenant).message
        for resource in BEYOND_ADMIN:
            assert resource.rpartition("/")[2] in refused
        assert second.uninstall().ok
        for number, (resource, verb) in enumerate(BEYOND_ADMIN.items()):
            role = f"beyond-{number}"
            made = cluster.kubectl("create", "role", role, f"--verb={verb}", f"--resource={resource}", "-n", name)
            assert made.ok, made.message
            bind(cluster, name, role, f"--role={role}")
        installed = second.install(*sets, options=as_tenant)
        assert installed.ok, installed.message
        second.uninstall()


def bind(cluster: Cluster, namespace: str, name: str, role: str) -> None:
    """Give the namespace's own user a role in it."""
    bound = cluster.kubectl("create", "rolebinding", name, role, f"--user={namespace}", "-n", namespace)
    assert bound.ok, bound.message
