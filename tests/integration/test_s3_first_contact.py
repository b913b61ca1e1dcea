"""The first word with a store: one that is silent is told within a minute, and before anything heavy is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfimprove.api.execution import Storage
from selfimprove.api.source import Source
from selfimprove.errors import OtherPlaceError, SurroundingsError
from selfimprove.store import open_store, s3_client
from selfimprove_workers.sources import fetch
from tests.fixtures.other_servers import silent_server
from tests.fixtures.s3 import S3Place
from tests.fixtures.shim import Gateway, gateway
from tests.integration.pods_support import Bench

WITHIN_SECONDS = 45
"""Of the minute that a user waits for `Degraded`, what the worker may take once it runs."""


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with silent_server() as endpoint:
        yield endpoint


def test_a_store_that_takes_connections_and_is_silent_is_told_within_a_minute(silent: str) -> None:
    began = time.monotonic()
    line = (
        rf"^s3://lab/run/a: the server takes connections and does not answer \(endpoint {silent}\); check the network"
    )
    with pytest.raises(OtherPlaceError, match=line):
        open_store("s3://lab/run", endpoint=silent).read("a")
    assert time.monotonic() - began < WITHIN_SECONDS


def test_that_it_is_tried_again_is_said_once_before_anybody_thinks_that_it_hangs(silent: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "selfimprove", "plan", "s3://lab/run", "--endpoint", silent, "--json"]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as plan:
        assert plan.stdout
        assert plan.stderr
        said = plan.stderr.readline()
        assert time.monotonic() - began < WITHIN_SECONDS / 2
        assert said.startswith("s3://lab/run")
        assert f"the server takes connections and does not answer (endpoint {silent})" in said
        assert said.endswith("; trying again for up to 20 s\n")
        rest = plan.stderr.read()
        assert plan.stdout.read() == ""
    assert rest.startswith("error: s3://lab/run")
    assert rest.count("\n") == 1


def test_a_server_that_is_not_waited_for_is_not_said_to_be(
    silent: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(OtherPlaceError):
        open_store("s3://lab/run", endpoint=silent).read("a")
    assert caplog.messages == []


def test_a_source_of_its_own_that_is_silent_names_its_endpoint(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    line = rf"^spec.dataset.endpoint: {silent} does not answer for s3://lab/x.jsonl; check the network or the endpoint"
    with pytest.raises(SurroundingsError, match=line):
        fetch(Source(uri="s3://lab/x.jsonl", endpoint=silent), kind="dataset", storage=Storage())


def test_a_worker_looks_at_its_storage_before_it_loads_what_models_need(
    silent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    bench = Bench(tmp_path, model="no-model", uri="s3://lab/run", changes={"storage": {"endpoint": silent}})
    command = [sys.executable, "-X", "importtime", "-m", "selfimprove_workers.main", str(bench.order("generate"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=bench.environment)
    assert done.returncode == 4
    assert "does not answer" in (tmp_path / "termination").read_text()
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "selfimprove.store.s3" in imported
    assert not imported & {"torch", "transformers", "vllm"}


@pytest.mark.usefixtures("silent")
def test_a_run_waits_once_for_a_store_that_is_away(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_client, "_FIRST_SECONDS", 1)
    with pytest.raises(SurroundingsError, match="can't be reached"):
        open_store("s3://lab/run", endpoint="http://127.0.0.1:9").probe()
    assert len(caplog.messages) == 1


@pytest.mark.s3
def test_a_server_that_has_answered_is_given_time(s3: S3Place) -> None:
    def slow(_: Gateway) -> bool:
        time.sleep(10)
        return False

    with gateway(s3.endpoint, [lambda _: False, slow]) as (endpoint, seen):
        store = open_store(s3.uri, endpoint=endpoint)
        store.write("a", b"data")
        assert store.read("a") == b"data"
    assert len(seen) == 2
