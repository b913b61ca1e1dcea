"""Of vLLM a terminal shows errors alone and of its processes nothing, a step's log more, and what a user asks for."""

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
import multiprocessing, os, sys, warnings
from pathlib import Path
from selfimprove_workers.hushing import hush, hushed_children
from selfimprove_workers.main import main

def child():
    import logging
    warnings.warn("is deprecated", FutureWarning)
    logging.getLogger("vllm.worker").warning("has no triton")
    logging.getLogger("vllm.worker").error("is out of memory")
    os.write(2, b"terminate called\\n")

if __name__ == "__main__":
    hush()
    with hushed_children(Path("said")):
        process = multiprocessing.get_context(sys.argv[1]).Process(target=child)
        process.start()
    process.join()
    warnings.warn("this process warns as ever")
"""


def heard(folder: Path, script: str, *words: str, **environment: str) -> str:
    """What a process of its own writes to standard error."""
    path = folder / "script.py"
    path.write_text(script)
    unset = {name: value for name, value in os.environ.items() if not name.startswith("VLLM_")}
    done = subprocess.run(
        [sys.executable, path, *words],
        cwd=folder,
        env={**unset, **environment},
        capture_output=True,
        text=True,
        check=True,
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


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_what_a_process_that_vllm_starts_says_goes_into_a_file(method: str, tmp_path: Path) -> None:
    first, *_ = heard(tmp_path, START, method).splitlines()
    assert "this process warns as ever" in first
    *_, error, last = (tmp_path / "said").read_text().splitlines()
    assert error.endswith("Process-1: ERROR is out of memory")
    assert last == "terminate called"


def test_who_asks_for_more_hears_the_processes_of_vllm_too(tmp_path: Path) -> None:
    assert "terminate called" in heard(tmp_path, START, "spawn", VLLM_LOGGING_LEVEL="INFO")
    assert not (tmp_path / "said").exists()
