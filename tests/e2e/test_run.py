"""The one-machine demo's own YAML on a real cluster: from `kubectl apply` to a checkpoint that loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfimprove.errors import SURROUNDINGS
from tests.cluster.run_support import LiveRun
from tests.e2e.runs_support import apply_demo
from tests.fixtures.installed import SYSTEM, Installed
from tests.fixtures.operator import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def finished(installed: Installed) -> LiveRun:
    run = apply_demo(installed, "arithmetic")
    waited = installed.cluster.kubectl(
        "wait", f"sir/{run.name}", "-n", run.namespace, "--for=condition=Finished", "--timeout=1500s", timeout=1600
    )
    assert waited.ok, (
        f"{waited.message}\n{installed.cluster.kubectl('describe', 'sir,pods', '-n', run.namespace).message}"
    )
    return run


def test_the_demo_succeeds_with_its_science_in_the_status(finished: LiveRun) -> None:
    status = finished.status
    assert (status["state"], status["stop"]["rule"]) == ("Succeeded", "MaxIterations")
    assert 0 <= float(status["latest"]["accuracy"]) <= 1
    row = status["iterations"][-1]
    assert {"value", "low", "high"} <= row["gap"].keys()
    assert {"accuracy", "tailCoverage", "passAtK"} <= row["heldOut"].keys()
    assert status["usage"]["tokens"] > 0
    assert status["counters"] == {"failures": 0, "disruptions": 0, "suspensions": 0}


def test_every_pod_was_restricted_and_had_no_token(finished: LiveRun, installed: Installed) -> None:
    pods = finished.items("pods", "-l", "app.kubernetes.io/managed-by=selfimprove")
    assert pods
    assert {pod["spec"]["securityContext"]["runAsNonRoot"] for pod in pods} == {True}
    assert {pod["spec"]["automountServiceAccountToken"] for pod in pods} == {False}
    codes = {pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] for pod in pods}
    assert codes <= {0, SURROUNDINGS}  # a first pod may be there before the S3 server of the same minute answers


def test_the_command_line_reads_a_cluster_s_run(finished: LiveRun, installed: Installed) -> None:
    shown = installed.cli("status", f"sir/{finished.name}", "-n", finished.namespace, "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["best"] == finished.status["best"]
    with installed.s3() as endpoint:
        command = ("samples", f"sir/{finished.name}", "-n", finished.namespace, "--endpoint", endpoint, "--json")
        samples = installed.cli(*command)
    assert samples.returncode == 0, samples.stderr
    assert json.loads(samples.stdout)


def test_the_best_checkpoint_is_exported_and_answers(finished: LiveRun, installed: Installed, tmp_path: Path) -> None:
    target = tmp_path / "best"
    with installed.s3() as endpoint:
        command = ("export", f"sir/{finished.name}", "-n", finished.namespace, "--output", str(target))
        done = installed.cli(*command, "--iteration", "1", "--endpoint", endpoint)
    assert done.returncode == 0, done.stderr
    assert "the answer is" in _completion(target, "Compute 1 + 1.").lower()


def test_logs_lie_beside_each_attempt(finished: LiveRun, installed: Installed) -> None:
    with installed.s3() as endpoint:
        keys = _keys(endpoint, finished.status["runURI"])
    logs = {key.split("/")[-4] for key in keys if key.endswith("/worker.log")}
    assert {"generate", "verify", "select", "distill", "evaluate", "measure"} <= logs


def test_the_operators_own_pod_is_well_and_tells_prometheus(finished: LiveRun, installed: Installed) -> None:
    path = f"/api/v1/namespaces/{SYSTEM}/services/selfimprove-operator:8080/proxy/metrics"
    text = until(lambda: installed.cluster.kubectl("get", "--raw", path).message)
    assert f'selfimprove_run_state{{namespace="{finished.namespace}",run="arithmetic",state="Succeeded"}} 1.0' in text
    (pod,) = installed.pods(SYSTEM, "app.kubernetes.io/name=selfimprove")
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def _keys(endpoint: str, run_uri: str) -> list[str]:
    import boto3

    from tests.fixtures.installed import KEYS

    bucket, _, prefix = run_uri.removeprefix("s3://").partition("/")
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def _completion(folder: Path, question: str) -> str:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    shots = "Compute 52 + 39.", "52 + 39 = 91. The answer is 91."
    messages = [{"role": "user", "content": shots[0]}, {"role": "assistant", "content": shots[1]}]
    messages.append({"role": "user", "content": question})
    tokens = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    written = model.generate(**tokens, max_new_tokens=24, do_sample=False)
    text: str = tokenizer.decode(written[0, tokens["input_ids"].shape[1] :])
    return text
