"""An operator of some namespaces, with rights in no other: one that goes, or that it may not see, holds up no other."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.run_support import LiveRun
from tests.cluster.test_cli_cluster import logged_in
from tests.fixtures.cluster import Cluster
from tests.fixtures.operator import Operator, operator_at_work, until

pytestmark = pytest.mark.cluster

TOLD = "can't be listed: 403"
AWAY = "selfimprove_namespaces_unreachable"
RULES = [
    {"apiGroups": ["selfimprove.dev"], "resources": ["*"], "verbs": ["*"]},
    {"apiGroups": ["batch", ""], "resources": ["jobs", "pods", "events"], "verbs": ["*"]},
]


@dataclass(frozen=True)
class Rights:
    """An account that may do in some namespaces what an operator must."""

    cluster: Cluster
    home: str
    """The account's own namespace, and its name."""

    def give(self, namespace: str) -> None:
        """Rights in a namespace."""
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "operator"}}
        answer = self.cluster.apply({**role, "rules": RULES}, namespace=namespace)
        assert answer.ok, answer.message
        to = ("--role=operator", f"--serviceaccount={self.home}:operator", "-n", namespace)
        answer = self.cluster.kubectl("create", "rolebinding", "operator", *to)
        assert answer.ok, answer.message

    def found(self, namespace: str) -> None:
        """A new namespace, and rights in it."""
        assert self.cluster.kubectl("create", "namespace", namespace).ok
        self.give(namespace)

    def take(self, namespace: str) -> None:
        """No rights any more."""
        assert self.cluster.kubectl("delete", "rolebinding", "operator", "-n", namespace).ok

    def at_work(self, folder: Path, other: str) -> AbstractContextManager[Operator]:
        """The account's operator, of another namespace and its home."""
        settings = {"watchNamespaces": [other, self.home], "resyncSeconds": 1}
        return operator_at_work(self.cluster, folder, settings, self.kubeconfig(folder))

    def kubeconfig(self, folder: Path) -> str:
        """The account's."""
        token = self.cluster.kubectl("create", "token", "operator", "-n", self.home).message
        return str(logged_in(self.cluster, token, folder / "account"))


@pytest.fixture
def rights(nodes: Cluster, namespace: str) -> Rights:
    assert nodes.kubectl("create", "serviceaccount", "operator", "-n", namespace).ok
    found = Rights(nodes, namespace)
    found.give(namespace)
    return found


@pytest.fixture
def other(nodes: Cluster) -> Iterator[str]:
    """The name of a namespace that is not there yet."""
    name = f"other-{secrets.token_hex(4)}"
    yield name
    nodes.kubectl("delete", "namespace", name, "--wait=false")


def unreachable(operator: Operator, count: int) -> None:
    """Wait until so many namespaces are away."""
    until(lambda: operator.metric(AWAY) == count, 60, operator.log.read_text)


def test_runs_are_looked_after_while_another_namespace_is_missing_and_its_own_once_it_is_there(
    rights: Rights, namespace: str, other: str, tmp_path: Path
) -> None:
    with rights.at_work(tmp_path, other) as operator:
        LiveRun(rights.cluster, namespace).apply("maxIterations=1").wait("Succeeded")
        unreachable(operator, 1)
        rights.found(other)
        LiveRun(rights.cluster, other).apply("maxIterations=1").wait("Succeeded")
        unreachable(operator, 0)
        assert operator.log.read_text().count(TOLD) == 1
        refusals = re.findall(r"will retry: .*(cannot .*)", operator.log.read_text())
        assert len(refusals) == len(set(refusals)), "nothing is told of every try"


def test_a_namespace_that_is_deleted_leaves_the_others_and_the_operator_alone(
    rights: Rights, namespace: str, other: str, tmp_path: Path
) -> None:
    rights.found(other)
    with rights.at_work(tmp_path, other) as operator:
        LiveRun(rights.cluster, other).apply("maxIterations=1").wait("Succeeded")
        assert rights.cluster.kubectl("delete", "namespace", other).ok
        unreachable(operator, 1)
        until(lambda: operator.metric("selfimprove_run_state.*other-") == 0)
        LiveRun(rights.cluster, namespace).apply("maxIterations=1").wait("Succeeded")
        assert operator.get("/healthz")[0] == operator.get("/readyz")[0] == 200
        assert operator.log.read_text().count(TOLD) == 1


def test_runs_of_a_namespace_whose_role_went_are_kept_until_it_is_back(
    rights: Rights, other: str, tmp_path: Path
) -> None:
    rights.found(other)
    with rights.at_work(tmp_path, other) as operator:
        LiveRun(rights.cluster, other).apply("maxIterations=1").wait("Succeeded")
        rights.take(other)
        unreachable(operator, 1)
        assert operator.metric(f'selfimprove_run_state.*namespace="{other}".*Succeeded') == 1
        rights.give(other)
        unreachable(operator, 0)
        LiveRun(rights.cluster, other, "next").apply("maxIterations=1").wait("Succeeded")
