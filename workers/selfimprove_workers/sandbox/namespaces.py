"""A world of its own for the programs: no network, no other processes, a root with nothing but Python's libraries.

Entered once by the process that forks programs, as any user where the machine allows user namespaces. Each program then
gets a process namespace, whose end is the end of all that is in it, and a scratch folder in memory.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from selfimprove_workers.sandbox import kernel

SCRATCH = "/scratch"
SCRATCH_BYTES = 16 << 20
SCRATCH_FILES = 1000
_INSIDE = 65534
"""The user that programs see themselves as. Never 0, so that nothing takes them for root."""
_ROOT = "/proc"
"""Where the new root is put together: a folder that every machine has, of which nothing is needed any more."""
_AT_RECURSIVE, _READ_ONLY, _NO_SETUID = 0x8000, 1, 2


def enter(readable: list[str], devices: list[str], is_alone: bool) -> None:
    """Leave the machine's world for the bare one, for good. Raises `OSError` where that is not allowed.

    `is_alone`: no seccomp keeps a program from making user namespaces, in which it would be root again.
    """
    user, group = os.getuid(), os.getgid()
    worlds = kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
    kernel.call("unshare", kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | worlds)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_INSIDE} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_INSIDE} {group} 1")
    if is_alone:
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    kernel.mount("none", "/", "none", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("root", _ROOT, "tmpfs", kernel.MS_NOSUID, "size=1m,mode=0755")
    for path in [*_outermost(readable), *devices]:
        _bind(path)
    Path(_ROOT + SCRATCH).mkdir()
    os.chdir(_ROOT)
    kernel.call("pivot_root", b".", b".")
    kernel.unmount(".")
    os.chdir("/")
    attributes = (ctypes.c_uint64 * 4)(_READ_ONLY | _NO_SETUID, 0, 0, 0)
    kernel.call("mount_setattr", -1, b"/", _AT_RECURSIVE, attributes, ctypes.sizeof(attributes))


def mount_scratch() -> None:
    """An empty folder at `SCRATCH`. Raises `OSError`."""
    options = f"size={SCRATCH_BYTES},nr_inodes={SCRATCH_FILES},mode=0700,uid={_INSIDE},gid={_INSIDE}"
    kernel.mount("scratch", SCRATCH, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)


def unmount_scratch() -> None:
    """All that was in it is gone, however it was hidden."""
    kernel.unmount(SCRATCH)


def _outermost(paths: list[str]) -> list[str]:
    """The paths without those inside another."""
    known = set(paths)
    return [path for path in paths if not any(str(parent) in known for parent in Path(path).parents)]


def _bind(path: str) -> None:
    target = Path(_ROOT + path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if Path(path).is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    kernel.mount(path, str(target), "none", kernel.MS_BIND | kernel.MS_REC)
