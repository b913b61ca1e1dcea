"""Operators as processes: killed, two at once, or with eyes for one namespace only."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cluster.run_support import LiveRun
from tests.cluster.test_operator_run import TWO_ITERATIONS
from tests.fixtures.cluster import Cluster
from tests.fixtures.operator import operator_at_work, start_operator, until

pytestmark = pytest.mark.cluster


def test_an_operator_killed_again_and_again_does_no_step_twice(nodes: Cluster, namespace: str, tmp_path: Path) -> None:
    run = LiveRun(nodes, namespace)
    run.apply("maxIterations=2", labels={"fake/seconds": "1s"})
    for pause in (0.7, 1.9, 1.1, 2.3, 0.4):
        operator = start_operator(nodes, tmp_path, {"watchNamespaces": [namespace]})
        time.sleep(pause)
        operator.kill()
    with operator_at_work(nodes, tmp_path, {"watchNamespaces": [namespace]}):
        run.wait("Succeeded")
    assert run.jobs() == TWO_ITERATIONS


def test_an_operator_of_one_namespace_leaves_others_alone(nodes: Cluster, namespace: str, tmp_path: Path) -> None:
    elsewhere = LiveRun(nodes, "default", "elsewhere").apply()
    try:
        with operator_at_work(nodes, tmp_path, {"watchNamespaces": [namespace]}):
            LiveRun(nodes, namespace).apply("maxIterations=1").wait("Succeeded")
        assert elsewhere.status == {}
    finally:
        elsewhere.delete()


def test_of_two_operators_only_the_holder_of_the_lease_acts(nodes: Cluster, namespace: str, tmp_path: Path) -> None:
    settings = {"watchNamespaces": [namespace], "leaseNamespace": namespace}
    with operator_at_work(nodes, tmp_path, settings) as first:
        until(lambda: first.metric("selfimprove_leader"))
        with operator_at_work(nodes, tmp_path, settings) as second:
            run = LiveRun(nodes, namespace).apply("maxIterations=1")
            run.wait("Succeeded")
            assert second.metric("selfimprove_api_writes_total.*(jobs|events|runs)") == 0
            assert first.end() == 0
            until(lambda: second.metric("selfimprove_leader"), 10)
    assert run.jobs() == [name for name in TWO_ITERATIONS if not name.startswith("i002")]
