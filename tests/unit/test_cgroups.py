"""A container's limits, read as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove_workers.cgroups import cpu_limit, memory_left

V1 = "4:cpu,cpuacct:/kubepods/pod1/abc\n3:memory:/kubepods/pod1/abc\n0::/\n"
GIB = 1 << 30


def write(folder: Path, own: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A control group file system of these files, and the `/proc/self/cgroup` of a process in it."""
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (folder / "own").write_text(own)
    return folder / "cgroup", folder / "own"


def test_version_2_has_the_containers_own_group_at_its_root(tmp_path: Path) -> None:
    assert cpu_limit(*write(tmp_path, "0::/\n", {"cpu.max": "150000 100000"})) == 1.5


def test_version_2_without_a_limit_says_max(tmp_path: Path) -> None:
    assert cpu_limit(*write(tmp_path, "0::/\n", {"cpu.max": "max 100000"})) is None


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    found = cpu_limit(*write(tmp_path, "0::/a/b\n", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "400000 100000"}))
    assert found == 2.0


def test_version_1_in_a_container_stands_at_the_root_whatever_the_nodes_path_is(tmp_path: Path) -> None:
    found = cpu_limit(*write(tmp_path, V1, {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}))
    assert found == 0.5


def test_version_1_without_a_limit_says_minus_one(tmp_path: Path) -> None:
    assert cpu_limit(*write(tmp_path, V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"})) is None


@pytest.mark.parametrize("own", ["", "0::/\n", "1:name=systemd:/x\n"])
def test_a_machine_without_control_groups_has_no_limit(own: str, tmp_path: Path) -> None:
    assert cpu_limit(*write(tmp_path, own, {})) is None
    assert cpu_limit(tmp_path / "cgroup", tmp_path / "missing") is None


def test_memory_that_is_left_in_version_2_counts_old_files_of_the_page_cache_as_free(tmp_path: Path) -> None:
    files = {"memory.max": str(4 * GIB), "memory.current": str(3 * GIB)}
    files["memory.stat"] = f"anon {GIB}\nfile {2 * GIB}\ninactive_file {GIB}\n"
    assert memory_left(*write(tmp_path, "0::/\n", files)) == 2 * GIB


def test_memory_that_is_left_in_version_1_is_that_of_the_container(tmp_path: Path) -> None:
    files = {"memory.limit_in_bytes": str(4 * GIB), "memory.usage_in_bytes": str(3 * GIB)}
    files["memory.stat"] = "total_inactive_file 4096\n"
    found = memory_left(*write(tmp_path, V1, {f"memory/{name}": text for name, text in files.items()}))
    assert found == GIB + 4096


def test_a_container_that_is_over_its_limit_has_no_memory_left(tmp_path: Path) -> None:
    assert memory_left(*write(tmp_path, "0::/\n", {"memory.max": "10", "memory.current": "12"})) == 0


def test_without_a_limit_of_memory_there_is_none(tmp_path: Path) -> None:
    assert memory_left(*write(tmp_path, "0::/\n", {"memory.max": "max", "memory.current": "12"})) is None
