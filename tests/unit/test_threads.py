"""A container's CPU limit, read as the kernel writes it, becomes the number of threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove_workers.threads import cpu_limit, keep_to_limit

V1 = "4:cpu,cpuacct:/kubepods/pod1/abc\n3:memory:/kubepods/pod1/abc\n0::/\n"


def groups(folder: Path, own: str, files: dict[str, str]) -> float | None:
    """The limit of a process whose `/proc/self/cgroup` is `own`, below a control group file system of these files."""
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (folder / "own").write_text(own)
    return cpu_limit(folder / "cgroup", folder / "own")


def test_version_2_has_the_containers_own_group_at_its_root(tmp_path: Path) -> None:
    assert groups(tmp_path, "0::/\n", {"cpu.max": "150000 100000"}) == 1.5


def test_version_2_without_a_limit_says_max(tmp_path: Path) -> None:
    assert groups(tmp_path, "0::/\n", {"cpu.max": "max 100000"}) is None


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    found = groups(tmp_path, "0::/a/b\n", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "400000 100000"})
    assert found == 2.0


def test_version_1_in_a_container_stands_at_the_root_whatever_the_nodes_path_is(tmp_path: Path) -> None:
    found = groups(tmp_path, V1, {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"})
    assert found == 0.5


def test_version_1_without_a_limit_says_minus_one(tmp_path: Path) -> None:
    assert groups(tmp_path, V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}) is None


@pytest.mark.parametrize("own", ["", "0::/\n", "1:name=systemd:/x\n"])
def test_a_machine_without_control_groups_has_no_limit(own: str, tmp_path: Path) -> None:
    assert groups(tmp_path, own, {}) is None
    assert cpu_limit(tmp_path / "cgroup", tmp_path / "missing") is None


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
