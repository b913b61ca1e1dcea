"""Processes of this machine: by their numbers, and by what else Linux tells of them, which no other one shares."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_STARTTIME = 18
"""Of `/proc/N/stat` behind the state: field 22 (proc_pid_stat(5))."""


class Process(NamedTuple):
    """A process that no other can be taken for: not one of another boot or container, nor one that got its number."""

    place: str
    """Boot and namespace of process numbers."""
    number: int
    began: int
    """In ticks since the boot."""


def this_process() -> Process | None:
    """The process that asks; None where the system does not tell enough."""
    began = _began(os.getpid())
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        place = f"{boot} {Path('/proc/self/ns/pid').readlink()}"
        return None if began is None else Process(place, os.getpid(), began)
    return None


def lives(process: Process) -> bool | None:
    """Whether it has not ended, a process that only waits to be reaped has; None for one of another place."""
    here = this_process()
    return None if here is None or here.place != process.place else _began(process.number) == process.began


def _began(number: int) -> int | None:
    """When a process of that number began; None where there is none that still runs."""
    try:
        state, *fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else int(fields[_STARTTIME])


def is_alive(process: int) -> bool:
    """Whether there is a process of that number, whoever's it is."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
