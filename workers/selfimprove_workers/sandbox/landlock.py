"""Landlock: the files that a process may open, said by itself, without any privilege (Linux 5.13)."""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from selfimprove_workers.sandbox import kernel

WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = (1 << n for n in (1, 2, 3, 4, 5, 7, 8))
TRUNCATE = 1 << 14
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights of files that a version knows, each of which is forbidden where no rule grants it."""
_PLACES_FROM = 128
"""Above `guards.OPEN_FILES`, since there are hundreds of places."""
_CREATE_RULESET_VERSION, _RULE_PATH_BENEATH = 1, 1


class _Ruleset(ctypes.Structure):
    _fields_ = [("handled_access_fs", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def version() -> int:
    """The version that this kernel speaks; 0 where there is none."""
    try:
        return kernel.call("landlock_create_ruleset", None, 0, _CREATE_RULESET_VERSION)
    except (OSError, KeyError):
        return 0


class Rules:
    """What may be read, and the one folder where files may be made. All paths given are there."""

    def __init__(self, speaks: int, readable: Iterable[str], devices: Iterable[str]) -> None:
        self._all = _RIGHTS[min(speaks, max(_RIGHTS))]
        granted = {os.path.realpath(path): READ_FILE | (READ_DIR if Path(path).is_dir() else 0) for path in readable}
        granted |= dict.fromkeys(devices, READ_FILE | WRITE_FILE | TRUNCATE)
        self._granted = [_PathBeneath(rights & self._all, _place(path)) for path, rights in granted.items()]

    def put_on(self, scratch: str) -> None:
        """From here on, and for good. Needs no_new_privs. Raises `OSError`."""
        attributes = _Ruleset(self._all)
        ruleset = kernel.call("landlock_create_ruleset", ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
        for rule in self._granted:
            kernel.call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        own = _place(scratch)
        files = READ_FILE | WRITE_FILE | TRUNCATE | REMOVE_FILE | MAKE_REG
        rule = _PathBeneath((files | READ_DIR | REMOVE_DIR | MAKE_DIR) & self._all, own)
        kernel.call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        kernel.call("landlock_restrict_self", ruleset, 0)
        os.close(own)
        os.close(ruleset)


def _place(path: str) -> int:
    """A file descriptor that names a path in rules, again and again: of a number that no limit of programs counts."""
    low = os.open(path, os.O_PATH | os.O_CLOEXEC)
    high = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _PLACES_FROM)
    os.close(low)
    return high
