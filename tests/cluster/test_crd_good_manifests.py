"""What is right is accepted as it stands, and the API server fills in the very defaults that one machine does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfimprove.api import runs_in
from selfimprove.api.flat import leaves
from selfimprove.api.problems import check, without_nulls
from tests.cluster.crd_support import manifest, report
from tests.fixtures.cluster import Cluster
from tests.unit.test_api_manifest import SHORTEST

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
LONG = (ROOT / "tests" / "unit" / "data" / "long.yaml").read_text(encoding="utf-8")
TEXTS = {
    "shortest": SHORTEST,
    "long": LONG.replace("namespace: research, ", ""),
    "shares of votes": SHORTEST
    + "  verification: {methods: [{type: CoTBinary, votes: 8, weighting: {type: Quantile, quantile: 0.7}}]}\n",
    **{path.parent.name: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("examples/*/run.yaml"))},
}


@pytest.fixture(params=TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    """The YAML of a good manifest."""
    return TEXTS[request.param]


def stored(cluster: Cluster, text: str) -> dict[str, Any]:
    """What the API server makes of a YAML text."""
    answer = cluster.kubectl("apply", "--dry-run=server", "-n", "default", "-o", "json", "-f", "-", stdin=text)
    assert answer.ok, answer.message
    found: dict[str, Any] = json.loads(answer.message)
    return found


def test_a_good_manifest_is_kept_as_it_was_written(crd_cluster: Cluster, text: str) -> None:
    (document,) = runs_in(text, "file")
    after = dict(leaves(stored(crd_cluster, text)["spec"]))
    written = {path: value for path, value in leaves(document["spec"]) if value != {}}
    assert {path: after.get(path) for path in written} == written


def test_the_server_fills_in_the_defaults_of_the_models(crd_cluster: Cluster, text: str) -> None:
    (document,) = runs_in(text, "file")
    run = check(document).run
    assert run is not None
    assert stored(crd_cluster, text)["spec"] == without_nulls(run.spec.to_json())


def test_an_object_of_the_server_is_read_as_the_file_is(crd_cluster: Cluster, text: str) -> None:
    here, there = check(runs_in(text, "file")[0]), check(stored(crd_cluster, text))
    assert (there.problems, there.run and there.run.spec) == (here.problems, here.run and here.run.spec)


def test_a_null_is_taken_away_before_defaults_come(crd_cluster: Cluster) -> None:
    document = manifest([])
    document["spec"]["generation"] = {"temperature": None}
    document["spec"]["storage"] = None
    spec = stored(crd_cluster, json.dumps(document))["spec"]
    assert spec["generation"]["temperature"] == 0.7
    assert spec["storage"] == {"retention": "BestAndLast"}


def test_borrowed_types_are_kept_whole(crd_cluster: Cluster) -> None:
    toleration = {"key": "gpu", "operator": "Exists", "tolerationSeconds": 30}
    resources = {"limits": {"nvidia.com/gpu": 1, "cpu": 0.5, "memory": "1Gi"}, "requests": {}}
    pods = {"tolerations": [toleration], "affinity": {"nodeAffinity": {"any": ["thing"]}}, "resources": resources}
    document = manifest([])
    document["spec"]["execution"] = {"defaults": pods}
    assert stored(crd_cluster, json.dumps(document))["spec"]["execution"]["defaults"] == pods


STATUS = {
    "state": "Running",
    "iteration": 2,
    "progress": "2/3",
    "message": "i002-verify: 3 of 4 shards done",
    "runURI": "s3://lab/runs/x",
    "step": {"name": "i002-verify", "state": "Running"},
    "latest": {"iteration": 1, "gap": "0.0312", "tailCoverage": "0.41", "accuracy": "0.4440"},
    "best": {"iteration": 1, "accuracy": {"value": "0.4440"}},
    "usage": {"gpuSeconds": 77, "tokens": 1},
}


def test_the_columns_show_how_a_run_stands(crd_cluster: Cluster, namespace: str) -> None:
    assert crd_cluster.apply(manifest([]), namespace=namespace).ok
    assert report(crd_cluster, namespace, STATUS).ok
    header, row = crd_cluster.kubectl("get", "sir", "-n", namespace).message.splitlines()
    assert header.split() == ["NAME", "STATE", "ITER", "GAP", "TAIL", "BEST", "AGE"]
    assert row.split()[:-1] == ["gsm8k", "Running", "2/3", "0.0312", "0.41", "0.4440"]
    wide, values = crd_cluster.kubectl("get", "ml", "-n", namespace, "-o", "wide").message.splitlines()
    assert wide.split()[7:] == ["MODEL", "STEP", "GPU-SECONDS", "MESSAGE"]
    model = "hf://Qwen/Qwen2.5-1.5B-Instruct"
    assert values.split(maxsplit=10)[7:] == [model, "i002-verify", "77", "i002-verify: 3 of 4 shards done"]


def test_no_rule_can_block_a_status_write(crd_cluster: Cluster, namespace: str) -> None:
    assert crd_cluster.apply(manifest(["maxIterations=1"]), namespace=namespace).ok
    answer = report(crd_cluster, namespace, {**STATUS, "iteration": 3})
    assert answer.ok, answer.message
    suspended = crd_cluster.apply(manifest(["maxIterations=1", "suspend=true"]), namespace=namespace)
    assert suspended.ok, suspended.message


def test_conditions_of_other_people_stand_beside_ours(crd_cluster: Cluster, namespace: str) -> None:
    assert crd_cluster.apply(manifest([]), namespace=namespace).ok
    ours = condition("Progressing")
    assert report(crd_cluster, namespace, {"conditions": [condition("lab.example/Audited")]}, manager="lab").ok
    assert report(crd_cluster, namespace, {**STATUS, "conditions": [ours]}).ok
    found = crd_cluster.get("sir", "gsm8k", namespace)["status"]["conditions"]
    assert sorted(each["type"] for each in found) == ["Progressing", "lab.example/Audited"]


def test_explain_says_what_a_field_is_for(crd_cluster: Cluster) -> None:
    text = crd_cluster.kubectl("explain", "sir.spec.verification").message
    assert "How samples are scored" in text
    assert "<no description>" not in crd_cluster.kubectl("explain", "sir.spec", "--recursive").message
    assert "enum: All, Mean, Weighted" in text


def condition(kind: str) -> dict[str, str]:
    return {
        "type": kind,
        "status": "True",
        "reason": "Because",
        "message": "so",
        "lastTransitionTime": "2026-11-22T17:05:00Z",
    }
