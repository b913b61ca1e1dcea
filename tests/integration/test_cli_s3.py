"""Runs on S3 from a machine that reaches the server by another address than the run's own, or that knows none."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any, cast

import pytest

from selfimprove.locks import run_lock
from selfimprove.runs import begin
from selfimprove.store import open_store
from selfimprove.store.base import LOCK
from selfimprove.store.s3_client import AT_FIRST, AT_WORK
from tests.fixtures.other_servers import web_server
from tests.fixtures.s3 import S3Place
from tests.unit.cli_support import BuiltRun, built_run, selfimprove

pytestmark = pytest.mark.s3

Capture = pytest.CaptureFixture[str]

NOWHERE = "http://127.0.0.1:9"
HINT = "; or give --endpoint URL if the bucket is on another server\n"


@pytest.fixture
def run(s3: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuiltRun:
    """A finished run of a cluster: its record names the cluster's own address, and the environment names none."""
    run = built_run(tmp_path, at=s3.uri).baseline().iteration(1, 0.75)
    record = json.loads(run.handle.store.read("run.json"))
    for spec in (record["run"]["spec"], record["resolved"]):
        spec.setdefault("storage", {})["endpoint"] = NOWHERE
    run.handle.store.write("run.json", json.dumps(record).encode())
    run.file.write_text(run.file.read_text() + f"  storage: {{endpoint: '{NOWHERE}'}}\n")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return run


@pytest.mark.parametrize("named_by", ["uri", "file"])
def test_every_command_asks_the_server_it_is_given(
    named_by: str, run: BuiltRun, s3: S3Place, tmp_path: Path, capfd: Capture
) -> None:
    named = [f"{s3.uri}/demo"] if named_by == "uri" else [str(run.file), "--storage", s3.uri]
    there = [*named, "--endpoint", s3.endpoint, "--region", "us-east-1"]
    assert json.loads(selfimprove(capfd, "status", *there, "--json").out)["state"] == "Succeeded"
    assert "the run is over" in selfimprove(capfd, "plan", *there).out
    assert "p1 says 0" in selfimprove(capfd, "samples", *there).out
    assert selfimprove(capfd, "export", *there, "--output", tmp_path / "m").code == 0
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == b"weights of M_1"
    assert "trainer state" in selfimprove(capfd, "prune", *there).out
    assert selfimprove(capfd, "delete", *there, "--yes").code == 0
    assert list(open_store(f"{s3.uri}/demo", endpoint=s3.endpoint).list()) == []


def test_a_place_that_holds_runs_names_them(run: BuiltRun, s3: S3Place, capfd: Capture) -> None:
    run.handle.store.write("i001/x/run.json", b"{}")
    outcome = selfimprove(capfd, "status", f"{s3.uri}/", "--endpoint", s3.endpoint, "--region", "us-east-1")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {s3.uri}/: no run was begun here, run.json is missing; ")
    assert outcome.err.endswith("; it holds the runs demo: give the folder of one\n")


