"""Releases of the chart on a real API server: installed, upgraded and removed by helm."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.crd_support import manifest
from tests.fixtures.cluster import CRD_NAME, Answer, Cluster, install_crd
from tests.unit.chart_support import CHART, NO_HELM, REGISTRY

POLICY = "authors.selfimprove.dev"
OURS_ALONE = ("crds.install=false", "tenantPolicy.install=false", "userRoles.install=false")
"""Settings of a second release: what a cluster has one of is another's."""


@dataclass(frozen=True)
class Release:
    """A release by one helm, in a namespace."""

    cluster: Cluster
    helm: str
    namespace: str
    name: str = "selfimprove"

    def install(self, *sets: str, chart: Path = CHART, options: tuple[str, ...] = ()) -> Answer:
        """`helm install`; the answer holds the notes."""
        return self._helm("install", self.name, str(chart), *_flags(sets), *options)

    def upgrade(self, *sets: str, chart: Path = CHART, options: tuple[str, ...] = ()) -> Answer:
        """`helm upgrade`."""
        return self._helm("upgrade", self.name, str(chart), *_flags(sets), *options)

    def uninstall(self) -> Answer:
        """`helm uninstall`; nothing is said of a release that is not there."""
        return self._helm("uninstall", self.name, "--ignore-not-found")

    def installed(self, *sets: str) -> Release:
        """The release, once it is there."""
        answer = self.install(*sets)
        assert answer.ok, answer.message
        return self

    @property
    def account(self) -> str:
        """The operator's user name."""
        return f"system:serviceaccount:{self.namespace}:{self.name}-operator"

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        """Whether the operator has a right, named as in `can`."""
        return can(self.cluster, self.account, verb, resource, namespace)

    def manifest(self) -> str:
        """All of its objects, as helm sent them."""
        return self._helm("get", "manifest", self.name).message

    def pod_template(self) -> dict[str, Any]:
        """The operator's pod as the server has it."""
        deployment = self.cluster.get("deployment", f"{self.name}-operator", self.namespace)
        found: dict[str, Any] = deployment["spec"]["template"]
        return found

    def _helm(self, *arguments: str) -> Answer:
        done = subprocess.run(
            [self.helm, *arguments, "-n", self.namespace],
            env=dict(self.cluster.env),
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Answer(done.returncode == 0, (done.stderr if done.returncode else done.stdout).strip())


def helm_of(cluster: Cluster, name: str = "helm") -> str:
    """The path of a helm; skips the test where there is none."""
    found = shutil.which(name, path=cluster.env.get("PATH"))
    if found is None:
        pytest.skip(NO_HELM.replace("no helm", f"no {name}"))
    return found


@contextmanager
def namespaces(cluster: Cluster, *names: str, labels: Mapping[str, str] | None = None) -> Iterator[None]:
    """Within, the namespaces are there."""
    metadata = [{"name": name, "labels": dict(labels or {})} for name in names]
    answer = cluster.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": each} for each in metadata))
    assert answer.ok, answer.message
    try:
        yield
    finally:
        cluster.kubectl("delete", "namespace", *names, "--wait=false")


@contextmanager
def cleared(cluster: Cluster, restore: bool = True) -> Iterator[None]:
    """From here on there is nothing of the chart; at last only the definition, which other tests count on."""
    _clear(cluster)
    try:
        yield
    finally:
        if restore:
            _clear(cluster)
            install_crd(cluster)


def _clear(cluster: Cluster) -> None:
    policies = "validatingadmissionpolicies,validatingadmissionpolicybindings"
    assert cluster.kubectl("delete", policies, POLICY, "--ignore-not-found").ok
    gone = cluster.kubectl("delete", "crd", CRD_NAME, "--ignore-not-found", "--timeout=60s")
    assert gone.ok, gone.message


def serves(cluster: Cluster, namespace: str) -> bool:
    """Whether the server takes a run, now or soon."""
    return eventually(lambda: cluster.apply(manifest([]), namespace=namespace).ok)


def definition_of(cluster: Cluster) -> dict[str, Any]:
    """The definition as the server has it."""
    return cluster.get("crd", CRD_NAME)


def served_bytes(cluster: Cluster) -> int:
    """How large the definition is to whoever reads it, bookkeeping of writers apart."""
    found = definition_of(cluster)
    found["metadata"].pop("managedFields", None)
    return len(json.dumps(found, separators=(",", ":")).encode())


def _flags(sets: tuple[str, ...]) -> list[str]:
    return [f"--set={each}" for each in (f"image.registry={REGISTRY}", *sets)]


def can(cluster: Cluster, user: str, verb: str, resource: str, namespace: str) -> bool:
    """Whether a user has a right on RESOURCE, or on RESOURCE:SUBRESOURCE, or on RESOURCE/NAME."""
    resource, _, below = resource.partition(":")
    options = [f"--subresource={below}"] if below else []
    return cluster.kubectl("auth", "can-i", verb, resource, "-n", namespace, f"--as={user}", *options).ok


def eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether something comes true before the time is up."""
    ends = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < ends:
        time.sleep(0.2)
    return found
