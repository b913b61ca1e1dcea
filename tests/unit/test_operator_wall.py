"""Wall-clock time is the time in which a run's steps ran: what it is held, failed or waits is nobody's spending."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.operator_support import Cluster, finish_run, run_manifest, start

DAY = 86_400


def at_work(seconds: float, **spec: Any) -> Cluster:
    """A run whose first step has run for that long."""
    cluster = Cluster(run_manifest(**spec))
    cluster.settle()
    work(cluster, seconds)
    return cluster


def work(cluster: Cluster, seconds: float) -> None:
    """Every pod runs for that long, and longer."""
    start(cluster)
    cluster.wait(seconds)


def rest(cluster: Cluster, seconds: float) -> None:
    """Nothing happens but that somebody looks."""
    cluster.settle()
    cluster.wait(seconds)
    cluster.settle()


def end(cluster: Cluster, code: int = 0) -> None:
    for pod in cluster.live():
        cluster.end(pod, code)
    cluster.settle()


def hold(cluster: Cluster, seconds: float = DAY) -> None:
    """The user holds the run for that long."""
    cluster.run["spec"]["suspend"] = True
    rest(cluster, seconds)
    cluster.run["spec"]["suspend"] = False
    cluster.settle()


def wall(cluster: Cluster) -> int:
    return cluster.status.usage.wall_seconds


def test_what_a_step_is_held_is_not_counted() -> None:
    cluster = at_work(4)
    hold(cluster)
    assert wall(cluster) == 4
    work(cluster, 8)
    end(cluster)
    assert wall(cluster) == 12


def test_pods_that_end_while_the_run_is_held_are_counted_with_the_stretch_that_the_hold_ended() -> None:
    cluster = at_work(4)
    ending = dict(cluster.pods)
    cluster.run["spec"]["suspend"] = True
    cluster.settle()
    cluster.wait(2)
    for name, pod in ending.items():
        cluster.pods[name] = pod
        cluster.end(name, 143)
        cluster.pods = {name: cluster.pods[name]}  # a Job that is held makes no other
    cluster.settle()
    assert (wall(cluster), cluster.status.counters.suspensions) == (4, 1)


def test_what_a_run_stands_failed_is_not_counted() -> None:
    cluster = at_work(10, execution={"backoffLimit": 0})
    end(cluster, code=1)
    assert (cluster.status.state, wall(cluster)) == ("Failed", 10)
    rest(cluster, DAY)
    hold(cluster)
    work(cluster, 5)
    end(cluster)
    assert wall(cluster) == 15


def test_what_a_step_waits_for_another_node_is_not_counted() -> None:
    cluster = at_work(30)
    cluster.evict(cluster.live()[0])
    rest(cluster, 3000)
    work(cluster, 20)
    end(cluster)
    assert wall(cluster) == 50


def test_shards_that_run_together_are_counted_once() -> None:
    cluster = at_work(30, generation={"shards": 3})
    end(cluster)
    assert wall(cluster) == 30


def test_a_shard_that_fails_for_good_ends_what_is_counted_though_another_still_stops() -> None:
    cluster = at_work(30, generation={"shards": 2})
    cluster.end(cluster.live()[0], code=3)
    rest(cluster, 60)
    assert (cluster.status.state, wall(cluster)) == ("Failed", 30)


def test_a_step_is_counted_to_its_own_end_whenever_that_is_looked_at() -> None:
    cluster = at_work(30)
    for pod in cluster.live():
        cluster.end(pod)
    cluster.wait(DAY)
    cluster.settle()
    assert wall(cluster) == 30


def test_a_step_that_nobody_saw_at_work_is_counted_by_its_pods_times() -> None:
    cluster = Cluster()
    cluster.settle()
    (pod,) = cluster.live()
    cluster.start(pod)
    cluster.wait(7)
    cluster.end(pod)
    cluster.settle()
    assert wall(cluster) == 7


def test_a_budget_of_time_ends_a_run_before_the_next_iteration_makes_a_job() -> None:
    cluster = Cluster(run_manifest(stopping={"budget": {"wallSeconds": 20}}, maxIterations=3))
    finish_run(cluster)
    assert cluster.status.stop is not None
    assert cluster.status.stop.message.startswith("stopping.budget is spent: 20 of 20 wallSeconds; raise it to go on")
    assert [name for name in cluster.created if "i001" in name] == []


def test_a_run_that_was_held_for_longer_than_its_budget_goes_on() -> None:
    cluster = at_work(4, stopping={"budget": {"wallSeconds": 60}}, maxIterations=1)
    hold(cluster)
    work(cluster, 4)
    end(cluster)
    cluster.settle()
    assert cluster.status.stop is None


@given(moves=st.lists(st.tuples(st.sampled_from(["work", "hold", "evict", "wait"]), st.integers(1, 500)), max_size=12))
@settings(deadline=None, max_examples=40)
def test_what_is_counted_is_what_was_worked(moves: list[tuple[str, int]]) -> None:
    cluster, worked = at_work(0, generation={"shards": 2}), 0
    for move, seconds in moves:
        if move == "work":
            work(cluster, seconds)
            worked += seconds
        if move == "hold":
            hold(cluster, seconds)
        if move == "evict":
            for pod in cluster.live():
                cluster.evict(pod)
            cluster.settle()
        if move == "wait" and all(cluster.phase(pod) == "Pending" for pod in cluster.live()):
            rest(cluster, seconds)
    work(cluster, 1)
    end(cluster)
    assert wall(cluster) == worked + 1
