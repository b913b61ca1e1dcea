"""A run on a real API server, from `kubectl apply` to its end, its pods pretended."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from tests.cluster.run_support import LiveRun
from tests.fixtures.cluster import Cluster
from tests.fixtures.operator import Operator, until

pytestmark = pytest.mark.cluster

STEPS = ["evaluate", "measure"]
ITERATION = ["generate", "select", "distill", "evaluate", "measure"]
TWO_ITERATIONS = [f"i000-{step}-1" for step in STEPS] + [f"i{n:03d}-{step}-1" for n in (1, 2) for step in ITERATION]


@pytest.fixture
def run(operator: Operator, nodes: Cluster, namespace: str) -> LiveRun:
    return LiveRun(nodes, namespace)


def test_a_run_goes_to_its_end_one_job_a_step(run: LiveRun) -> None:
    status = run.apply("maxIterations=2").wait("Succeeded")
    assert status["stop"]["rule"] == "MaxIterations"
    assert run.jobs() == TWO_ITERATIONS
    assert (status["latest"]["accuracy"], status["best"]["iteration"]) == ("0.2200", 2)


def test_how_an_iteration_was_graded_shows_until_the_next_has_been(run: LiveRun) -> None:
    status = run.apply("maxIterations=2").wait("Succeeded")
    assert status["verdicts"] == {"Correct": 3, "Wrong": 5}


def test_every_step_is_told_of_once_begun_and_once_ended(run: LiveRun) -> None:
    run.apply("maxIterations=1").wait("Succeeded")
    told = Counter(reason for reason, _ in run.events())
    assert told["StepBegun"] == 7
    assert told["StepEnded"] == 8, "verify shared generate's Job, and is a step all the same"
    assert told["MaxIterations"] == 1


def test_the_columns_of_kubectl_show_the_science(run: LiveRun) -> None:
    run.apply("maxIterations=1").wait("Succeeded")
    lines = run.cluster.kubectl("get", "sir", "-n", run.namespace).message.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "ITER", "GAP", "TAIL", "BEST", "AGE"]
    assert lines[1].split()[:6] == ["gsm8k", "Succeeded", "1/1", "0.1000", "0.1000", "0.2100"]


def test_a_run_at_rest_is_not_written_to(run: LiveRun, operator: Operator) -> None:
    run.apply("maxIterations=1").wait("Succeeded")
    time.sleep(3)
    version = run.cluster.get("sir", run.name, run.namespace)["metadata"]["resourceVersion"]
    written = operator.metric("selfimprove_api_writes_total.*(jobs|events|runs)")
    time.sleep(5)
    assert run.cluster.get("sir", run.name, run.namespace)["metadata"]["resourceVersion"] == version
    assert operator.metric("selfimprove_api_writes_total.*(jobs|events|runs)") == written


def test_a_sharded_step_is_one_indexed_job(run: LiveRun) -> None:
    run.apply("maxIterations=1", "generation.shards=3").wait("Succeeded")
    sizes = {job["metadata"]["labels"]["selfimprove.dev/step"]: job["spec"]["completions"] for job in run.items("jobs")}
    assert sizes == {"evaluate": 3, "measure": 1, "generate": 3, "select": 1, "distill": 1}


def test_the_users_labels_are_on_jobs_and_pods(run: LiveRun) -> None:
    run.apply("maxIterations=1", labels={"team": "lab"}).wait("Succeeded")
    assert {job["metadata"]["labels"]["team"] for job in run.items("jobs")} == {"lab"}
    assert {pod["metadata"]["labels"]["team"] for pod in run.items("pods")} == {"lab"}


def test_a_deleted_run_takes_its_jobs_and_pods_with_it(run: LiveRun) -> None:
    run.apply(labels={"fake/seconds": "60s"}).wait_for_step("i000-evaluate")
    run.delete()
    until(lambda: not run.items("jobs") and not run.items("pods"))


def test_a_run_made_again_under_its_name_begins_anew(run: LiveRun) -> None:
    first = run.apply("maxIterations=1").wait("Succeeded")
    run.delete()
    second = run.apply("maxIterations=1").wait("Succeeded")
    assert first["runURI"] != second["runURI"]


def test_the_whole_object_stays_under_16_kb(run: LiveRun) -> None:
    run.apply("maxIterations=12").wait("Succeeded", 120)
    assert size(run.whole) < 16_000


def test_whose_the_fields_are_costs_no_more_with_every_iteration(run: LiveRun) -> None:
    """The API server notes the owner of each field, and of each part of a status that is not told to be one whole."""
    run.apply("maxIterations=3").wait("Succeeded", 120)
    assert size([each for each in run.whole["metadata"]["managedFields"] if each.get("subresource")]) < 1_000


def size(document: object) -> int:
    """Bytes as the API server stores it."""
    return len(json.dumps(document, separators=(",", ":")).encode())
