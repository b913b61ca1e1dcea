"""Runs on a cluster, and what is seen of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, get_args

from selfimprove.api import apply_sets
from selfimprove.api.execution import StepName
from tests.fixtures.cluster import Cluster
from tests.fixtures.operator import until
from tests.unit.api_support import good

OURS = "app.kubernetes.io/managed-by=selfimprove"


@dataclass(frozen=True)
class LiveRun:
    """One run in a namespace of a test's own."""

    cluster: Cluster
    namespace: str
    name: str = "gsm8k"

    def apply(self, *sets: str, labels: dict[str, str] | None = None) -> LiveRun:
        """Apply the good manifest with `--set` in it."""
        document = apply_sets(good(), list(sets))
        document["metadata"] |= {"name": self.name, "labels": labels or {}}
        answer = self.cluster.apply(document, namespace=self.namespace)
        assert answer.ok, answer.message
        return self

    def patch(self, **spec: Any) -> None:
        """Change fields of the spec."""
        document = json.dumps({"spec": spec})
        answer = self.cluster.kubectl("patch", "sir", self.name, "-n", self.namespace, "--type=merge", "-p", document)
        assert answer.ok, answer.message

    def delete(self) -> None:
        """Remove the run, and wait until it is gone."""
        assert self.cluster.kubectl("delete", "sir", self.name, "-n", self.namespace).ok

    @property
    def whole(self) -> dict[str, Any]:
        """All that the API server keeps of it, and of who wrote what in it."""
        answer = self.cluster.kubectl(
            "get", "sir", self.name, "-n", self.namespace, "-o", "json", "--show-managed-fields"
        )
        assert answer.ok, answer.message
        found: dict[str, Any] = json.loads(answer.message)
        return found

    @property
    def status(self) -> dict[str, Any]:
        """Its status; empty before there is one."""
        found: dict[str, Any] = self.cluster.get("sir", self.name, self.namespace).get("status", {})
        return found

    def condition(self, type: str) -> dict[str, Any]:
        """One of its conditions; empty where there is none."""
        conditions = self.status.get("conditions", [])
        return next((found for found in conditions if found["type"] == type), {})

    def items(self, kind: str, *options: str) -> list[dict[str, Any]]:
        """Objects of its namespace."""
        answer = self.cluster.kubectl("get", kind, "-n", self.namespace, "-o", "json", *options)
        assert answer.ok, answer.message
        found: list[dict[str, Any]] = json.loads(answer.message)["items"]
        return found

    def jobs(self) -> list[str]:
        """The names of its Jobs, in the order in which they were made, without the run's part.

        A Job's stamp is of whole seconds, and nothing else of it keeps when it was made: within a second the loop's
        own order is taken.
        """
        made = {
            str(job["metadata"]["name"]).removeprefix(f"{self.name}-")[9:]: str(job["metadata"]["creationTimestamp"])
            for job in self.items("jobs", "-l", f"{OURS},selfimprove.dev/run={self.name}")
        }
        return sorted(made, key=lambda name: (made[name], _place(name)))

    def job(self) -> dict[str, Any]:
        """The Job at hand."""
        return self.cluster.get("job", self.status["step"]["job"], self.namespace)

    def events(self) -> list[tuple[str, str]]:
        """Reasons and messages of what `kubectl describe` tells of it."""
        found = self.items("events", "--field-selector", f"involvedObject.name={self.name}")
        return [(str(event["reason"]), str(event["message"])) for event in found]

    def wait(self, state: str, seconds: float = 60) -> dict[str, Any]:
        """Its status once it has come to a state."""
        until(lambda: self.status.get("state") == state, seconds, lambda: self.status)
        return self.status

    def wait_for_step(self, name: str, state: str = "Running", seconds: float = 60) -> dict[str, Any]:
        """Its status once a step is at hand."""

        def there() -> bool:
            step = self.status.get("step") or {}
            return bool(step.get("name") == name and step.get("state") == state)

        until(there, seconds, lambda: self.status.get("step"))
        return self.status


def _place(job: str) -> tuple[bool, str, int, int]:
    iteration, step, *split, attempt = job.split("-")
    return bool(split), iteration, get_args(StepName).index(step), int(attempt)
