"""What of a worker's pod is ours: names and places that a run can't have for itself. The operator makes them."""

from __future__ import annotations

import posixpath

OWN_VARIABLES = frozenset(
    (
        "HOME",
        "HF_HOME",
        "JOB_COMPLETION_INDEX",
        "PYTHONUNBUFFERED",
        "SELFIMPROVE_ATTEMPT",
        "SELFIMPROVE_CACHE",
        "SELFIMPROVE_ORDER",
        "SELFIMPROVE_SANDBOX",
        "TERMINATION_LOG",
    )
)
"""Variables that make a worker a worker. Another value would be passed over, or have every shard do the same one."""
OWN_VOLUMES = "scratch-"
"""How the names of our own volumes begin."""

_WHOLE = frozenset(("/", "/cache", "/etc", "/opt", "/run", "/tmp", "/var"))
_WITH_ALL_BELOW = (
    "/bin",
    "/boot",
    "/dev",
    "/lib",
    "/lib64",
    "/opt/selfimprove",
    "/proc",
    "/sandbox",
    "/sbin",
    "/sys",
    "/usr",
)


def is_taken(path: str) -> bool:
    """Whether a volume there would hide what a worker needs: of the image, of the kernel, or our own."""
    place = posixpath.normpath("/" + path.lstrip("/"))
    return place in _WHOLE or any(place == taken or place.startswith(f"{taken}/") for taken in _WITH_ALL_BELOW)
