"""A run read from its resource: at every moment of its life what the command line says is what the operator decides."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from selfimprove.cli.cluster_showing import report_of
from selfimprove.cluster_run import ClusterRun, cluster_run_of
from selfimprove.loop import Step
from selfimprove.report import print_report
from selfimprove.status_left import left_of_status
from selfimprove_operator.acceptance import Accepted, accept
from tests.unit.operator_support import DEFAULTS, Cluster, begun, checkpoint_of, run_manifest


def life(cluster: Cluster) -> Iterator[ClusterRun]:
    """The run after every look of the operator, until it is over."""
    for _ in range(100):
        cluster.settle()
        yield cluster_run_of(cluster.run)
        if cluster.status.stop is not None:
            return
        for pod in cluster.live():
            cluster.start(pod)
        cluster.reconcile()
        yield cluster_run_of(cluster.run)
        cluster.wait(10)
        for pod in cluster.live():
            cluster.end(pod)
        cluster.collect()
    raise AssertionError("the run never ends")


RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sharded": {"generation": {"shards": 3}, "resampling": {"strategy": "BruteForce", "acceptThreshold": 1}},
    "long": {"maxIterations": 10, "stopping": {"minGap": 0}},
    "tested": {"dataset": {**run_manifest()["spec"]["dataset"], "test": {"uri": "s3://lab/test.jsonl"}}},
}


@pytest.fixture(params=RUNS)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    return Cluster(run_manifest(**RUNS[request.param]))


def test_the_spec_is_the_one_that_the_operator_accepted(cluster: Cluster) -> None:
    for seen in life(cluster):
        found = accept(cluster.look(), DEFAULTS, cluster.now)
        assert isinstance(found, Accepted)
        assert (seen.spec, seen.run.spec) == (found.spec, found.run.spec)


def test_the_next_step_and_the_end_are_those_of_the_status(cluster: Cluster) -> None:
    for seen in life(cluster):
        decision, status = seen.decision, seen.status
        if isinstance(decision, Step):
            assert status.plan is not None
            assert (decision.id.name, status.stop) == (status.plan.next, None)
        else:
            assert status.stop is not None
            assert (decision.rule, decision.message) == (status.stop.rule, status.stop.message)


def test_it_is_at_work_until_it_is_over(cluster: Cluster) -> None:
    moments = [(seen.at_work, seen.status.stop is None) for seen in life(cluster)]
    assert moments[-1] == (False, False)
    assert all(at_work == going_on for at_work, going_on in moments)


def test_what_is_left_falls_to_nothing(cluster: Cluster) -> None:
    ahead = [left_of_status(seen.spec, seen.status) for seen in life(cluster)]
    assert [each.iterations for each in ahead] == sorted((each.iterations for each in ahead), reverse=True)
    assert all(each.tokens >= 0 and each.samples >= 0 for each in ahead)
    assert (ahead[-1].iterations, ahead[-1].tokens, ahead[-1].unknown) == (0, 0, ())


def test_the_tables_can_be_shown_at_any_moment_without_a_row_that_the_status_has_forgotten(cluster: Cluster) -> None:
    for seen in life(cluster):
        stream = io.StringIO()
        print_report(report_of(seen), stream)
        rows = [line.split()[0] for line in stream.getvalue().splitlines() if line[:1].isdigit()]
        assert rows == [str(row.iteration) for row in seen.status.iterations if row.examples is not None]


def test_the_best_model_is_told_with_the_place_of_its_checkpoint(cluster: Cluster) -> None:
    *_, last = life(cluster)
    assert last.status.best is not None
    n = last.status.best.iteration
    assert last.status.best.model_uri == f"{last.status.run_uri}/{checkpoint_of(n)}"


def test_a_run_that_is_over_is_at_work_while_a_step_of_it_still_stops() -> None:
    cluster = begun()
    cluster.end(cluster.live()[0])
    cluster.settle()
    cluster.run["status"] |= {"stop": {"rule": "BudgetSpent", "iteration": 0}, "plan": {"reason": "the run is over"}}
    assert cluster_run_of(cluster.run).at_work
    del cluster.run["status"]["step"]
    assert not cluster_run_of(cluster.run).at_work


def test_a_run_held_by_its_owner_is_not_at_work(cluster: Cluster) -> None:
    cluster.settle()
    cluster.run["spec"]["suspend"] = True
    cluster.run["metadata"]["generation"] = 2
    assert cluster_run_of(cluster.run).at_work
    cluster.settle()
    assert not cluster_run_of(cluster.run).at_work
