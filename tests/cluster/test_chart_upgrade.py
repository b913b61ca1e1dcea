"""`helm upgrade` in the middle of a run: the next operator goes on, and what the run was accepted with stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.chart_place import Place, watched_namespace
from tests.fixtures.cluster import Cluster

pytestmark = pytest.mark.cluster

OTHER_DEFAULTS = ("image.tag=2.0.0", "defaults.storage.uri=s3://other/runs", "defaults.gpu.count=2")


@pytest.fixture
def place(nodes: Cluster, tmp_path: Path) -> Iterator[Place]:
    with watched_namespace(nodes, "image.tag=1.0.0") as release:
        yield Place(release, tmp_path)


def test_an_upgrade_changes_nothing_of_a_run_and_all_of_the_next(place: Place) -> None:
    begun, later = place.run("begun"), place.run("later")
    with place.operator():
        before = begun.apply("maxIterations=1", labels={"fake/seconds": "3s"}).wait_for_step(
            "i001-generate", seconds=120
        )
    upgraded = place.release.upgrade(*OTHER_DEFAULTS, options=("--reuse-values",))
    assert upgraded.ok, upgraded.message
    with place.operator():
        after = begun.wait("Succeeded", 180)
        later.apply("maxIterations=1").wait("Succeeded", 120)
    assert after["runURI"] == before["runURI"]
    assert after["counters"] == {"failures": 0, "disruptions": 0, "suspensions": 0}
    assert tags(place, "begun") == {"1.0.0"}
    assert tags(place, "later") == {"2.0.0"}
    assert {name.rpartition("-")[2] for name in begun.jobs()} == {"1"}, "no step was begun twice"


def tags(place: Place, run: str) -> set[str]:
    """Of the images that the run's pods were made from."""
    jobs = place.run(run).items("jobs", "-l", f"selfimprove.dev/run={run}")
    return {str(each["spec"]["template"]["spec"]["containers"][0]["image"]).rpartition(":")[2] for each in jobs}
