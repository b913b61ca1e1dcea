"""The system calls that a program may make: a list of what is allowed, as a filter that the kernel runs.

A list of what is forbidden would let through whatever the next kernel brings (io_uring, clone3, mount by file
descriptor: each was a hole in such lists). So the few that one computing process needs are allowed and all others fail.
Not among them, on purpose:

- new processes, new threads and new programs (clone, fork, vfork, execve): no fork bomb, nobody left behind. A limit on
  processes would count those of every pod of the same user on the node;
- signals to anyone, and what sends them by detour: of `fcntl` not F_SETOWN, of `ioctl` not FIOSETOWN;
- sockets of any kind, which is what cuts the network that a pod's containers share;
- `truncate` by path, links, modes, owners and times: Landlock before its third version does not guard them;
- memory that no limit counts: memfd, System V segments, io_uring, mlock.
"""

from __future__ import annotations

import ctypes
import errno
from typing import NamedTuple

from selfimprove_workers.sandbox import kernel

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
"""The bit of a third set of system calls that x86_64 kernels may have."""
FIRST_NEW = 424
"""Calls from this number on came with Linux 5.1 and later: libraries try them and go on where there are none."""

Numbers = dict[str, tuple[int | None, int | None]]
"""System calls by name: their numbers on x86_64 and aarch64, None where there is no such call."""

COMPUTING: Numbers = {
    "read": (0, 63),
    "readv": (19, 65),
    "pread64": (17, 67),
    "write": (1, 64),
    "writev": (20, 66),
    "pwrite64": (18, 68),
    "close": (3, 57),
    "close_range": (436, 436),
    "lseek": (8, 62),
    "fstat": (5, 80),
    "stat": (4, None),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136),
    "rt_sigsuspend": (130, 133),
    "rt_sigtimedwait": (128, 137),
    "sigaltstack": (131, 132),
    "pause": (34, None),
    "alarm": (37, None),
    "setitimer": (38, 103),
    "getitimer": (36, 102),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getgroups": (115, 158),
    "getresuid": (118, 148),
    "getresgid": (120, 150),
    "getpgid": (121, 155),
    "getpgrp": (111, None),
    "getsid": (124, 156),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getrlimit": (97, 163),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "umask": (95, 166),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "restart_syscall": (219, 128),
}

FILES: Numbers = {
    "open": (2, None),
    "openat": (257, 56),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "ftruncate": (77, 46),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "flock": (73, 32),
}
"""Allowed only where something else (Landlock, a root of its own) says which files these may be."""


class Checked(NamedTuple):
    """A call that is allowed with some values of one argument (its lower 32 bits, which are all that these read)."""

    numbers: tuple[int, int]
    argument: int
    values: tuple[int, ...]


CHECKED = {
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_DUPFD_CLOEXEC
    "fcntl": Checked((72, 25), 1, (0, 1, 2, 3, 4, 5, 6, 7, 1030)),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    "ioctl": Checked((16, 29), 1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    "prlimit64": Checked((302, 261), 0, (0,)),
}

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, FAIL, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER_AT, MACHINE_AT, ARGUMENTS_AT = 0, 4, 16


class Instruction(NamedTuple):
    """One of a BPF program: operation, how far to jump if so and if not, operand."""

    code: int
    so: int
    otherwise: int
    value: int


def filter_of(machine: str, files: bool) -> list[Instruction]:
    """The filter for a machine: x86_64 or aarch64. Calls of another architecture on it (i386, x32) kill the process."""
    column = tuple(AUDIT_ARCH).index(machine)
    made = [
        _load(MACHINE_AT),
        Instruction(JUMP_EQUAL, 1, 0, AUDIT_ARCH[machine]),
        _return(KILL_PROCESS),
        _load(NUMBER_AT),
        Instruction(JUMP_AT_LEAST, 0, 1, X32),
        _return(KILL_PROCESS),
    ]
    for numbers in {**COMPUTING, **(FILES if files else {})}.values():
        if (number := numbers[column]) is not None:
            made += [Instruction(JUMP_EQUAL, 0, 1, number), _return(ALLOW)]
    for call in CHECKED.values():
        made += _checked(call, call.numbers[column])
    newer = Instruction(JUMP_AT_LEAST, 0, 1, FIRST_NEW)
    return [*made, newer, _return(FAIL | errno.ENOSYS), _return(FAIL | errno.EPERM)]


class Filter:
    """A filter in the kernel's own form, made once and put on by many processes."""

    class _Instruction(ctypes.Structure):
        _fields_ = [
            ("code", ctypes.c_uint16),
            ("so", ctypes.c_uint8),
            ("otherwise", ctypes.c_uint8),
            ("value", ctypes.c_uint32),
        ]

    class _Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.c_void_p)]

    def __init__(self, files: bool) -> None:
        made = filter_of(kernel.MACHINE, files)
        self._instructions = (self._Instruction * len(made))(*(self._Instruction(*each) for each in made))
        self._program = self._Program(len(made), ctypes.addressof(self._instructions))

    def put_on(self) -> None:
        """From here on, and for good. Needs no_new_privs. Raises `OSError`."""
        kernel.prctl(kernel.PR_SET_SECCOMP, kernel.SECCOMP_MODE_FILTER, ctypes.byref(self._program))


def _checked(call: Checked, number: int) -> list[Instruction]:
    tests = [each for value in call.values for each in (Instruction(JUMP_EQUAL, 0, 1, value), _return(ALLOW))]
    inside = [_load(ARGUMENTS_AT + 8 * call.argument), *tests, _return(FAIL | errno.EPERM)]
    return [Instruction(JUMP_EQUAL, 0, len(inside), number), *inside]


def _load(offset: int) -> Instruction:
    return Instruction(LOAD, 0, 0, offset)


def _return(value: int) -> Instruction:
    return Instruction(RETURN, 0, 0, value)
