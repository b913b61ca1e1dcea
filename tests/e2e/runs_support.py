"""The demo in a cluster, small enough for two cores."""

from __future__ import annotations

from typing import Any

from selfimprove.api import apply_sets
from selfimprove.api.kubeyaml import documents
from tests.cluster.run_support import LiveRun
from tests.e2e.conftest import ROOT
from tests.fixtures.installed import Installed

DEMO = ROOT / "examples" / "arithmetic" / "run.yaml"
SMALL = (
    "dataset.limit=16",
    "dataset.heldOut.limit=8",
    "generation.samplesPerPrompt=4",
    "evaluation.samplesPerPrompt=2",
    "execution.pendingDeadlineSeconds=600",
)


def apply_demo(installed: Installed, name: str, *sets: str) -> LiveRun:
    """`kubectl apply` of the demo, on a handful of prompts."""
    document: dict[str, Any] = documents(DEMO.read_text(), str(DEMO))[0]
    document = apply_sets(document, [*SMALL, *sets])
    document["metadata"]["name"] = name
    run = LiveRun(installed.cluster, installed.namespace, name)
    answer = installed.cluster.apply(document, namespace=installed.namespace)
    assert answer.ok, answer.message
    return run
