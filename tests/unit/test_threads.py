"""A container's CPU limit becomes the number of threads."""

from __future__ import annotations

import pytest

from selfimprove_workers.threads import keep_to_limit


@pytest.mark.parametrize(("limit", "threads"), [(0.5, "1"), (1.5, "2"), (4.0, "4")])
def test_a_limit_below_the_nodes_cores_is_the_number_of_threads(limit: float, threads: str) -> None:
    environment: dict[str, str] = {}
    keep_to_limit(environment, limit, cores=64)
    assert environment == {"OMP_NUM_THREADS": threads, "VLLM_CPU_OMP_THREADS_BIND": "nobind"}


@pytest.mark.parametrize("limit", [None, 2.0, 8.0])
def test_without_a_limit_that_matters_nothing_is_set(limit: float | None) -> None:
    environment: dict[str, str] = {}
    keep_to_limit(environment, limit, cores=2)
    assert environment == {}


def test_what_the_user_set_stays() -> None:
    environment = {"OMP_NUM_THREADS": "7"}
    keep_to_limit(environment, 2.0, cores=64)
    assert environment == {"OMP_NUM_THREADS": "7"}
