"""Calls of Linux that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

MACHINE = os.uname().machine
_LIBC = ctypes.CDLL(None, use_errno=True)
_HOLDING = ctypes.PyDLL(None, use_errno=True)
"""The same, called without letting go of the interpreter's lock: a process just cloned could not get it back."""

_NUMBERS = {
    "clone": {"x86_64": 56, "aarch64": 220},
    "capset": {"x86_64": 126, "aarch64": 91},
    "pivot_root": {"x86_64": 155, "aarch64": 41},
    "unshare": {"x86_64": 272, "aarch64": 97},
    "mount_setattr": {"x86_64": 442, "aarch64": 442},
    "landlock_create_ruleset": {"x86_64": 444, "aarch64": 444},
    "landlock_add_rule": {"x86_64": 445, "aarch64": 445},
    "landlock_restrict_self": {"x86_64": 446, "aarch64": 446},
}
KNOWN = MACHINE in _NUMBERS["clone"]
"""Whether the tables are of this machine."""

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID, MS_NODEV, MNT_DETACH = 0x1000, 0x4000, 1 << 18, 2, 4, 2
_CAPABILITY_VERSION_3 = 0x20080522


def call(name: str, *arguments: Any) -> int:
    """A system call by its name. Raises `OSError`."""
    return _checked(_LIBC.syscall(ctypes.c_long(_NUMBERS[name][MACHINE]), *map(_word, arguments)), name)


def prctl(option: int, *arguments: Any) -> None:
    """Change something of this process. Raises `OSError`."""
    words = [_word(each) for each in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_LIBC.prctl(ctypes.c_int(option), *words), "prctl")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Raises `OSError`."""
    texts = [text.encode() for text in (source, target, kind)]
    _checked(_LIBC.mount(*texts, ctypes.c_ulong(flags), data.encode()), f"mount of {target}")


def unmount(target: str) -> None:
    """Take away what is mounted there, whoever still uses it. Raises `OSError`."""
    _checked(_LIBC.umount2(target.encode(), ctypes.c_int(MNT_DETACH)), f"umount of {target}")


def drop_capabilities() -> None:
    """Give up every privilege of root's, for good where no_new_privs is set."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())


def fork_into(namespaces: int) -> int:
    """Fork into new namespaces: what `os.fork` does, which takes no flags. Only where there is a single thread."""
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    number = ctypes.c_long(_NUMBERS["clone"][MACHINE])
    pid: int = _HOLDING.syscall(number, *map(_word, (namespaces | signal.SIGCHLD, 0, 0, 0, 0)))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    error = ctypes.get_errno()
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, f"clone: {os.strerror(error)}")
    return pid


def _word(value: Any) -> Any:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _checked(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result
