"""A worker as a pod runs it: stopped again and again, beside another pod of its Job, and with nobody at a terminal."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the workers' libraries are not installed")

from selfimprove.api.execution import StepName
from selfimprove.artifacts import Manifest, read_manifest, step_folder
from selfimprove.errors import TERMINATED
from selfimprove.ledger import StepId
from selfimprove.store import open_store
from selfimprove.summaries import Summary
from selfimprove_workers.signals import UNWINDING_SECONDS
from tests.fixtures.s3 import S3Place
from tests.integration.pods_support import Bench
from tests.integration.runs_support import selfimprove

PATIENCE = 400.0
LONG = {"samplesPerPrompt": 64, "maxTokens": 60}


@pytest.fixture
def bench(tiny_model: Path, tmp_path: Path) -> Bench:
    return Bench(tmp_path, str(tiny_model))


def pod(bench: Bench, uid: str, *steps: StepName) -> subprocess.Popen[bytes]:
    """A pod of a Job that does these steps; what it writes goes to `stderr` of the bench, as to a pod's log."""
    order = bench.order(*steps, attempt="1").read_text()
    own = {"SELFIMPROVE_ORDER": order, "SELFIMPROVE_ATTEMPT": uid, "PYTHONUNBUFFERED": "1"}
    with (bench.folder / "stderr").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "selfimprove_workers.main"],
            env={**bench.environment, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def last_word(bench: Bench) -> list[str]:
    return (bench.folder / "termination").read_text().splitlines()


def evictions(bench: Bench, step: StepName, sign: str) -> Iterator[int]:
    """Start pods of a step and stop each a while after it says `sign`, twice as long every time; what each had done.

    So on a machine of any speed one is stopped in the midst of its work before one comes through.
    """
    for number in range(10):
        (bench.folder / "stderr").unlink(missing_ok=True)
        process = pod(bench, f"{number:08d}-aaaa-bbbb", step)
        while process.poll() is None and sign not in (bench.folder / "stderr").read_text():
            time.sleep(0.02)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.7 * 2**number)
        process.send_signal(signal.SIGTERM)
        if process.wait(PATIENCE) in (0, -signal.SIGTERM):  # the latter: it was done and on its way out
            return
        assert process.returncode == TERMINATED
        yield json.loads(last_word(bench)[-1])["promptsDone"]
    pytest.fail("it never comes to an end")


def test_a_pod_that_is_evicted_again_and_again_says_how_far_it_is_and_gets_there(bench: Bench) -> None:
    bench.changes = {"generation": LONG}
    done = list(evictions(bench, "generate", "samples"))
    assert done and done == sorted(done)
    (word,) = last_word(bench)
    assert Summary.model_validate_json(word).rows == 768
    attempts = {part.key.split("/")[3] for part in manifest(bench, "generate").parts}
    # Whether an eviction falls between two parts, so that more than one attempt has some, depends on the machine.
    assert attempts <= {f"attempt-1-{number:08d}aaaa" for number in range(10)}


def test_training_that_is_evicted_says_its_optimizer_steps(bench: Bench) -> None:
    bench.changes = {
        "distillation": {"batchSize": 1, "epochs": 100, "maxLength": 64},
        "verification": {"methods": [{"type": "Likelihood", "weighting": {"type": "Quantile", "quantile": 0.5}}]},
        "selection": {"acceptTruncated": True},
    }
    assert bench.work("generate", "verify", "select").returncode == 0
    steps = evictions(bench, "distill", "steps")
    first, second = next(steps), next(steps)
    assert 0 < first < second


def test_what_no_retry_can_help_does_not_say_how_far_it_was(bench: Bench) -> None:
    bench.changes = {
        "verification": {"methods": [{"type": "MultipleChoice", "labels": {"positive": "Rather", "negative": "Not"}}]}
    }
    process = pod(bench, "0-1", "generate", "verify")
    assert process.wait(PATIENCE) == 2
    (word,) = last_word(bench)
    assert word.startswith("error: i001-verify: ")


def test_a_pod_that_is_stopped_while_it_loads_says_so_at_once(bench: Bench) -> None:
    process = pod(bench, "0-1", "generate")
    while not heeds_sigterm(process.pid):
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == TERMINATED
    first, last = last_word(bench)
    assert first.startswith("error: i001-generate: stopped by a signal")
    assert json.loads(last) == {"promptsDone": 0}


def test_a_pod_that_is_stopped_while_it_waits_for_its_model_does_not_wait_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lab")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        bench.changes = {"model": {"uri": "s3://lab/model", "endpoint": endpoint}}
        process = pod(bench, "0-1", "generate")
        with silent.accept()[0]:
            process.send_signal(signal.SIGTERM)
            assert process.wait(UNWINDING_SECONDS - 5) == TERMINATED
    first, last = last_word(bench)
    assert first == "error: i001-generate: stopped by a signal; what was done is kept"
    assert json.loads(last) == {"promptsDone": 0}


def test_two_pods_of_one_job_write_to_attempts_of_their_own_and_agree(bench: Bench) -> None:
    pods = [pod(bench, uid, "generate") for uid in ("11111111-aaaa", "22222222-bbbb")]
    assert [process.wait(PATIENCE) for process in pods] == [0, 0]
    keys = [entry.key for entry in open_store(bench.uri).list("i001/generate/")]
    assert len({key.split("/")[3] for key in keys if "/attempt-" in key}) == 2
    manifest(bench, "generate")


@pytest.mark.s3
def test_a_run_is_looked_at_by_its_uri_when_its_resource_is_gone(tiny_model: Path, tmp_path: Path, s3: S3Place) -> None:
    bench = Bench(tmp_path, str(tiny_model), f"{s3.uri}/research/lab-1a2b3c4d", in_cluster=True)
    assert pod(bench, "0-1", "generate", "verify").wait(120) == 0
    status, samples = (selfimprove(word, bench.uri) for word in ("status", "samples"))
    assert status.returncode == 0, status.stderr
    assert re.match(r"lab: iteration 0 of at most 3, last written \d+ (s|min) ago\n", status.stdout)
    assert "p1" in samples.stdout


def heeds_sigterm(process: int) -> bool:
    """Whether a process has a handler for it; until then a pod's first process would not even be ended by it."""
    (caught,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def manifest(bench: Bench, step: StepName) -> Manifest:
    found = read_manifest(open_store(bench.uri), step_folder(StepId(1, step)))
    assert found is not None
    return found[0]
