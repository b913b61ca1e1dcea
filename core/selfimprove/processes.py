"""Processes of this machine, by their numbers."""

from __future__ import annotations

import os


def is_alive(process: int) -> bool:
    """Whether there is a process of that number, whoever's it is."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
