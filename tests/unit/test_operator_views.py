"""What is known of the cluster, whatever order it comes in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_operator.names import ATTEMPT, ITERATION, RUN, RUN_UID
from selfimprove_operator.views import Views, refusal_in

KEY = ("research", "gsm8k")


def run(version: int, **more: Any) -> dict[str, Any]:
    metadata = {"namespace": "research", "name": "gsm8k", "uid": "u1", "resourceVersion": str(version), "generation": 1}
    return {"metadata": metadata, "spec": {}, "status": {}, **more}


def job(version: int, name: str = "j1", completions: int = 1, **status: Any) -> dict[str, Any]:
    labels = {RUN: "gsm8k", RUN_UID: "u1"}
    metadata = {"namespace": "research", "name": name, "uid": f"uid-{name}", "labels": labels}
    return {
        "metadata": {**metadata, "resourceVersion": str(version)},
        "spec": {"completions": completions},
        "status": status,
    }


def pod(version: int, created: str, phase: str = "Running", index: int = 0, name: str = "j1-0-abc") -> dict[str, Any]:
    metadata = {"namespace": "research", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    metadata |= {"labels": {RUN: "gsm8k", RUN_UID: "u1"}, "creationTimestamp": created}  # type: ignore[dict-item]
    metadata |= {"annotations": {"batch.kubernetes.io/job-completion-index": str(index)}}  # type: ignore[dict-item]
    return {"metadata": metadata, "spec": {}, "status": {"phase": phase}}


@given(st.permutations([1, 2, 3, 4, 5]))
def test_the_newest_version_stands_whatever_comes_after_it(order: list[int]) -> None:
    views = Views("nvidia.com/gpu")
    for version in order:
        views.put_run(run(version, spec={"version": version}))
        views.put_job(job(version, startTime=f"2026-11-24T00:00:0{version}Z"))
    assert views.runs[KEY]["spec"] == {"version": 5}
    (found,) = views.jobs.all(KEY)
    assert found.started_at is not None and found.started_at.second == 5


def test_a_change_that_tells_nothing_new_wakes_nobody() -> None:
    views = Views("nvidia.com/gpu")
    assert views.put_run(run(1)) == KEY
    assert views.put_run(run(2)) is None
    assert views.put_job(job(1)) == KEY
    assert views.put_job(job(2)) is None
    assert views.put_job(job(3, conditions=[{"type": "Complete", "status": "True"}])) == KEY


@pytest.mark.parametrize("labels", [{ITERATION: "zz"}, {ATTEMPT: "first"}])
def test_what_others_label_as_ours_is_passed_over(labels: dict[str, str]) -> None:
    views = Views("nvidia.com/gpu")
    forged, real = pod(1, "2026-11-24T00:00:00Z"), pod(2, "2026-11-24T00:00:00Z", name="j1-0-real")
    forged["metadata"]["labels"] |= labels
    assert views.put_pod(forged) == (None, None)
    views.put_pod(real)
    assert [found.name for found in views.pods.all(KEY)] == ["j1-0-real"]


def test_gpus_are_counted_as_quantities_are_written() -> None:
    views = Views("nvidia.com/gpu")
    many = pod(1, "2026-11-24T00:00:00Z")
    many["spec"] = {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "1k"}}}]}
    _, _ = views.put_pod(many)
    assert [found.gpus for found in views.pods.all(KEY)] == [1000]


def test_a_job_of_the_same_name_made_later_outlives_the_news_of_the_first_ones_end() -> None:
    views = Views("nvidia.com/gpu")
    views.put_job(job(1))
    second = job(5)
    second["metadata"]["uid"] = "another"
    views.put_job(second)
    assert views.drop_job(job(1)) is None
    assert [found.uid for found in views.jobs.all(KEY)] == ["another"]


def test_a_list_forgets_what_is_gone_but_nothing_that_came_after_it() -> None:
    views = Views("nvidia.com/gpu")
    views.put_job(job(3, "gone"))
    views.put_job(job(9, "newer"))
    assert list(views.jobs.absent(set(), version=5)) == [(KEY, "gone")]


def test_a_refusal_stands_until_a_pod_was_made_after_it() -> None:
    views = Views("nvidia.com/gpu")
    views.put_run(run(1))
    views.put_job(job(1))
    event = {
        "metadata": {},
        "involvedObject": {"namespace": "research", "name": "j1"},
        "message": "Error creating: pods are forbidden: exceeded quota",
        "lastTimestamp": "2026-11-24T00:00:10Z",
    }
    assert views.refuse(*refusal_in(event)) == KEY
    observed = views.observe(KEY)
    assert observed is not None and observed.refusals == {"j1": "pods are forbidden: exceeded quota"}
    views.put_pod(pod(2, "2026-11-24T00:00:20Z"))
    observed = views.observe(KEY)
    assert observed is not None and observed.refusals == {}


def test_a_refusal_of_the_rest_stands_beside_the_pods_that_were_made_before_it() -> None:
    views = Views("nvidia.com/gpu")
    views.put_run(run(1))
    views.put_job(job(1, completions=2))
    views.put_pod(pod(2, "2026-11-24T00:00:05Z"))
    event = {"metadata": {}, "involvedObject": {"namespace": "research", "name": "j1"}, "message": "exceeded quota"}
    views.refuse(*refusal_in({**event, "lastTimestamp": "2026-11-24T00:00:10Z"}))
    observed = views.observe(KEY)
    assert observed is not None and observed.refusals == {"j1": "exceeded quota"}


def test_a_pod_that_was_seen_at_work_is_told_of_once_when_it_ends() -> None:
    views = Views("nvidia.com/gpu")
    assert views.put_pod(pod(1, "2026-11-24T00:00:05Z"))[1] is None
    ended = views.put_pod(pod(2, "2026-11-24T00:00:05Z", phase="Failed"))[1]
    assert ended is not None and ended.over
    assert views.put_pod(pod(3, "2026-11-24T00:00:05Z", phase="Failed"))[1] is None
