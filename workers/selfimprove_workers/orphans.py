"""Processes that vLLM starts end with the one that started them, however that ends.

vLLM's engine notices nothing when its parent is killed, and would hold gigabytes, or the card, for ever. So the kernel
is asked to end it: by the engine itself, as it begins, and by the processes that it starts in turn.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from selfimprove.worker_process import STARTER

_PARENT = "SELFIMPROVE_VLLM_PARENT"
"""Tells the processes that vLLM starts who started them, by its number."""


@contextmanager
def ending_with_us() -> Iterator[None]:
    """Within, processes that are started by this thread end when it does, with the whole process or alone."""
    os.environ[_PARENT] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(_PARENT, None)


def stop_with_starter() -> None:
    """Have the kernel ask this process to stop when the command that started it is gone, if that said who it is."""
    starter = os.environ.pop(STARTER, None)
    if starter is None or sys.platform != "linux":
        return
    from selfimprove_workers.sandbox import kernel

    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(starter):  # it ended before we had asked
        os.kill(os.getpid(), signal.SIGTERM)


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, if it was started within `ending_with_us`."""
    parent = os.environ.get(_PARENT)
    if parent in (None, str(os.getpid())) or sys.platform != "linux":
        return
    from selfimprove_workers.sandbox import kernel

    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ[_PARENT] = str(os.getpid())  # of those that it starts in turn
    if os.getppid() == 1 and parent != "1":  # it ended before we had asked
        os.kill(os.getpid(), signal.SIGKILL)


os.register_at_fork(after_in_child=end_with_parent)  # such a process imports nothing again
