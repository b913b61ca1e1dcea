"""A cluster's run whose artifacts lie on S3, from a machine that has another address and other keys for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove.store import open_store
from tests.fixtures.s3 import S3Place
from tests.unit.cli_support import BuiltRun, built_run, selfimprove
from tests.unit.cluster_support import DEFAULTS, FakeKubectl, resource_of

pytestmark = pytest.mark.s3

Capture = pytest.CaptureFixture[str]

INSIDE = "http://127.0.0.1:9"
"""The cluster's own address of the server, which nobody answers at from here."""
KEYS = "the keys are this machine's own, not those of the Secret that the cluster's pods get"
ADDRESS = "if its server has another address from here, give it by --endpoint URL (after kubectl port-forward, say)"


@pytest.fixture
def run(s3: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuiltRun:
    """A finished run, as the cluster has it; it never had a `run.json`."""
    run = built_run(tmp_path, at=s3.uri).baseline().iteration(1, 0.75)
    run.handle.store.delete(["run.json"])
    resource = resource_of(run, uri=run.handle.uri)
    inside = {**DEFAULTS["storage"], "uri": s3.uri, "endpoint": INSIDE}
    resource["status"]["defaults"] = {**DEFAULTS, "storage": inside}
    FakeKubectl(tmp_path / "bin", monkeypatch).answers(resource)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return run


def test_every_command_asks_the_server_it_is_given(run: BuiltRun, s3: S3Place, tmp_path: Path, capfd: Capture) -> None:
    there = ["sir/demo", "--endpoint", s3.endpoint, "--region", "us-east-1"]
    assert "succeeded after iteration 1" in selfimprove(capfd, "status", *there).out
    assert "the run is over" in selfimprove(capfd, "plan", *there).out
    assert "p1 says 0" in selfimprove(capfd, "samples", *there).out
    assert selfimprove(capfd, "export", *there, "--output", tmp_path / "m").code == 0
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == b"weights of M_1"
    assert "trainer state" in selfimprove(capfd, "prune", *there).out
    assert selfimprove(capfd, "delete", *there, "--yes").code == 0
    assert list(open_store(run.handle.uri).list()) == []


def test_the_clusters_own_address_is_asked_else_and_the_option_is_named(run: BuiltRun, capfd: Capture) -> None:
    outcome = selfimprove(capfd, "samples", "sir/demo")
    assert (outcome.code, outcome.err.count("\n")) == (4, 1)
    assert f"can't be reached (endpoint {INSIDE})" in outcome.err
    assert outcome.err.endswith(f"; {ADDRESS}\n")


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ("AWS_ACCESS_KEY_ID", "the access key is unknown there"),
        ("AWS_SECRET_ACCESS_KEY", "the secret key is refused"),
    ],
)
def test_keys_that_are_refused_are_said_to_be_this_machines(
    variable: str, says: str, run: BuiltRun, s3: S3Place, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "wrong")
    outcome = selfimprove(capfd, "samples", "sir/demo", "--endpoint", s3.endpoint)
    assert (outcome.code, outcome.err.count("\n")) == (4, 1)
    assert says in outcome.err
    assert outcome.err.endswith(f"; {KEYS}\n")


def test_without_any_keys_the_same_is_said(
    run: BuiltRun, s3: S3Place, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    outcome = selfimprove(capfd, "samples", "sir/demo", "--endpoint", s3.endpoint)
    assert (outcome.code, "no AWS credentials were found" in outcome.err) == (4, True)
    assert outcome.err.endswith(f"; {KEYS}\n")


def test_a_bucket_that_lacks_what_the_status_tells_of_may_be_on_another_server(
    run: BuiltRun, s3: S3Place, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.handle.store.delete([entry.key for entry in run.handle.store.list()])
    outcome = selfimprove(capfd, "export", "sir/demo", "--output", "m", "--endpoint", s3.endpoint)
    assert (outcome.code, outcome.err) == (
        4,
        f"error: sir/demo: nothing lies at {run.handle.uri}: it was deleted, or moved; give its URI\n",
    )
