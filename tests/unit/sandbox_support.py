"""What the tests of the sandbox share: sandboxes without some guards, and what is looked at after every program."""

from __future__ import annotations

import time
from functools import partial

import psutil

from selfimprove_workers.sandbox.client import Connection, Limits, Outcome, Sandbox

LACKING = {
    "all guards": "",
    "no namespaces": "namespaces",
    "no Landlock": "landlock",
    "seccomp alone": "landlock,namespaces",
}
"""What a machine may lack: a pod that may make no namespaces, an old kernel, both."""
HELD = Limits(cpu=1, wall=6.0, memory=512 << 20, output=20_000)


def lacking(name: str) -> Sandbox:
    """A sandbox that goes without some guards."""
    return Sandbox(partial(Connection, LACKING[name]))


def run(sandbox: Sandbox, program: str) -> Outcome:
    """What becomes of a program; the sandbox is as it was afterwards."""
    began = time.monotonic()
    outcome = sandbox.run(program, HELD)
    assert time.monotonic() - began < HELD.wall + 5
    assert sandbox.run("print(6 * 7)", HELD) == Outcome("exit", 0, "42\n", "")
    assert left_behind(sandbox) == []
    return outcome


def left_behind(sandbox: Sandbox) -> list[int]:
    """Processes under the sandbox's own."""
    processes = [psutil.Process(each._process.pid) for each in sandbox._idle[False] if each._process]
    return [child.pid for process in processes for child in process.children(recursive=True)]


def refused(sandbox: Sandbox, attempt: str) -> None:
    """A program is told that it can't do this, and goes on without."""
    errors = "(OSError, RuntimeError, ImportError)"
    program = f"import os\ntry:\n    {attempt}\nexcept {errors} as error:\n    print('refused', type(error))\n"
    outcome = run(sandbox, program)
    assert (outcome.end, outcome.out[:7]) == ("exit", "refused"), outcome
