"""What is counted of pods that are over: failures at work, not what was removed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from selfimprove_operator.metrics import Metrics
from selfimprove_operator.observed import Ended, ObservedPod

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def counted(pod: ObservedPod) -> dict[str, float]:
    """The failures by cause after a pod's end."""
    metrics = Metrics()
    metrics.ended(pod)
    (family,) = metrics.pod_failures.collect()
    return {each.labels["cause"]: each.value for each in family.samples if each.name.endswith("_total")}


def pod(code: int | None, *, ran: bool = True, deleted: bool = False, **more: Any) -> ObservedPod:
    """A pod that is over; without a code nothing is known of its container."""
    ended = None if code is None else Ended(code, "", NOW if ran else None, NOW if ran else None)
    given = {"phase": "Failed", "ended": ended, "deleting_since": NOW if deleted else None, **more}
    return ObservedPod("p", "u", "i001-generate", 1, 0, created_at=NOW, **given)


@pytest.mark.parametrize("code", [137, None])
def test_a_pod_that_is_removed_before_it_ran_is_no_failure(code: int | None) -> None:
    assert counted(pod(code, ran=False, deleted=True)) == {}


@pytest.mark.parametrize("code", [143, 137])
def test_a_pod_that_is_removed_at_its_work_was_stopped_however_long_it_took_to_go(code: int) -> None:
    assert counted(pod(code, deleted=True)) == {"Stopped": 1}


@pytest.mark.parametrize(("code", "ran"), [(137, True), (128, False), (None, False)])
def test_a_pod_that_goes_by_itself_without_a_word_is_a_failure(code: int | None, ran: bool) -> None:
    assert counted(pod(code, ran=ran)) == {"Unexpected": 1}


def test_a_pod_that_failed_by_itself_while_it_was_removed_is_a_failure() -> None:
    assert counted(pod(2, deleted=True)) == {"WrongInput": 1}


def test_a_pod_that_did_its_work_is_no_failure() -> None:
    assert counted(pod(0, phase="Succeeded", deleted=True)) == {}
