"""One run through everything that goes wrong in a cluster: it still ends right, and no step is done twice."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from typing import Any

import pytest

from tests.cluster.run_support import LiveRun
from tests.e2e.runs_support import apply_demo
from tests.fixtures.installed import KEYS, SYSTEM, Installed
from tests.fixtures.operator import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]

PATIENCE = 600


@pytest.fixture
def run(installed: Installed) -> LiveRun:
    return apply_demo(installed, "rough", "maxIterations=2")


def test_a_run_through_every_fault_ends_right_and_does_nothing_twice(run: LiveRun, installed: Installed) -> None:
    at_work(run, "i000-evaluate")
    operator_pod_dies(installed)
    at_work(run, "i001-generate")
    evicted(run)
    at_work(run, "i001-distill")
    held_for_a_while(run)
    at_work(run, "i001-evaluate")
    pod_deleted(run)
    at_work(run, "i002-generate")
    keys_are_wrong_for_a_while(run, installed)
    at_work(run, "i002-distill")
    storage_is_away_for_a_while(run, installed)
    status = run.wait("Succeeded", PATIENCE)
    assert status["stop"]["rule"] == "MaxIterations"
    assert (status["counters"]["failures"], status["counters"]["suspensions"]) == (0, 1)
    assert status["counters"]["disruptions"] >= 1
    ended = Counter(message for reason, message in run.events() if reason == "StepEnded")
    assert max(ended.values()) == 1
    assert len(ended) == 2 + 2 * 7
    assert samples_are_complete(run, installed)


def at_work(run: LiveRun, step: str) -> None:
    """Wait until a step's container runs."""
    until(lambda: (run.status.get("step") or {}).get("name") == step, PATIENCE, lambda: run.status)
    until(lambda: running(run, step), PATIENCE, lambda: run.status)


def running(run: LiveRun, step: str = "") -> list[str]:
    """Pods of the run, or of one of its steps, whose container runs."""
    pods = run.items("pods", "-l", f"selfimprove.dev/run={run.name}")
    names = [pod["metadata"]["name"] for pod in pods if _container_runs(pod)]
    return [name for name in names if f"-{step}-" in name] if step else names


def _container_runs(pod: dict[str, Any]) -> bool:
    statuses = pod["status"].get("containerStatuses") or [{}]
    return "running" in statuses[0].get("state", {})


def operator_pod_dies(installed: Installed) -> None:
    """Without a moment's grace, as with its node."""
    labels = "app.kubernetes.io/name=selfimprove"
    options = ("-l", labels, "-n", SYSTEM, "--grace-period=0", "--force")
    assert installed.cluster.kubectl("delete", "pods", *options).ok


def evicted(run: LiveRun) -> None:
    """By the Eviction API, as a drained node does."""
    (pod,) = running(run)[:1]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": run.namespace}}
    path = f"/api/v1/namespaces/{run.namespace}/pods/{pod}/eviction"
    answer = run.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
    assert answer.ok, answer.message


def held_for_a_while(run: LiveRun) -> None:
    """Suspended, and seen to be."""
    run.patch(suspend=True)
    run.wait("Suspended", 120)
    until(lambda: not running(run), 150)
    run.patch(suspend=False)


def pod_deleted(run: LiveRun) -> None:
    """`kubectl delete pod` of a worker at work."""
    (pod,) = running(run)[:1]
    assert run.cluster.kubectl("delete", "pod", pod, "-n", run.namespace, "--wait=false").ok


def keys_are_wrong_for_a_while(run: LiveRun, installed: Installed) -> None:
    """The Secret is broken, the pod at work dies, and its successors can't get in until it is mended."""
    secret(run, "wrong")
    pod_deleted(run)
    degraded = until(lambda: _true(run, "Degraded"), 180, lambda: run.status)
    assert "s3-credentials" in degraded["message"] or "s3://selfimprove" in degraded["message"]
    secret(run, KEYS["AWS_SECRET_ACCESS_KEY"])
    until(lambda: not _true(run, "Degraded"), PATIENCE, lambda: run.status)


def storage_is_away_for_a_while(run: LiveRun, installed: Installed) -> None:
    """Its Service leads nowhere for half a minute."""
    selector({"app.kubernetes.io/name": "nobody"}, run)
    time.sleep(30)
    selector({"app.kubernetes.io/name": "selfimprove-s3"}, run)


def secret(run: LiveRun, key: str) -> None:
    """Replace the secret key that runs use; the S3 server itself has read its own at its start."""
    data = {"AWS_SECRET_ACCESS_KEY": base64.b64encode(key.encode()).decode()}
    patch = json.dumps({"data": data})
    assert run.cluster.kubectl("patch", "secret", "s3-credentials", "-n", run.namespace, "-p", patch).ok


def selector(labels: dict[str, str], run: LiveRun) -> None:
    patch = json.dumps({"spec": {"selector": labels}})
    assert run.cluster.kubectl("patch", "service", "s3", "-n", run.namespace, "-p", patch).ok


def samples_are_complete(run: LiveRun, installed: Installed) -> bool:
    """Every prompt has exactly its samples, numbered from 0, in both iterations."""
    for iteration in ("1", "2"):
        with installed.s3() as endpoint:
            where = ("-n", run.namespace, "--endpoint", endpoint, "--limit", "100", "--json")
            shown = installed.cli("samples", f"sir/{run.name}", "--iteration", iteration, *where)
        assert shown.returncode == 0, shown.stderr
        for prompt in prompts_in(json.loads(shown.stdout)):
            assert sorted(sample["sample"] for sample in prompt["samples"]) == [0, 1, 2, 3]
    return True


def prompts_in(document: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document if isinstance(document, list) else document["prompts"]
    return found


def _true(run: LiveRun, type: str) -> dict[str, Any]:
    found = run.condition(type)
    return found if found.get("status") == "True" else {}
