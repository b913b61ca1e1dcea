"""As many threads as a container has CPUs, rather than as many as the node has.

It has to be in the environment before numpy or torch is imported: they read it once, as they are loaded.
"""

from __future__ import annotations

import math
import os
from collections.abc import MutableMapping

THREADS = "OMP_NUM_THREADS"
_AS_LIMITED = {"VLLM_CPU_OMP_THREADS_BIND": "nobind"}
"""vLLM's CPU build binds a thread to every core of the node unless it is told to go by OMP_NUM_THREADS."""


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
