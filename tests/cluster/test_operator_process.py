"""Operators as processes: killed, two at once, or with eyes for one namespace only."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cluster.run_support import LiveRun
from tests.cluster.test_operator_run import TWO_ITERATIONS
from tests.fixtures.cluster import Cluster
from tests.fixtures.faulty_api import faulty_api
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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_writes_that_are_refused_or_whose_answers_are_lost_change_nothing(
    nodes: Cluster, namespace: str, tmp_path: Path, seed: int
) -> None:
    with faulty_api(nodes, tmp_path, seed) as (proxy, kubeconfig):
        settings = {"watchNamespaces": [namespace], "resyncSeconds": 1}
        with operator_at_work(nodes, tmp_path, settings, kubeconfig):
            run = LiveRun(nodes, namespace).apply("maxIterations=2", "generation.shards=2")
            status = run.wait("Succeeded", 180)
    assert proxy.faults > 5
    assert run.jobs() == TWO_ITERATIONS
    assert status["counters"] == {"failures": 0, "disruptions": 0, "suspensions": 0}
    ended = [message for reason, message in run.events() if reason == "StepEnded"]
    assert len(ended) == len(set(ended))


def test_an_upgrade_changes_nothing_of_a_run_that_was_accepted_before(
    nodes: Cluster, namespace: str, tmp_path: Path
) -> None:
    run = LiveRun(nodes, namespace)
    with operator_at_work(nodes, tmp_path, {"watchNamespaces": [namespace]}):
        run.apply("maxIterations=1", labels={"fake/seconds": "3s"}).wait_for_step("i000-evaluate")
    images = dict.fromkeys(("sampler", "trainer", "verifier"), "newer:2")
    newer = {"watchNamespaces": [namespace], "defaults": {"images": images, "storage": {"uri": "s3://other/runs"}}}
    with operator_at_work(nodes, tmp_path, newer):
        status = run.wait("Succeeded")
    assert status["runURI"].startswith("s3://lab/runs/")
    used = {job["spec"]["template"]["spec"]["containers"][0]["image"] for job in run.items("jobs")}
    assert used == {"sampler:1", "trainer:1", "verifier:1"}
    assert run.jobs().count("i000-evaluate-1") == 1


def test_an_operator_may_look_after_several_namespaces(nodes: Cluster, namespace: str, tmp_path: Path) -> None:
    with operator_at_work(nodes, tmp_path, {"watchNamespaces": [namespace, "default"]}):
        runs = LiveRun(nodes, namespace), LiveRun(nodes, "default", "other")
        for run in runs:
            run.apply("maxIterations=1")
        for run in runs:
            run.wait("Succeeded")
        runs[1].delete()
