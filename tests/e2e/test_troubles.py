"""What admission can't see: told within a minute with its remedy, and healed when its cause is gone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.run_support import LiveRun
from tests.e2e.conftest import S3_YAML
from tests.e2e.runs_support import apply_demo
from tests.fixtures.installed import KEYS, Installed
from tests.fixtures.operator import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

MINUTE = 60


@pytest.fixture
def elsewhere(installed: Installed) -> Iterator[Installed]:
    """An empty namespace: no Secret, no S3 server."""
    namespace = f"test-{secrets.token_hex(4)}"
    assert installed.cluster.kubectl("create", "namespace", namespace).ok
    yield Installed(installed.cluster, namespace)
    installed.cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def test_a_missing_secret_and_then_an_unreachable_bucket_show_and_heal(elsewhere: Installed) -> None:
    run = apply_demo(elsewhere, "poor")
    missing = degraded(run, lambda message: "secret" in message)
    assert '"s3-credentials" not found' in missing and "create the Secret" in missing
    keys = [f"--from-literal={name}={value}" for name, value in KEYS.items()]
    assert elsewhere.cluster.kubectl("create", "secret", "generic", "s3-credentials", *keys, "-n", run.namespace).ok
    away = degraded(run, lambda message: "http://s3:8333" in message, 3 * MINUTE)
    assert "exit 4" in away
    assert run.status["counters"]["failures"] == 0
    assert elsewhere.cluster.kubectl("apply", "-n", run.namespace, "-f", str(S3_YAML)).ok
    until(
        lambda: "i000-evaluate" in run.status.get("committed", []) or run.status["iteration"], 600, lambda: run.status
    )
    assert run.condition("Degraded")["status"] == "False"
    run.delete()


def test_an_image_that_can_t_be_pulled_shows_and_heals_when_its_name_is_mended(elsewhere: Installed) -> None:
    assert elsewhere.cluster.kubectl("apply", "-n", elsewhere.namespace, "-f", str(S3_YAML)).ok
    run = apply_demo(elsewhere, "typo", "execution.images.sampler=localhost/selfimprove-typo:e2e")
    message = degraded(run, lambda message: "image" in message.lower())
    assert "localhost/selfimprove-typo:e2e" in message and "mend the image's name" in message
    run.patch(execution={"images": {"sampler": None}})
    until(
        lambda: "i000-evaluate" in run.status.get("committed", []) or run.status["iteration"], 600, lambda: run.status
    )
    assert run.condition("Degraded")["status"] == "False"
    assert run.status["counters"]["failures"] == 0, "the pod that never ran has not failed"
    run.delete()


def test_a_namespace_goes_with_a_run_at_work_in_it(elsewhere: Installed) -> None:
    assert elsewhere.cluster.kubectl("apply", "-n", elsewhere.namespace, "-f", str(S3_YAML)).ok
    apply_demo(elsewhere, "cut").wait("Running", 120)
    assert elsewhere.cluster.kubectl("delete", "namespace", elsewhere.namespace, "--timeout=110s").ok


def degraded(run: LiveRun, about: Any, seconds: float = MINUTE) -> str:
    """The message of Degraded, once it is about something."""

    def told() -> str:
        found = run.condition("Degraded")
        message = str(found.get("message", ""))
        return message if found.get("status") == "True" and about(message) else ""

    message: str = until(told, seconds, lambda: run.status)
    return message
