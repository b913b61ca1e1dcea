"""Pods that run to their end, under the security that all pods of a run keep."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from selfimprove_operator.pods import USER
from tests.fixtures.cluster import Cluster


class Ended(NamedTuple):
    """How a pod ended."""

    exit_code: int
    message: str
    """Its last word, which the operator reads."""
    log: str


def restricted_pod(
    image: str, command: Sequence[str] = (), arguments: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    """The spec of a pod of one container, which has nowhere to write but /tmp; `more`: fields of the container."""
    container = {
        "name": "worker",
        "image": image,
        "args": list(arguments),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        **({"command": list(command)} if command else {}),
        **more,
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "fsGroup": USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def run_to_end(cluster: Cluster, namespace: str, name: str, spec: Mapping[str, Any], seconds: float = 300) -> Ended:
    """Start a pod and wait until it has ended. Fails the test when it has not in time."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    created = cluster.apply(pod, namespace=namespace)
    assert created.ok, created.message
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        statuses = cluster.get("pod", name, namespace)["status"].get("containerStatuses") or [{}]
        if ended := statuses[0].get("state", {}).get("terminated"):
            log = cluster.kubectl("logs", name, "-n", namespace).message
            return Ended(ended["exitCode"], ended.get("message", ""), log)
        time.sleep(0.5)
    described = cluster.kubectl("describe", "pod", name, "-n", namespace).message
    raise AssertionError(f"{name} has not ended after {seconds:.0f} s\n{json.dumps(statuses)}\n{described[-3000:]}")
