"""The record that a cluster's workers keep of their run, so that its URI is enough to find it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfimprove import __version__
from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Metadata, Spec
from selfimprove.errors import SurroundingsError
from selfimprove.run_record import keep_record, read_record
from selfimprove.runs import find
from selfimprove.store import LocalStore
from tests.unit.cli_support import manifest_of, selfimprove

METADATA = Metadata(name="gsm8k", namespace="research", uid="1a2b3c4d-0000", labels={"team": "a"})


def spec(**changes: Any) -> Spec:
    return resolve(Spec.model_validate(manifest_of(**changes)["spec"]), surroundings=Surroundings("/runs"))


def test_a_run_of_a_cluster_is_found_by_its_uri(tmp_path: Path) -> None:
    keep_record(LocalStore(tmp_path), METADATA, spec())
    handle = find(str(tmp_path))
    assert handle.run.metadata == METADATA
    assert handle.spec == spec()


def test_the_first_worker_writes_it_and_the_others_leave_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    keep_record(store, METADATA, spec())
    before = store.read("run.json")
    keep_record(store, METADATA, spec())
    assert store.read("run.json") == before


def test_it_follows_what_may_change_in_a_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = LocalStore(tmp_path)
    keep_record(store, METADATA, spec(maxIterations=1))
    created = json.loads(store.read("run.json"))["createdAt"]
    keep_record(store, METADATA, spec(maxIterations=5))
    record = read_record(store)
    assert record is not None
    assert (record.resolved.max_iterations, record.run.spec.max_iterations, record.created_at) == (5, 5, created)
    assert "of at most 5" in selfimprove(capfd, "status", tmp_path).out


def test_a_store_that_would_let_two_commit_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    class Careless(LocalStore):
        def create(self, key: str, data: bytes) -> bool:
            self.write(key, data)
            return True

    with pytest.raises(SurroundingsError, match="ignores `If-None-Match"):
        keep_record(Careless(tmp_path), METADATA, spec())
    assert read_record(LocalStore(tmp_path)) is None


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        ("0.10.0", "use 0.10.0 or newer"),
        ("1.0.0rc1", "use 1.0.0rc1 or newer"),
        ("0.1.0", "restore it, or delete the folder"),
        ("0.0.9", "restore it, or delete the folder"),
        ("soon", "restore it, or delete the folder"),
        (None, "restore it, or delete the folder"),
        (7, "restore it, or delete the folder"),
    ],
)
def test_what_a_newer_version_wrote_is_to_be_read_by_that_and_not_deleted(
    tmp_path: Path, version: object, remedy: str
) -> None:
    store = LocalStore(tmp_path)
    keep_record(store, METADATA, spec())
    written = json.loads(store.read("run.json")) | {"version": version, "lineage": "unknown here"}
    store.write("run.json", json.dumps(written).encode())
    with pytest.raises(SurroundingsError) as caught:
        read_record(store)
    line = str(caught.value)
    assert line.endswith(f"; {remedy}") and "\n" not in line
    assert (f"was written by selfimprove {version}, and this is {__version__}" in line) == (remedy.startswith("use"))
