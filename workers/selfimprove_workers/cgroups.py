"""What a container may use of its node, as the kernel's control groups have it, version 1 or 2.

A pod with a limit of 2 CPUs and 8 GiB on a large node sees all of the node's cores and memory. Who goes by those starts
threads that the kernel then throttles, and a batch that gets it killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_ROOT, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class _Group(NamedTuple):
    """One control group that may limit us."""

    folder: Path
    version: int


def cpu_limit(root: Path = _ROOT, own: Path = _OWN) -> float | None:
    """CPUs that this process's control group and those above it allow; None without a limit.

    `own` says which groups these are; in a container their paths may be the node's, and the container's own group is
    what stands at the root.
    """
    limits = (_cpus(group) for group in _groups("cpu", root, own))
    return min((limit for limit in limits if limit is not None), default=None)


def memory_left(root: Path = _ROOT, own: Path = _OWN) -> int | None:
    """Bytes that this process's control groups still allow; None without a limit. Never less than 0.

    Files in the page cache that nobody has read lately count as free: the kernel drops them first.
    """
    left = (_memory(group) for group in _groups("memory", root, own))
    return min((max(bytes, 0) for bytes in left if bytes is not None), default=None)


def _groups(controller: str, root: Path, own: Path) -> Iterator[_Group]:
    """Every group that may limit us in this, from our own up to the root."""
    lines = []
    with suppress(OSError):
        lines = own.read_text().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount, version = (root / controller, 1) if controllers else (root, 2)
        folder = mount / path.lstrip("/")
        yield from (_Group(above, version) for above in (folder, *folder.parents) if above.is_relative_to(mount))


def _cpus(group: _Group) -> float | None:
    """Version 2 writes `QUOTA PERIOD` or `max PERIOD`; version 1 a quota of -1 where there is no limit."""
    if group.version == 2:
        quota, _, period = _read(group.folder / "cpu.max").partition(" ")
    else:
        quota, period = _read(group.folder / "cpu.cfs_quota_us"), _read(group.folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _memory(group: _Group) -> int | None:
    names = ("memory.max", "memory.current", "inactive_file")
    if group.version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    limit, used = (_read(group.folder / name) for name in names[:2])
    if not (limit.isdigit() and used.isdigit()):
        return None
    statistics = dict(line.split(" ", 1) for line in _read(group.folder / "memory.stat").splitlines())
    return int(limit) - int(used) + int(statistics.get(names[2], 0))


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text().strip()
    return ""
