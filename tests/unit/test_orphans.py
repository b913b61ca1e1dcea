"""What vLLM starts, and what that starts in turn, is gone when the process that started it was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytest.importorskip("tqdm", reason="the workers' libraries are not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")

START = """
import multiprocessing, sys, time
from contextlib import nullcontext
from selfimprove_workers.main import main
from selfimprove_workers.orphans import ending_with_us

def engine():
    process = multiprocessing.get_context(sys.argv[1]).Process(target=worker)
    process.start()
    time.sleep(600)

def worker():
    print("at work", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    with ending_with_us() if sys.argv[2:] else nullcontext():
        multiprocessing.get_context(sys.argv[1]).Process(target=engine).start()
    time.sleep(600)
"""


def killed(folder: Path, *words: str) -> list[psutil.Process]:
    """Start a process whose child starts a child, kill the first one alone, and give the other two."""
    path = folder / "script.py"
    path.write_text(START)
    with subprocess.Popen([sys.executable, path, *words], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "at work\n"
        others = [each for each in psutil.Process(first.pid).children(recursive=True) if not _tracks(each)]
        first.kill()
    return others


def _tracks(process: psutil.Process) -> bool:
    """Python's own helper, which ends by itself."""
    return "resource_tracker" in " ".join(process.cmdline())


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_an_engine_and_its_workers_end_with_the_process_that_started_them(method: str, tmp_path: Path) -> None:
    others = killed(tmp_path, method, "ending with us")
    assert len(others) == 2
    _, alive = psutil.wait_procs(others, timeout=10)
    assert alive == []


WAIT = """
import os, subprocess, sys, time
from selfimprove.worker_process import STARTER
if sys.argv[1:]:
    from selfimprove_workers.orphans import stop_with_starter
    stop_with_starter()
    print("at work", flush=True)
    time.sleep(600)
else:
    ours = {**os.environ, STARTER: str(os.getpid())}
    subprocess.run([sys.executable, __file__, "worker"], env=ours)
"""


def test_a_worker_of_one_command_stops_when_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "command.py"
    path.write_text(WAIT)
    with subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "at work\n"
        workers = psutil.Process(command.pid).children()
        command.kill()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert len(workers) == 1 and alive == []


def test_other_processes_are_left_as_they_are(tmp_path: Path) -> None:
    others = killed(tmp_path, "spawn")
    try:
        assert [each.is_running() for each in others] == [True, True]
    finally:
        for each in others:
            each.kill()
