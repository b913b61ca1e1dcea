"""Tenants: a run's author can do no more by it than by pods of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.crd_support import manifest
from tests.fixtures.cluster import Answer, Cluster

pytestmark = pytest.mark.cluster

POLICY = Path(__file__).parents[2] / "charts" / "selfimprove" / "files" / "admission-policy.yaml"
SECONDS = 30
"""Until the API server has taken notice of a policy."""
RUNS = {
    "apiGroups": ["selfimprove.dev"],
    "resources": ["selfimprovementruns", "selfimprovementruns/status"],
    "verbs": ["*"],
}
JOBS = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
REFUSAL = (
    "spec: a run starts pods, which have its labels, and reader may not create pods in namespace {}; "
    "ask its administrator for that right"
)
STATUS_REFUSAL = (
    "status: the operator starts pods by it, and reader may create neither pods nor Jobs in namespace {}; "
    "ask its administrator for that right"
)
STATUS = {"state": "Pending", "progress": "0/0", "runURI": "s3://lab/runs/gsm8k"}


@pytest.fixture(scope="module")
def policy_cluster(crd_cluster: Cluster) -> Iterator[Cluster]:
    """The API server with the policy in it."""
    applied = crd_cluster.kubectl("apply", "-f", str(POLICY))
    assert applied.ok, applied.message
    yield crd_cluster
    crd_cluster.kubectl("delete", "-f", str(POLICY))


@pytest.fixture
def place(policy_cluster: Cluster, namespace: str) -> str:
    """A namespace where `reader` may write runs only, `author` may create pods too, `operator` Jobs."""
    roles = [*role("reader", RUNS), *role("author", RUNS, PODS), *role("operator", RUNS, JOBS)]
    answer = policy_cluster.apply(*roles, namespace=namespace)
    assert answer.ok, answer.message
    deadline = time.monotonic() + SECONDS
    while write(policy_cluster, namespace, "reader").ok and time.monotonic() < deadline:
        time.sleep(0.2)
    return namespace


def test_who_may_not_create_pods_is_refused(policy_cluster: Cluster, place: str) -> None:
    answer = write(policy_cluster, place, "reader")
    assert not answer.ok
    assert REFUSAL.format(place) in answer.message


def test_who_may_create_pods_is_accepted(policy_cluster: Cluster, place: str) -> None:
    answer = write(policy_cluster, place, "author")
    assert answer.ok, answer.message


def test_the_right_counts_in_its_own_namespace_only(policy_cluster: Cluster, place: str) -> None:
    elsewhere = f"{place}-elsewhere"
    assert policy_cluster.kubectl("create", "namespace", elsewhere).ok
    assert policy_cluster.apply(*role("reader", RUNS, PODS), namespace=elsewhere).ok
    assert write(policy_cluster, elsewhere, "reader").ok
    assert not write(policy_cluster, place, "reader").ok
    policy_cluster.kubectl("delete", "namespace", elsewhere, "--wait=false")


def test_whatever_reaches_the_pods_is_asked_about(policy_cluster: Cluster, place: str) -> None:
    assert policy_cluster.apply(manifest([]), namespace=place).ok
    patch = '{"spec": {"execution": {"serviceAccountName": "admin"}}}'
    changed = policy_cluster.kubectl("patch", "sir/gsm8k", "--type=merge", "-p", patch, "-n", place, "--as=reader")
    assert REFUSAL.format(place) in changed.message
    labelled = policy_cluster.kubectl("label", "sir/gsm8k", "team=a", "-n", place, "--as=reader")
    assert REFUSAL.format(place) in labelled.message
    assert policy_cluster.kubectl("label", "sir/gsm8k", "team=a", "-n", place, "--as=author").ok


@pytest.mark.parametrize(
    "forged",
    [
        {**STATUS, "defaults": {"env": [{"name": "HF_ENDPOINT", "value": "http://mine"}]}},
        {**STATUS, "defaults": {"images": {"sampler": "mine"}}},
        {**STATUS, "runURI": "s3://mine/runs/gsm8k"},
    ],
    ids=["env", "images", "runURI"],
)
def test_no_status_is_forged_by_who_may_not_create_pods(
    policy_cluster: Cluster, place: str, forged: dict[str, Any]
) -> None:
    assert policy_cluster.apply(manifest([]), namespace=place).ok
    answer = write_status(policy_cluster, place, "reader", forged)
    assert not answer.ok
    assert STATUS_REFUSAL.format(place) in answer.message


@pytest.mark.parametrize("user", ["operator", "author"])
def test_the_status_is_written_by_who_may_create_jobs_or_pods(policy_cluster: Cluster, place: str, user: str) -> None:
    assert policy_cluster.apply(manifest([]), namespace=place).ok
    answer = write_status(policy_cluster, place, user, STATUS)
    assert answer.ok, answer.message


def test_who_may_create_jobs_only_writes_no_spec(policy_cluster: Cluster, place: str) -> None:
    assert not write(policy_cluster, place, "operator").ok


def test_what_does_not_reach_the_pods_is_anybodys_to_write(policy_cluster: Cluster, place: str) -> None:
    assert policy_cluster.apply(manifest([]), namespace=place).ok
    noted = policy_cluster.kubectl("annotate", "sir/gsm8k", "note=a", "-n", place, "--as=reader")
    assert noted.ok, noted.message


def test_controllers_can_take_their_finalizers_away(policy_cluster: Cluster, place: str) -> None:
    assert policy_cluster.apply(manifest([]), namespace=place).ok
    gone = policy_cluster.kubectl("delete", "sir/gsm8k", "-n", place, "--cascade=foreground", "--timeout=60s")
    assert gone.ok, gone.message


def write(cluster: Cluster, namespace: str, user: str) -> Answer:
    """What the server says to a run that this user would create."""
    return cluster.apply(manifest([]), namespace=namespace, dry_run=True, options=(f"--as={user}",))


def write_status(cluster: Cluster, namespace: str, user: str, status: dict[str, Any]) -> Answer:
    """What the server says to a status that this user would write."""
    patch = json.dumps({"status": status})
    options = ("--subresource=status", "--type=merge", "-p", patch, "-n", namespace, f"--as={user}")
    return cluster.kubectl("patch", "sir/gsm8k", *options)


def role(user: str, *rules: dict[str, Any]) -> list[dict[str, Any]]:
    """A user's rights in the namespace."""
    api = "rbac.authorization.k8s.io"
    reference = {"apiGroup": api, "kind": "Role", "name": user}
    return [
        {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": {"name": user}, "rules": list(rules)},
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": user},
            "roleRef": reference,
            "subjects": [{"apiGroup": api, "kind": "User", "name": user}],
        },
    ]
