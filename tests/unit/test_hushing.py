"""Of vLLM a terminal shows errors alone, a step's log its warnings too, and what a user asks for goes before both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tqdm", reason="the workers' libraries are not installed")

from selfimprove.store import LocalStore

SPEAK = """
import logging
from pathlib import Path
from selfimprove.store import LocalStore
from selfimprove_workers.hushing import hush
from selfimprove_workers.logs import StepLog

hush()
with StepLog(LocalStore(Path("run")), "worker.log"):
    vllm = logging.getLogger("vllm.engine")
    vllm.info("loads")
    vllm.warning("prefers another allocator")
    vllm.error("is out of memory")
"""
START = """
import multiprocessing, warnings
from selfimprove_workers.hushing import hush, hushed_children
from selfimprove_workers.main import main

def child():
    import logging
    warnings.warn("is deprecated", FutureWarning)
    logging.getLogger("vllm.worker").warning("has no triton")
    logging.getLogger("vllm.worker").error("is out of memory")

if __name__ == "__main__":
    hush()
    with hushed_children():
        process = multiprocessing.get_context("spawn").Process(target=child)
        process.start()
    process.join()
    warnings.warn("this process warns as ever")
"""


def heard(folder: Path, script: str, **environment: str) -> str:
    """What a process of its own writes to standard error."""
    path = folder / "script.py"
    path.write_text(script)
    unset = {name: value for name, value in os.environ.items() if not name.startswith("VLLM_")}
    done = subprocess.run(
        [sys.executable, path], cwd=folder, env={**unset, **environment}, capture_output=True, text=True, check=True
    )
    return done.stderr


def test_errors_alone_reach_the_terminal_and_warnings_the_steps_log(tmp_path: Path) -> None:
    assert heard(tmp_path, SPEAK) == "vLLM, MainProcess: ERROR is out of memory\n"
    log = LocalStore(tmp_path / "run").read("worker.log").decode()
    assert "WARNING prefers another allocator\n" in log
    assert "ERROR is out of memory\n" in log
    assert "loads" not in log


@pytest.mark.parametrize("name", ["VLLM_LOGGING_LEVEL", "VLLM_CONFIGURE_LOGGING", "VLLM_LOGGING_CONFIG_PATH"])
def test_who_sets_what_is_logged_is_not_overruled(name: str, tmp_path: Path) -> None:
    assert "prefers another allocator" in heard(tmp_path, SPEAK, **{name: "INFO"})


def test_a_process_that_vllm_starts_is_heard_of_its_errors_alone(tmp_path: Path) -> None:
    first, *rest = heard(tmp_path, START).splitlines()
    assert first == "vLLM, SpawnProcess-1: ERROR is out of memory"
    assert "this process warns as ever" in rest[0]
