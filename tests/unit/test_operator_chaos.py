"""Whatever comes late, twice, in pieces or never, wherever the operator dies: the run ends as a calm one does."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove_operator.observed import Observed, job_of
from tests.unit.operator_support import Cluster, begun, finish_run, run_manifest, start

SPEC: dict[str, Any] = {"generation": {"shards": 2}, "execution": {"backoffLimit": 100, "pendingDeadlineSeconds": 1500}}


def calm(**spec: Any) -> Cluster:
    cluster = Cluster(run_manifest(**{**SPEC, **spec}))
    finish_run(cluster)
    return cluster


@dataclass
class Chaos:
    """A cluster in which anything may happen next. A watch never goes back behind what it has shown."""

    cluster: Cluster
    draw: random.Random
    seen: list[Observed] = field(default_factory=list)
    floor: int = 0

    def happen(self) -> None:
        self.cluster.wait(self.draw.choice([0, 1, 15]))
        actions = [self.look, self.look, self.late, self.die, self.start, self.end, self.end, self.fail, self.collect]
        seldom = [self.vanish, self.labour, self.evict]
        self.draw.choice([*actions, *seldom] if self.draw.random() < 0.2 else actions)()
        self.check()

    def look(self) -> None:
        self.remember()
        self.floor = len(self.seen) - 1
        self.cluster.reconcile()

    def late(self) -> None:
        """The run as it is, its Jobs and pods as they were a while ago."""
        self.remember()
        place = self.draw.randint(self.floor, len(self.seen) - 1)
        self.floor = place
        old = self.seen[place]
        self.cluster.reconcile(replace(self.cluster.look(), jobs=old.jobs, pods=old.pods))

    def die(self) -> None:
        """The operator is killed between two calls; the next one lists afresh."""
        self.remember()
        self.cluster.reconcile(calls=self.draw.randint(0, 2))
        self.floor = len(self.seen) - 1

    def remember(self) -> None:
        self.seen.append(self.cluster.look())

    def start(self) -> None:
        for pod in self.some(self.cluster.live()):
            self.cluster.start(pod)

    def end(self) -> None:
        for pod in self.some(self.cluster.live()):
            garbled = self.draw.random() < 0.1
            self.cluster.end(pod, message="cut" if garbled else None)

    def fail(self) -> None:
        for pod in self.some(self.cluster.live())[:1]:
            code, disrupted = self.draw.choice([(1, False), (137, True), (143, False), (4, False)])
            self.cluster.end(pod, code, json.dumps({"promptsDone": self.cluster.number()}), disrupted)

    def vanish(self) -> None:
        for job in self.some(list(self.cluster.jobs))[:1]:
            self.cluster.remove(job)
            self.remember()
            self.floor = len(self.seen) - 1

    def labour(self) -> None:
        """A step takes longer than a pod may wait."""
        if any(self.cluster.phase(pod) == "Running" for pod in self.cluster.live()):
            self.look()
            self.cluster.wait(2000)

    def evict(self) -> None:
        for pod in self.some(self.cluster.live()):
            self.cluster.evict(pod)

    def collect(self) -> None:
        self.cluster.collect()

    def some(self, names: list[str]) -> list[str]:
        return [name for name in names if self.draw.random() < 0.6]

    def check(self) -> None:
        """One step at a time. A pod whose shard an earlier attempt did finds the manifest and ends by itself."""
        at_work = {self.cluster.of(pod) for pod in self.cluster.live()} & set(self.cluster.jobs)
        steps = {job_of(self.cluster.jobs[job]).step for job in at_work} - self.committed()
        assert len(steps) <= 1, f"two steps at once: {sorted(at_work)}"

    def committed(self) -> set[str]:
        if "status" not in self.cluster.run:
            return set()
        status = self.cluster.status
        measured = range((status.latest.iteration if status.latest else -1) + 1)
        names = ("generate", "verify", "select", "distill", "evaluate", "measure")
        return {*status.committed, *(f"i{n:03d}-{name}" for n in measured for name in names)}


@given(seed=st.integers(0, 2**32), calls=st.integers(20, 250))
@settings(deadline=None, max_examples=30)
def test_a_run_through_chaos_ends_with_the_same_ledger(seed: int, calls: int) -> None:
    chaos = Chaos(Cluster(run_manifest(**SPEC)), random.Random(seed))
    for _ in range(calls):
        chaos.happen()
    finish_run(chaos.cluster)
    found, expected = chaos.cluster.status, calm().status
    assert found.stop == expected.stop
    assert (found.best, found.latest, found.baseline) == (expected.best, expected.latest, expected.baseline)
    assert [row.held_out for row in found.iterations] == [row.held_out for row in expected.iterations]
    assert [row.examples for row in found.iterations] == [row.examples for row in expected.iterations]


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=15)
def test_a_budget_that_is_spent_in_the_last_iteration_ends_it_as_a_calm_one(seed: int) -> None:
    cluster = begun(**SPEC, stopping={"budget": {"wallSeconds": 80}})
    for _ in range(7):
        cluster.wait(10)
        for pod in cluster.live():
            cluster.end(pod)
        cluster.settle()
        start(cluster)
    assert cluster.status.step is not None and cluster.status.step.name == "i002-generate"
    assert cluster.status.usage.wall_seconds == 70
    chaos = Chaos(cluster, random.Random(seed))
    for _ in range(150):
        chaos.happen()
    finish_run(cluster)
    found, expected = cluster.status, calm().status
    assert (found.stop, found.best, found.latest) == (expected.stop, expected.best, expected.latest)
    assert found.usage.wall_seconds > 80


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=15)
def test_no_step_is_begun_again_once_it_is_done(seed: int) -> None:
    chaos = Chaos(Cluster(run_manifest(**SPEC)), random.Random(seed))
    chaos.vanish = lambda: None  # type: ignore[method-assign]
    for _ in range(200):
        chaos.happen()
    finish_run(chaos.cluster)
    steps = [name.rpartition("-")[0] for name in chaos.cluster.created]
    assert [step for place, step in enumerate(steps) if step in steps[:place] and steps[place - 1] != step] == []
    assert len(chaos.cluster.created) == len(set(chaos.cluster.created))


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=15)
def test_a_run_made_again_under_its_name_begins_anew(seed: int) -> None:
    chaos = Chaos(Cluster(run_manifest(**SPEC)), random.Random(seed))
    for _ in range(60):
        chaos.happen()
    old = chaos.cluster.look()
    chaos.cluster.run = run_manifest("ffffffff-0000", **SPEC)
    chaos.cluster.reconcile(old)  # what was decided for the run before it is written nowhere
    assert "status" not in chaos.cluster.run
    finish_run(chaos.cluster)
    assert chaos.cluster.status.stop == calm().status.stop