def test_run_goes_on_by_the_server_it_is_given_and_records_nothing_of_it(
    run: BuiltRun, s3: S3Place, capfd: Capture
) -> None:
    before = run.handle.store.read("run.json")
    outcome = selfimprove(capfd, "run", run.file, "--storage", s3.uri, "--endpoint", s3.endpoint, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["stop"]["rule"] == "MaxIterations"
    assert json.loads(run.handle.store.read("run.json"))["resolved"] == json.loads(before)["resolved"]


def test_a_run_is_read_where_it_was_found_whatever_address_it_has_for_itself(
    run: BuiltRun, s3: S3Place, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    assert "p1 says 0" in selfimprove(capfd, "samples", f"{s3.uri}/demo").out


def test_an_address_that_nobody_answers_at_names_the_option(run: BuiltRun, s3: S3Place, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "status", run.file, "--storage", s3.uri)
    assert outcome.code == 4
    assert f"can't be reached (endpoint {NOWHERE})" in outcome.err
    assert outcome.err.endswith(HINT)


@pytest.mark.parametrize(
    ("uri", "variable", "says"),
    [
        ("s3://no-such-bucket/demo", "", "the bucket does not exist"),
        ("s3://tests/demo", "AWS_ACCESS_KEY_ID", "the access key is unknown there"),
        ("s3://tests/demo", "AWS_SECRET_ACCESS_KEY", "the secret key is refused"),
    ],
)
@pytest.mark.parametrize("given", [False, True])
def test_what_another_server_might_say_names_the_option_unless_it_was_given(
    given: bool, uri: str, variable: str, says: str, s3: S3Place, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(variable, "wrong")
    outcome = selfimprove(capfd, "status", uri, *(["--endpoint", s3.endpoint] if given else []))
    assert (outcome.code, outcome.err.count("\n")) == (4, 1)
    assert says in outcome.err
    assert outcome.err.endswith(HINT) != given


PAGE = "<!DOCTYPE HTML><html><body><hr>nothing here</body></html>"
NO_S3 = "what answers there is no S3 store (endpoint {}: HTTP {} without a word of S3); check the network and storage."


@pytest.mark.parametrize(
    ("status", "page", "says"),
    [
        (404, PAGE, NO_S3),
        (404, "404 page not found\n", NO_S3),
        (404, "", NO_S3),
        (405, PAGE, NO_S3),
        (501, PAGE, NO_S3),
        (301, "", "is redirected (endpoint {}); check the network and storage.endpoint"),
    ],
)
@pytest.mark.parametrize("command", ["status", "plan", "run"])
def test_a_server_that_is_no_store_is_named(
    command: str, status: int, page: str, says: str, run: BuiltRun, capfd: Capture
) -> None:
    """A web server, or the proxy of a store that is away: what it knows nothing of may be there all the same."""
    with web_server(status, page) as endpoint:
        named = ["s3://lab/runs/demo"] if command == "status" else [run.file, "--storage", "s3://lab/runs"]
        outcome = selfimprove(capfd, command, *named, "--endpoint", endpoint)
    assert (outcome.code, outcome.err.count("\n")) == (4, 1)
    assert says.format(endpoint, status) in outcome.err


def test_an_endpoint_that_is_no_address_is_the_persons_to_mend(capfd: Capture) -> None:
    outcome = selfimprove(capfd, "status", "s3://lab/runs/demo", "--endpoint", "localhost:8333")
    line = "--endpoint: localhost:8333 is no address of a server; give http://HOST:PORT or https://HOST"
    assert (outcome.code, outcome.err) == (2, f"error: {line}\n")


def test_two_processes_on_one_run_are_told_of_each_other(s3: S3Place, tmp_path: Path, capfd: Capture) -> None:
    run = built_run(tmp_path, at=s3.uri).baseline()
    command = [str(run.file), "--storage", s3.uri]
    with run_lock(run.handle.store):
        assert [entry.key for entry in run.handle.store.list() if entry.key == LOCK] == []
        for name in ("run", "prune", "delete"):
            outcome = selfimprove(capfd, name, *command, *(["--yes"] if name == "delete" else []))
            assert outcome.code == 4
            assert f"process {os.getpid()} on {socket.gethostname()} is at work on this run" in outcome.err
        assert "demo: running" in selfimprove(capfd, "status", *command).out
    assert "running" not in selfimprove(capfd, "status", *command).out
    assert selfimprove(capfd, "delete", *command, "--yes").code == 0
    with pytest.raises(FileNotFoundError):
        run.handle.store.read(LOCK)


def test_a_first_attempt_that_ended_over_a_mistake_costs_the_run_no_name(
    s3: S3Place, tmp_path: Path, capfd: Capture
) -> None:
    run = built_run(tmp_path, at=s3.uri)
    assert begin(run.file, s3.uri, ["dataset.fields.answer=anser"]).spec.dataset.fields.answer == "anser"
    assert begin(run.file, s3.uri, ["dataset.fields.answer=answer"]).spec.dataset.fields.answer == "answer"


def test_a_server_that_answered_whoever_started_us_is_waited_for_longer(s3: S3Place) -> None:
    fresh, known = open_store(f"{s3.uri}/x"), open_store(f"{s3.uri}/x", has_answered=True)
    seconds = [store._client.meta.config.read_timeout for store in cast(Any, (fresh, known))]
    assert seconds == [AT_FIRST.read_seconds, AT_WORK.read_seconds]
