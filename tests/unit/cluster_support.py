"""A run of a cluster for the tests of the command line: its resource as the operator leaves it, and a kubectl with it.

The artifacts are those of a run in a folder, as if the cluster's storage were a volume that this machine mounts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfimprove.artifacts import load_ledger
from selfimprove.loop import next_step
from selfimprove.status import Activity, status_of
from tests.unit.cli_support import BuiltRun

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DEFAULTS: dict[str, Any] = {
    "storage": {"uri": "s3://lab/runs", "endpoint": "http://s3.storage:8333", "credentialsSecretName": "s3"},
    "images": {"sampler": "sampler:1", "trainer": "trainer:1", "verifier": "verifier:1"},
}
_SCRIPT = """#!/bin/sh
printf '%s\\n' "$@" > "{folder}/asked"
cat "{folder}/said"
cat "{folder}/complained" >&2
exit {code}
"""


def resource_of(run: BuiltRun, *, running: bool = False, uri: str | None = None, **metadata: Any) -> dict[str, Any]:
    """The resource of a run, its status from what is committed, its storage the installation's."""
    document = yaml.safe_load(run.file.read_text())
    ledger, suspended = load_ledger(run.handle.store), bool(document["spec"].get("suspend"))
    status = status_of(
        run.handle.run,
        run.handle.spec,
        ledger,
        next_step(run.handle.spec, ledger),
        run_uri=uri or run.folder.as_uri(),
        now=NOW,
        activity=Activity(running_since=NOW if running else None, suspended=suspended),
        generation=1,
    )
    name = {"name": "demo", "namespace": "research", "uid": "1a2b3c4d-0000", "generation": 1, "resourceVersion": "7"}
    return {**document, "metadata": {**name, **metadata}, "status": {**status.to_json(), "defaults": DEFAULTS}}


def refused_resource(run: BuiltRun, why: str) -> dict[str, Any]:
    """The resource of a run that the operator did not accept."""
    resource = resource_of(run)
    accepted = {"type": "Accepted", "status": "False", "reason": "Incomplete", "message": why}
    condition = {**accepted, "lastTransitionTime": "2026-11-25T00:00:00Z"}
    status = {"state": "Pending", "progress": "0/0", "runURI": "", "message": why, "conditions": [condition]}
    return {**resource, "status": {**status, "observedGeneration": 1}}


class FakeKubectl:
    """A kubectl on the PATH that gives one answer, and remembers what it was asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        self.answers({})

    def answers(self, resource: Mapping[str, Any]) -> None:
        """From now on it has this resource."""
        self._says(json.dumps(resource), "", 0)

    def complains(self, text: str) -> None:
        """From now on it fails with this text on standard error."""
        self._says("", text, 1)

    @property
    def asked(self) -> list[str]:
        """The words after `kubectl` of the last call."""
        return (self._folder / "asked").read_text().splitlines()

    def _says(self, out: str, err: str, code: int) -> None:
        (self._folder / "said").write_text(out)
        (self._folder / "complained").write_text(err)
        script = self._folder / "kubectl"
        script.write_text(_SCRIPT.format(folder=self._folder, code=code))
        script.chmod(0o755)
