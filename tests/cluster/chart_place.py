"""A namespace with the chart in it, and an operator's process beside it: with the rights and settings of the chart.

On pretended nodes, which would only pretend to run the operator's own pod.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.chart_release import OURS_ALONE, Release, helm_of, namespaces
from tests.cluster.run_support import LiveRun
from tests.fixtures.cluster import Cluster

ROLES = {"leases": "selfimprove-operator-lease"}
"""Where a right stands that is not in the role for runs."""


@dataclass(frozen=True)
class Place:
    """A release that watches its own namespace, and room for an operator's process."""

    release: Release
    folder: Path

    @property
    def cluster(self) -> Cluster:
        """Where it is."""
        return self.release.cluster

    @property
    def namespace(self) -> str:
        """Of the release, and of its runs."""
        return self.release.namespace

    @contextmanager
    def operator(self) -> Iterator[Callable[[], str]]:
        """Within, the operator is at work; what it logged so far."""
        config, log = self.folder / "operator.yaml", self.folder / "operator.log"
        settings = self.cluster.get("configmap", "selfimprove-operator", self.namespace)["data"]["operator.yaml"]
        config.write_text(settings.replace("port: 8080", "port: 0").replace("resyncSeconds: 20", "resyncSeconds: 1"))
        command = [sys.executable, "-m", "selfimprove_operator.main", "--config", str(config)]
        env = {**self.cluster.env, "KUBECONFIG": str(self._kubeconfig())}
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
        try:
            yield log.read_text
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def without(self, resource: str, verb: str) -> Iterator[None]:
        """Within, the role lacks a verb."""
        name = ROLES.get(resource, "selfimprove-operator")
        role = self.cluster.get("role", name, self.namespace)
        role["metadata"] = {"name": name, "namespace": self.namespace}
        less = {**role, "rules": [_less(rule, resource, verb) for rule in role["rules"]]}
        self._write(less)
        try:
            yield
        finally:
            self._write(role)

    def run(self, name: str) -> LiveRun:
        """A run that is not there yet."""
        return LiveRun(self.cluster, self.namespace, name)

    def _write(self, role: dict[str, Any]) -> None:
        answer = self.cluster.kubectl("replace", "-f", "-", stdin=json.dumps(role))
        assert answer.ok, answer.message

    def _kubeconfig(self) -> Path:
        """As the cluster's own, with the service account's token in place of a certificate."""
        token = self.cluster.kubectl("create", "token", "selfimprove-operator", "-n", self.namespace).message
        view = self.cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
        found = json.loads(view.message)
        found["users"] = [{"name": found["contexts"][0]["context"]["user"], "user": {"token": token}}]
        file = self.folder / "kubeconfig"
        file.write_text(json.dumps(found))
        return file


@contextmanager
def watched_namespace(nodes: Cluster, *sets: str) -> Iterator[Release]:
    """Within, the chart is there for one namespace."""
    name = f"watched-{secrets.token_hex(4)}"
    with namespaces(nodes, name):
        found = Release(nodes, helm_of(nodes), name).installed(f"watchNamespaces={{{name}}}", *OURS_ALONE, *sets)
        yield found
        found.uninstall()


def _less(rule: dict[str, Any], resource: str, verb: str) -> dict[str, Any]:
    """A rule without a verb; one without any verb is not allowed, so it is given one that nobody asks for."""
    if resource not in rule["resources"] or verb not in rule["verbs"]:
        return rule
    return {**rule, "verbs": [each for each in rule["verbs"] if each != verb] or ["none"]}
