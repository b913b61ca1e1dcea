"""What a worker logs is found beside the attempt: after success and failure, and after a kill in the midst."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("torch", reason="the workers' libraries are not installed")

from selfimprove.artifacts import step_folder
from selfimprove.ledger import StepId
from selfimprove.store import open_store
from tests.fixtures.models import SMOLLM2
from tests.fixtures.s3 import S3Place
from tests.integration.pods_support import SECRET, Bench
from tests.integration.runs_support import selfimprove, start, write_run

LINE_A_SECOND = (
    "from selfimprove_workers import main, progress; progress.LINE_EVERY_SECONDS = 1.0; main.main(['order.json'])"
)


def said(log: str) -> list[str]:
    """The lines of a log without the time."""
    return [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", "", line) for line in log.splitlines()]


def in_order(lines: Sequence[str], *beginnings: str) -> bool:
    """Whether there is a line with each beginning, one after the other."""
    rest = iter(lines)
    return all(any(line.startswith(beginning) for line in rest) for beginning in beginnings)


@pytest.fixture
def bench(tiny_model: Path, tmp_path: Path) -> Bench:
    return Bench(tmp_path, str(tiny_model))


def test_a_step_that_succeeds_has_its_log_beside_its_parts(bench: Bench) -> None:
    done = bench.work("generate", "verify")
    assert done.returncode == 0, done.stderr
    assert in_order(
        said(bench.log("generate")),
        "INFO i001-generate: shard 0 of 1, attempt a; selfimprove 0.1.0, Python 3.",
        "INFO transformers on cpu",
        "INFO i001-generate: 0/24 samples",
        "INFO done: 24 rows",
    )
    assert in_order(said(bench.log("verify")), "INFO i001-verify: shard 0", "INFO i001-verify: 0/", "INFO done: ")
    assert SECRET not in bench.log("generate") + bench.log("verify")


def test_a_step_that_is_committed_is_answered_without_a_new_log(bench: Bench) -> None:
    bench.work("generate")
    before = list(open_store(bench.uri).list())
    assert bench.work("generate", attempt="b").returncode == 0
    assert list(open_store(bench.uri).list()) == before


def test_a_step_that_fails_has_its_log_and_its_last_word_names_it(bench: Bench) -> None:
    bench.changes = {"dataset": {"fields": {"prompt": "problem"}}}
    done = bench.work("generate")
    assert done.returncode == 2
    place = f"{bench.uri}/i001/generate/00000/attempt-a/worker.log"
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: i001-generate: spec.dataset.fields.prompt: ") and line.endswith(f" (log: {place})")
    assert (bench.folder / "termination").read_text() == line
    log = Path(place).read_text()
    assert "Traceback (most recent call last):" in log
    assert "UserError: spec.dataset.fields.prompt: " in said(log)[-1]
    assert SECRET not in log


def test_a_worker_that_was_killed_leaves_what_it_had_logged(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model, generation={"maxTokens": 100, "samplesPerPrompt": 400})
    terminal = tmp_path / "terminal"
    process = start("run", path, "--storage", tmp_path, "--set", "execution.backoffLimit=0", log=terminal)
    folder = tmp_path / "tiny" / step_folder(StepId(1, "generate"))
    try:
        _wait_for(lambda: any("samples" in log.read_text() for log in folder.glob("attempt-*/worker.log")), process)
        (worker,) = [child for child in psutil.Process(process.pid).children() if "serve" in child.cmdline()]
        worker.kill()
        assert process.wait(60) == 3
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    (log,) = folder.glob("attempt-*/worker.log")
    lines = said(log.read_text())
    assert in_order(lines, "INFO i001-generate: shard 0", "INFO i001-generate: 0/4,800 samples")
    assert (
        "its worker was killed; if it was for want of memory, lower generation.engineArgs.maxBatchTokens, or the "
        f"verifier's where it has its own (log: {log})" in (terminal.read_text())
    )


def test_a_failed_run_names_the_log_once_and_prune_leaves_it(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model, dataset={"fields": {"prompt": "problem"}})
    failed = selfimprove("run", path, "--storage", tmp_path)
    assert failed.returncode == 2
    (log,) = (tmp_path / "tiny").rglob("worker.log")
    assert failed.stderr.count(str(log)) == 1
    assert failed.stderr.splitlines()[-1].endswith(f" (log: {log})")
    assert selfimprove("prune", tmp_path / "tiny").returncode == 0
    assert log.exists()


def test_every_step_of_a_run_has_a_log_that_prune_keeps_and_delete_removes(tiny_model: Path, tmp_path: Path) -> None:
    path = write_run(tmp_path, tiny_model)
    done = selfimprove("run", path, "--storage", tmp_path)
    assert done.returncode == 0, done.stderr
    logs = sorted((tmp_path / "tiny").rglob("worker.log"))
    assert [str(log.relative_to(tmp_path / "tiny").parent.parent) for log in logs] == [
        "i000/evaluate/00000",
        "i000/measure/00000",
        "i001/distill/00000",
        "i001/evaluate/00000",
        "i001/generate/00000",
        "i001/measure/00000",
        "i001/select/00000",
        "i001/verify/00000",
    ]
    assert all("INFO done: " in log.read_text() for log in logs)
    assert selfimprove("prune", tmp_path / "tiny").returncode == 0
    assert all(log.exists() for log in logs)
    assert selfimprove("delete", tmp_path / "tiny", "--yes").returncode == 0
    assert not (tmp_path / "tiny").exists()


@pytest.mark.s3
def test_on_s3_the_log_lies_in_the_bucket(tiny_model: Path, tmp_path: Path, s3: S3Place) -> None:
    bench = Bench(tmp_path, str(tiny_model), f"{s3.uri}/logged")
    assert bench.work("generate").returncode == 0
    assert in_order(said(bench.log("generate")), "INFO i001-generate: shard 0", "INFO done: 24 rows")
    bench.changes = {
        "verification": {"methods": [{"type": "MultipleChoice", "labels": {"positive": "Rather", "negative": "Not"}}]}
    }
    failed = bench.work("verify")
    assert failed.returncode == 2
    assert failed.stderr.endswith(f"(log: {bench.uri}/i001/verify/00000/attempt-a/worker.log)\n")
    assert "Traceback" in bench.log("verify")


@pytest.mark.model
def test_long_work_of_a_real_model_shows_a_line_every_so_often(smollm2: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, SMOLLM2, changes={"generation": {"maxTokens": 48}})
    bench.order("generate")
    terminal = tmp_path / "stderr"
    with terminal.open("wb") as stream:
        command = [sys.executable, "-c", LINE_A_SECOND]
        subprocess.run(command, cwd=tmp_path, stderr=stream, stdout=stream, env=bench.environment, check=True)
    said_of = [line for line in terminal.read_text().splitlines() if line.startswith("i001-generate: ")]
    shown = [line for line in said_of if "getting ready" not in line]  # said when loading the model takes long
    assert shown[0] == "i001-generate: 0/24 samples"
    assert len(shown) >= 3
    assert re.fullmatch(r"i001-generate: \d+/24 samples, \d+ tok/s(, \d+ (s|min) left)?", shown[-1])
    assert [line.removeprefix("INFO ") for line in said(bench.log("generate")) if "samples" in line] == shown


def _wait_for(condition: Any, process: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be disturbed"
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)
