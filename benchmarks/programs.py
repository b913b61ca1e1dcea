"""How fast programs run in the sandbox, against one `subprocess.run([python, "-I", "-c", program])` for each.

Programs of Program-of-Thought are short, so what is run is mostly the start of a process. Prints programs a second, and
a second of CPU (that of the sandbox and of all its programs: what one core does when it has nothing else to do), the
best of some rounds, the ratio of the two, and which guards the machine lacks. Every result is compared with the truth.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from selfimprove_workers.sandbox.client import Sandbox

PROGRAM = "clips = {0}\nhalf = clips / 2\nprint(int(clips + half))\n"


def truth(number: int) -> str:
    return f"{int(2 * number * 1.5)}\n"


def bare(program: str) -> str:
    return subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True).stdout


def own_seconds() -> float:
    """CPU of this process's ended children."""
    times = os.times()
    return times.children_user + times.children_system


def rate(name: str, run: Callable[[str], str], seconds: Callable[[], float], count: int, rounds: int) -> float:
    """Programs a second of CPU, in the best round."""
    by_cpu, by_clock = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), seconds()
        for number in range(count):
            assert run(PROGRAM.format(2 * number)) == truth(number)
        by_clock.append(count / (time.perf_counter() - began))
        by_cpu.append(count / (seconds() - used))
    print(f"    {name:10s} {max(by_cpu):8,.0f} a second of CPU   {max(by_clock):8,.0f} a second by the clock")
    return max(by_cpu)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=500, help="programs a round in the sandbox")
    arguments.add_argument("--bare", type=int, default=50, help="programs a round by subprocess")
    arguments.add_argument("--rounds", type=int, default=5)
    chosen = arguments.parse_args()
    sandbox = Sandbox()
    (connection,) = sandbox._idle[False]
    assert connection._process is not None
    server = psutil.Process(connection._process.pid)
    print(f"    guards     {connection.missing or 'all of them'}")
    ours = rate(
        "sandbox",
        lambda program: sandbox.run(program).out,
        lambda: sum(server.cpu_times()[:4]),
        chosen.count,
        chosen.rounds,
    )
    theirs = rate("subprocess", bare, own_seconds, chosen.bare, chosen.rounds)
    print(f"    ratio      {ours / theirs:8.1f}")
    sandbox.close()


if __name__ == "__main__":
    main()
