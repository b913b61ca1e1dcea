"""A worker started as a pod starts it: one order, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfimprove.api.execution import StepName
from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Metadata, Spec
from selfimprove.artifacts import step_folder
from selfimprove.artifacts.keys import log_key
from selfimprove.ledger import StepId
from selfimprove.orders import Order, OrderedStep
from selfimprove.store import open_store
from tests.integration.steps_support import merged

SECRET = "not-for-any-log"


@dataclass
class Bench:
    """A folder with a dataset, where a worker does one order after another as a pod would."""

    folder: Path
    model: str
    uri: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    in_cluster: bool = False
    """Whether the operator orders, who reaches no storage and so writes no `run.json`."""

    def __post_init__(self) -> None:
        self.uri = self.uri or str(self.folder / "run")
        rows = [{"id": f"p{i}", "question": f"What is {i} + 1?", "answer": str(i + 1)} for i in range(12)]
        (self.folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        held_out = {**rows[0], "id": "h", "question": "What is 70 + 1?"}
        (self.folder / "held-out.jsonl").write_text(json.dumps(held_out) + "\n")

    def order(self, *steps: StepName, attempt: str = "a", iteration: int = 1) -> Path:
        """An order for these steps, in a file."""
        document = {
            "model": {"uri": self.model},
            "dataset": {
                "uri": str(self.folder / "train.jsonl"),
                "fields": {"id": "id", "prompt": "question", "answer": "answer"},
                "task": "Math",
                "heldOut": {"uri": str(self.folder / "held-out.jsonl")},
            },
            "generation": {"samplesPerPrompt": 2, "maxTokens": 8, "temperature": 1.0, "engine": "Transformers"},
        }
        spec = resolve(Spec.model_validate(merged(document, self.changes)), surroundings=Surroundings())
        ordered = [OrderedStep(iteration=iteration, step=step) for step in steps]
        metadata = Metadata(name="lab") if self.in_cluster else None
        order = Order(run_uri=self.uri, spec=spec, steps=ordered, attempt=attempt, metadata=metadata)
        path = self.folder / "order.json"
        path.write_text(order.model_dump_json(by_alias=True, exclude_none=True))
        return path

    def work(self, *steps: StepName, attempt: str = "a", iteration: int = 1) -> subprocess.CompletedProcess[str]:
        """A worker that does these steps, to its end."""
        order = self.order(*steps, attempt=attempt, iteration=iteration)
        command = [sys.executable, "-m", "selfimprove_workers.main", str(order)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, env=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """Of a pod: with a secret in it."""
        termination = str(self.folder / "termination")
        return {**os.environ, "OMP_NUM_THREADS": "1", "HF_TOKEN": SECRET, "TERMINATION_LOG": termination}

    def log(self, step: StepName, attempt: str = "a") -> str:
        """The log of an attempt at a step."""
        return open_store(self.uri).read(log_key(step_folder(StepId(1, step)), attempt)).decode()
