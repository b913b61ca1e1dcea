"""What tests on a real node share: the images from the Dockerfile, and an S3 server from the quickstart's own YAML.

Images are built and given to the node by the commands of design section 6: `SELFIMPROVE_TEST_BUILD`, which takes what
`docker build` takes, and `SELFIMPROVE_TEST_LOAD`, which takes an image's name.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.fixtures.cluster import Cluster

ROOT = Path(__file__).parents[2]
S3_YAML = ROOT / "examples" / "quickstart" / "s3.yaml"
BUILD, LOAD = "SELFIMPROVE_TEST_BUILD", "SELFIMPROVE_TEST_LOAD"
ROOM = 12 << 30
"""Bytes that the images take here and on the node. A kubelet on a full disk evicts pods and removes images in use."""
_TYPE = f"{BUILD}='docker build' {LOAD}='kind load docker-image' make test"


class Commands(NamedTuple):
    """How images are built and given to the node."""

    build: list[str]
    load: list[str]


class Images(NamedTuple):
    """The images of the working tree, on the node."""

    registry: str
    tag: str

    def name(self, target: str) -> str:
        """The image of a target, as the chart would name it."""
        return f"{self.registry}/selfimprove-{target}:{self.tag}"

    @property
    def operator(self) -> str:
        """The operator's image."""
        return self.name("operator")

    @property
    def cpu(self) -> str:
        """The image of all worker roles without a GPU."""
        return self.name("cpu")


@pytest.fixture(scope="session")
def image_commands() -> Commands:
    """The two commands. Skips where one is missing."""
    missing = [name for name in (BUILD, LOAD) if name not in os.environ]
    if missing:
        pytest.skip(f"no way to build images for the node ({', '.join(missing)}): {_TYPE}")
    return Commands(shlex.split(os.environ[BUILD]), shlex.split(os.environ[LOAD]))


@pytest.fixture(scope="session")
def images(image_commands: Commands, node_cluster: Cluster) -> Images:
    """The operator's image and the workers' for machines without a GPU, built once and on the node."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    assert free >= ROOM, f"{free >> 30} GiB are free on the disk of {tempfile.gettempdir()}; free {ROOM >> 30}"
    found = Images("localhost", "e2e")
    for target in ("operator", "cpu"):
        _run([*image_commands.build, "--target", target, "-t", found.name(target), "."])
        _run([*image_commands.load, found.name(target)])
    return found


@pytest.fixture(scope="session")
def s3_image(image_commands: Commands, node_cluster: Cluster) -> str:
    """An S3 server under the very name that the quickstart's YAML pulls."""
    deployments = [document for document in yaml.safe_load_all(S3_YAML.read_text()) if document["kind"] == "Deployment"]
    name: str = deployments[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    _run([*image_commands.build, "-f", "tests/e2e/seaweedfs.Dockerfile", "-t", name, "."])
    _run([*image_commands.load, name])
    return name


@pytest.fixture
def restricted_namespace(node_cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own that refuses every pod that is not restricted."""
    with restricted(node_cluster) as name:
        yield name


@pytest.fixture(scope="module")
def s3_namespace(node_cluster: Cluster, s3_image: str) -> Iterator[str]:
    """A restricted namespace where the quickstart's S3 server is up."""
    with restricted(node_cluster) as name:
        applied = node_cluster.kubectl("apply", "-n", name, "-f", str(S3_YAML))
        assert applied.ok, applied.message
        ready = node_cluster.kubectl("rollout", "status", "deployment/s3", "-n", name, "--timeout=110s")
        assert ready.ok, f"{ready.message}\n{node_cluster.kubectl('describe', 'pods', '-n', name).message}"
        yield name


@contextmanager
def restricted(cluster: Cluster) -> Iterator[str]:
    """A namespace under the Pod Security standard "restricted"."""
    name = f"test-{secrets.token_hex(4)}"
    level = "pod-security.kubernetes.io/enforce=restricted"
    assert cluster.kubectl("create", "namespace", name).ok
    assert cluster.kubectl("label", "namespace", name, level).ok
    try:
        yield name
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def _run(command: list[str]) -> None:
    """A command in the project's folder. Raises with the end of its output when it fails."""
    environment = {**os.environ, "BUILDAH_LAYERS": "true"}  # buildah keeps layers for the next build only when told to
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
