"""As many threads as a container has CPUs, rather than as many as the node has.

A pod with a limit of 2 CPUs on a node of 64 sees all 64, and libraries that start a thread for each are throttled by
the kernel until they are slower than with two. The limit is in the control group, version 1 or 2, and it has to be in
the environment before numpy or torch is imported: they read it once, as they are loaded.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path

THREADS = "OMP_NUM_THREADS"
_AS_LIMITED = {"VLLM_CPU_OMP_THREADS_BIND": "nobind"}
"""vLLM's CPU build binds a thread to every core of the node unless it is told to go by OMP_NUM_THREADS."""
_ROOT, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def keep_to_limit(environment: MutableMapping[str, str], limit: float | None, cores: int) -> None:
    """Set the number of threads where a limit is below the cores that can be seen. What the user has set stays."""
    if limit is None or limit >= cores or environment.get(THREADS):
        return
    environment[THREADS] = str(max(math.ceil(limit), 1))
    for name, value in _AS_LIMITED.items():
        environment.setdefault(name, value)


def visible_cores() -> int:
    """CPUs that this process may be scheduled on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_limit(root: Path = _ROOT, own: Path = _OWN) -> float | None:
    """CPUs that this process's control group and those above it allow together; None without a limit.

    `own` says which groups these are; in a container their paths may be the node's, and the container's own group is
    what stands at the root.
    """
    limits = (_v2(folder) if mount == root else _v1(folder) for mount, folder in _groups(root, own))
    return min((limit for limit in limits if limit is not None), default=None)


def _groups(root: Path, own: Path) -> Iterator[tuple[Path, Path]]:
    """(mount, folder) of every group that may limit our CPUs, from our own up to the root."""
    lines = []
    with suppress(OSError):
        lines = own.read_text().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "cpu" if controllers else root
        folder = mount / path.lstrip("/")
        yield from ((mount, above) for above in (folder, *folder.parents) if above.is_relative_to(mount))


def _v2(folder: Path) -> float | None:
    """`cpu.max` holds `QUOTA PERIOD` in microseconds, or `max PERIOD`."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period)
    return None


def _v1(folder: Path) -> float | None:
    """`cpu.cfs_quota_us` is -1 without a limit."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        return quota / int((folder / "cpu.cfs_period_us").read_text()) if quota > 0 else None
    return None
