"""A run small enough to be done whole in a test: a tiny model of random weights and sums it can't solve.

It learns from its own most likely samples (Likelihood, Quantile), since it will never answer rightly.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

PROMPTS, HELD_OUT = 12, 6


def write_run(folder: Path, model: Path, name: str = "tiny", **changes: Any) -> Path:
    """A manifest and its dataset; `changes` are merged over sections of the spec."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset, held_out = folder / "train.jsonl", folder / "held-out.jsonl"
    dataset.write_text("".join(_row(i) for i in range(PROMPTS)))
    held_out.write_text("".join(_row(1000 + i) for i in range(HELD_OUT)))
    spec: dict[str, Any] = {
        "model": {"uri": str(model)},
        "dataset": {
            "uri": str(dataset),
            "fields": {"id": "id", "prompt": "question", "answer": "answer", "difficulty": "level"},
            "task": "Math",
            "heldOut": {"uri": str(held_out)},
        },
        "maxIterations": 1,
        "generation": {"samplesPerPrompt": 2, "maxTokens": 8, "temperature": 1.0, "engine": "Transformers"},
        "evaluation": {"samplesPerPrompt": 2},
        "verification": {"methods": [{"type": "Likelihood", "weighting": {"type": "Quantile", "quantile": 0.5}}]},
        "selection": {"acceptTruncated": True},
        "distillation": {"batchSize": 8, "learningRate": 1.0e-4, "maxLength": 128},
    }
    for section, change in changes.items():
        spec[section] = {**spec.get(section, {}), **change} if isinstance(change, dict) else change
    document = {"apiVersion": "selfimprove.dev/v1alpha1", "kind": "SelfImprovementRun", "metadata": {"name": name}}
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump({**document, "spec": spec}))
    return path


def command(*words: str | Path) -> list[str]:
    """A command line of ours, as a user would type it."""
    return [sys.executable, "-m", "selfimprove", *map(str, words)]


def selfimprove(*words: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command of ours to its end."""
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=timeout, env=_environment())


def start(*words: str | Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a command of ours in a process group of its own, its output in a file."""
    with log.open("ab") as stream:
        return subprocess.Popen(
            command(*words), stdout=stream, stderr=stream, start_new_session=True, env=_environment()
        )


def status(path: Path, storage: Path | str) -> dict[str, Any]:
    """The run's status, as `selfimprove status --json` prints it."""
    done = selfimprove("status", path, "--storage", str(storage), "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _row(number: int) -> str:
    first, second = number % 7, number % 11
    row = {"id": f"p{number}", "question": f"What is {number} + {first} + {second}?", "level": number % 3}
    return json.dumps({**row, "answer": str(number + first + second)}) + "\n"


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}
