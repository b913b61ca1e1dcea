"""What holds a program: which guards this machine has, which it lacks, and how they are put on.

Three, each of which would be a sandbox by itself against most of what a program may try; a machine may lack some:

- seccomp: one process, one thread, no sockets, no signals (`seccomp`);
- Landlock: no files but the standard library, `PACKAGES` and the scratch folder (`landlock`);
- namespaces: a root, a network and a process table of its own (`namespaces`).

Limits of the kernel's come on top, always. Where neither seccomp nor namespaces hold, nothing is run.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from selfimprove_workers.sandbox import kernel, landlock, namespaces
from selfimprove_workers.sandbox.scratch import InMemory, Nowhere, OnDisk, Scratch
from selfimprove_workers.sandbox.seccomp import Filter

NAMES = ("seccomp", "landlock", "namespaces")
FILE_BYTES = 4 << 20
OPEN_FILES = 64
PROCESSES = 8
"""Where namespaces count a program's own: elsewhere the limit would count every process of the same user."""
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache")
PACKAGES = ("numpy", "numpy.libs", "sympy", "mpmath", "gmpy2", "gmpy2.libs")
"""What programs may import beside the standard library: another package may hold a data set with its answers."""
INSTALLED = ("site-packages", "dist-packages")
_DEVICES = ("/dev/null", "/dev/urandom")


class RefusedError(Exception):
    """This machine holds no program, and why, in one line."""


@dataclass(frozen=True)
class Limits:
    """What one program may use."""

    cpu_seconds: int
    wall_seconds: float
    memory_bytes: int
    output_bytes: int


@dataclass
class Guards:
    """The guards that hold here, ready to be put on."""

    has: frozenset[str]
    scratch: Scratch = field(init=False)
    _rules: landlock.Rules | None = field(init=False, default=None)
    _filter: Filter | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Leave the machine's world for the programs', as far as there is one."""
        readable, harmless = readable_paths(), devices()
        if "namespaces" in self.has:
            namespaces.enter(readable, harmless, is_alone="seccomp" not in self.has)
        if "landlock" in self.has:
            # Every rule costs every program. A root without other packages needs none for the parts beside them.
            granted = [*_roots(), *_packages()] if "namespaces" in self.has else readable
            self._rules = landlock.Rules(landlock.version(), granted, harmless)
        if "seccomp" in self.has:
            self._filter = Filter(files=self.has_files)
        self.scratch = InMemory() if "namespaces" in self.has else OnDisk() if self.has_files else Nowhere()

    @property
    def has_files(self) -> bool:
        """Whether programs may open files, since something says which."""
        return "landlock" in self.has or "namespaces" in self.has

    def fork(self) -> int:
        """The process of the next program."""
        if "namespaces" not in self.has:
            return os.fork()
        alone = 0 if "seccomp" in self.has else kernel.CLONE_NEWIPC  # segments would outlive a program
        return kernel.fork_into(kernel.CLONE_NEWPID | alone)

    def put_on(self, scratch: str, limits: Limits) -> None:
        """In the program's process, last of all before the program. Raises `OSError`."""
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(scratch)
        if self._rules:
            self._rules.put_on(scratch)  # before the limit of open files, which its places are beyond
        _limit(limits, counts_processes="namespaces" in self.has)
        kernel.drop_capabilities()
        if self._filter:
            self._filter.put_on()


def found(without: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of the guards that hold on this machine, each tried out. `without`: to go on as if it had not these."""
    if sys.platform != "linux" or not kernel.KNOWN:
        return frozenset()
    has: set[str] = set()
    tries: dict[str, Callable[[], object]] = {
        "seccomp": _try_seccomp,
        "landlock": lambda: landlock.version() or sys.exit(1),
        "namespaces": lambda: _try_namespaces(is_alone="seccomp" not in has),
    }
    for name in NAMES:
        if name not in without and _holds(tries[name]):
            has.add(name)
    return frozenset(has)


def require(has: frozenset[str]) -> None:
    """Raises `RefusedError` where too few guards hold."""
    if "seccomp" in has or ("namespaces" in has and os.getuid() != 0):
        return
    lacks = "namespaces alone do not limit root's processes" if "namespaces" in has else "no user namespaces either"
    raise RefusedError(
        f"programs can't be held on this machine: no seccomp filters, and {lacks}; use Linux on x86_64 or aarch64, "
        "where the container's seccomp profile allows seccomp (RuntimeDefault does)"
    )


def missing(has: frozenset[str]) -> str:
    """One line about the guards that this machine lacks, and what follows; empty when it has all."""
    said = {
        "seccomp": "no seccomp: system calls are not filtered, namespaces alone hold programs",
        "landlock": "no Landlock: the root of its own alone hides files",
        "namespaces": "no user namespaces: seccomp alone cuts network, processes and signals",
    }
    if not {"landlock", "namespaces"} & has:
        return "neither Landlock nor user namespaces: programs may open no file, and import only what is loaded already"
    return "; ".join(text for name, text in said.items() if name not in has)


def readable_paths() -> list[str]:
    """The standard library, what it loads, and `PACKAGES`: of what else is installed nothing can be read."""
    standard = (part for root in _roots() for part in _without_installed(Path(root)))
    return sorted({*standard, *_packages()})


def _roots() -> list[str]:
    python = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    return sorted({path for path in (*python, *_SYSTEM) if os.path.exists(path)})  # noqa: PTH110


def _packages() -> list[str]:
    folders = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    return sorted(str(folder / name) for folder in folders for name in PACKAGES if (folder / name).exists())


def _without_installed(folder: Path) -> Iterator[str]:
    """The folder, or the parts of it that are no installed packages."""
    inside = [found for name in INSTALLED for pattern in (name, f"python*/{name}") for found in folder.glob(pattern)]
    if not inside or not folder.is_dir():
        yield str(folder)
        return
    for child in folder.iterdir():
        if any(each.is_relative_to(child) and each != child for each in inside):
            yield from _without_installed(child)
        elif child not in inside and child.exists():
            yield str(child)


def devices() -> list[str]:
    """Devices that programs may use."""
    return [path for path in _DEVICES if os.path.exists(path)]  # noqa: PTH110


def _limit(limits: Limits, counts_processes: bool) -> None:
    of = {
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if counts_processes:
        of[resource.RLIMIT_NPROC] = PROCESSES
    for which, value in of.items():
        _, hard = resource.getrlimit(which)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (least, least))


def _holds(attempt: Callable[[], object]) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            attempt()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def _try_seccomp() -> None:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    Filter(files=False).put_on()
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return
    raise OSError("the filter does not hold")


def _try_namespaces(is_alone: bool) -> None:
    namespaces.enter(readable_paths(), devices(), is_alone)
    namespaces.mount_scratch()
    pid = kernel.fork_into(kernel.CLONE_NEWPID)
    if pid == 0:
        os._exit(0 if os.getpid() == 1 else 1)
    if os.waitpid(pid, 0)[1] != 0:
        raise OSError("no process namespace")
