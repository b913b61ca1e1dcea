"""The images as a cluster runs them: not as root, on a read-only root file system, with what is wanted in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfimprove.api.installation import Defaults, with_defaults
from selfimprove.api.manifest import load_run
from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove.summaries import Summary
from selfimprove_operator.jobs import job_for
from selfimprove_operator.pods import USER
from tests.e2e.conftest import ROOT, Images
from tests.e2e.pods_support import restricted_pod, run_to_end
from tests.fixtures.cluster import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

DEMO = ROOT / "examples" / "arithmetic" / "run.yaml"
OF_WORKERS = ("torch", "transformers", "vllm", "pyarrow", "numpy", "boto3")
OF_CUDA = ("nvidia", "triton", "vllm")
COMPILERS = ("cc", "gcc", "clang", "nvcc")
S3 = {"name": "S3", "value": "http://s3:8333"}
KEYS = {"secretRef": {"name": "s3-credentials"}}

LOOK = """
import importlib.util, json, os, pathlib, shutil, subprocess, sys
wanted, tools = sys.argv[1].split(","), sys.argv[2].split(",")
size = subprocess.run(["du", "-sk", "/opt"], capture_output=True, text=True).stdout.split()[0]
try:
    pathlib.Path("/opt/selfimprove/mark").write_text("")
    writable = True
except OSError:
    writable = False
print(json.dumps({
    "user": os.getuid(),
    "writable": writable,
    "modules": [name for name in wanted if importlib.util.find_spec(name)],
    "tools": [name for name in tools if shutil.which(name)],
    "MB": int(size) / 1000,
}))
"""
"""What a container sees of itself. All that the Dockerfile adds to its base lies in /opt."""

PUT_TWICE = """
import json, os
import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

def client(**more):
    return boto3.client("s3", endpoint_url=os.environ["S3"], region_name="us-east-1", **more)

def code(call, **arguments):
    try:
        return call(Bucket="selfimprove", Key="runs/claim", **arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

ours, anybody = client(), client(config=Config(signature_version=UNSIGNED))
print(json.dumps({
    "first": code(ours.put_object, Body=b"1", IfNoneMatch="*"),
    "second": code(ours.put_object, Body=b"2", IfNoneMatch="*"),
    "kept": ours.get_object(Bucket="selfimprove", Key="runs/claim")["Body"].read().decode(),
    "withoutKeys": code(anybody.get_object),
}))
"""


def look(cluster: Cluster, namespace: str, image: str, modules: tuple[str, ...]) -> dict[str, Any]:
    """What a restricted pod of an image finds in it."""
    command = ["python", "-c", LOOK, ",".join(modules), ",".join(COMPILERS)]
    ended = run_to_end(cluster, namespace, "look", restricted_pod(image, command))
    assert ended.exit_code == 0, ended.log
    found: dict[str, Any] = json.loads(ended.log.splitlines()[-1])
    return found


def test_the_operators_image_is_small_and_knows_no_model_library(
    images: Images, node_cluster: Cluster, restricted_namespace: str
) -> None:
    found = look(node_cluster, restricted_namespace, images.operator, OF_WORKERS)
    assert found["modules"] == []
    assert found["tools"] == []
    assert (found["user"], found["writable"]) == (USER, False)
    assert found["MB"] < 200


def test_the_operators_image_starts_the_operator(
    images: Images, node_cluster: Cluster, restricted_namespace: str
) -> None:
    ended = run_to_end(
        node_cluster, restricted_namespace, "help", restricted_pod(images.operator, arguments=["--help"])
    )
    assert ended.exit_code == 0, ended.log
    assert "--config" in ended.log


def test_the_workers_image_has_neither_cuda_nor_a_compiler(
    images: Images, node_cluster: Cluster, restricted_namespace: str
) -> None:
    found = look(node_cluster, restricted_namespace, images.cpu, OF_CUDA)
    assert found["modules"] == []
    assert found["tools"] == []
    assert (found["user"], found["writable"]) == (USER, False)


def test_the_quickstarts_s3_lets_one_of_two_writers_win_and_nobody_without_keys(
    images: Images, node_cluster: Cluster, s3_namespace: str
) -> None:
    pod = restricted_pod(images.cpu, ["python", "-c", PUT_TWICE], env=[S3], envFrom=[KEYS])
    ended = run_to_end(node_cluster, s3_namespace, "writers", pod)
    assert ended.exit_code == 0, ended.log
    assert json.loads(ended.log.splitlines()[-1]) == {"first": 200, "second": 412, "kept": "1", "withoutKeys": 403}


def test_pods_of_the_operators_making_sample_a_real_model_and_measure_it(
    images: Images, node_cluster: Cluster, s3_namespace: str
) -> None:
    evaluated = summary_of(node_cluster, s3_namespace, images, StepId(0, "evaluate"))
    assert (evaluated.prompts, evaluated.rows) == (4, 8)
    assert evaluated.tokens > 0
    measured = summary_of(node_cluster, s3_namespace, images, StepId(0, "measure"))
    assert measured.measures is not None
    assert (measured.measures.held_out.prompts, measured.measures.held_out.samples) == (4, 8)


def summary_of(cluster: Cluster, namespace: str, images: Images, step: StepId) -> Summary:
    """What a step of the demo's beginning says at its end, done in the pod that the operator would make for it."""
    defaults = Defaults.model_validate(
        {
            "storage": {
                "uri": "s3://selfimprove/runs",
                "endpoint": "http://s3:8333",
                "region": "us-east-1",
                "credentialsSecretName": "s3-credentials",
            },
            "images": dict.fromkeys(("sampler", "trainer", "verifier"), images.cpu),
            "gpu": {"count": 0},
        }
    )
    metadata = {"name": "arithmetic", "namespace": namespace, "uid": "1a2b3c4d-0000"}
    uri = f"s3://selfimprove/runs/{namespace}/arithmetic-1a2b3c4d"
    job = job_for({"metadata": metadata}, demo(defaults), defaults, uri, step, [], attempt=1)
    ended = run_to_end(cluster, namespace, step.name, job["spec"]["template"]["spec"])
    assert ended.exit_code == 0, ended.log
    return Summary.model_validate_json(ended.message)


def demo(defaults: Defaults) -> Spec:
    """The one-machine demo, on a handful of prompts."""
    sets = ["dataset.limit=8", "dataset.heldOut.limit=4", "evaluation.samplesPerPrompt=2"]
    return resolve(with_defaults(load_run(DEMO, sets).spec, defaults), surroundings=Surroundings())
