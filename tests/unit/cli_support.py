"""Runs on disk for the tests of the command line: real manifests with real rows, committed as the workers do it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfimprove.api.execution import StepName
from selfimprove.artifacts import (
    PROMPTS,
    Manifest,
    Part,
    attempt_folder,
    commit,
    read_manifest,
    step_folder,
    write_files,
    write_table,
)
from selfimprove.cli import main
from selfimprove.details import HeldOutDetails, Update, notes_of
from selfimprove.ledger import StepId
from selfimprove.records import DECISION, PROMPT, SAMPLE, SCORE
from selfimprove.runs import RunHandle, begin
from selfimprove.summaries import Difference, Estimate, Measures, PromptMeasures, Selected

ATTEMPT = "a1"
PROMPT_IDS = ("p1", "p2")
CORRECT = {("p1", 0): True, ("p1", 1): True, ("p2", 0): False, ("p2", 1): False}
"""Verdicts of the training samples: p1 is mastered, p2 is tail."""


@dataclass(frozen=True)
class Outcome:
    """What a command line came to."""

    code: int
    out: str
    err: str


def selfimprove(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> Outcome:
    """Run a command line in this process."""
    capfd.readouterr()
    code = main([str(argument) for argument in arguments])
    captured = capfd.readouterr()
    return Outcome(code, captured.out, captured.err)


def as_json(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    """The document that a command line prints under --json."""
    outcome = selfimprove(capfd, *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def manifest_of(name: str = "demo", **spec: Any) -> dict[str, Any]:
    """A valid manifest, with some sections of its spec replaced."""
    return {
        "apiVersion": "selfimprove.dev/v1alpha1",
        "kind": "SelfImprovementRun",
        "metadata": {"name": name},
        "spec": {
            "model": {"uri": "hf://lab/base"},
            "dataset": {"uri": "file:///data/train.jsonl", "task": "Math", "fields": {"answer": "answer"}},
            "maxIterations": 1,
            "generation": {"samplesPerPrompt": 2, "maxTokens": 32},
            "evaluation": {"samplesPerPrompt": 2},
            "resampling": {"target": 1},
            **spec,
        },
    }


def write_yaml(folder: Path, document: Mapping[str, Any], name: str = "run.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


@dataclass
class BuiltRun:
    """A run in a folder, into which steps are committed one by one."""

    file: Path
    storage: str
    models: Path
    """Where checkpoints are made before they are committed."""
    handle: RunHandle = field(init=False)

    def __post_init__(self) -> None:
        self.handle = begin(self.file, self.storage)

    @property
    def folder(self) -> Path:
        return Path(self.handle.uri)

    def prompts(self, answer: str = "0") -> BuiltRun:
        """Commit the prompt sets."""
        rows = [{**row, "answer": answer} for row in _prompts()]
        tables = {split: [self._table(PROMPTS, split, PROMPT, rows)] for split in ("train", "heldOut")}
        manifest = Manifest(step="prompts", iteration=0, digest="d", tables=tables, attempt=ATTEMPT)
        commit(self.handle.store, PROMPTS, manifest)
        return self

    def baseline(self, accuracy: float = 0.5) -> BuiltRun:
        """Commit iteration 0."""
        self.prompts().evaluate(0)
        return self.measure(0, accuracy)

    def iteration(self, n: int, accuracy: float = 0.75) -> BuiltRun:
        """Commit a whole iteration."""
        return self.generate(n).verify(n).select(n).distill(n).evaluate(n).measure(n, accuracy)

    def generate(self, n: int) -> BuiltRun:
        return self.step(n, "generate", SAMPLE, [sample(*key) for key in CORRECT], tokens=40)

    def verify(self, n: int) -> BuiltRun:
        return self.step(n, "verify", SCORE, [score(*key, correct=correct) for key, correct in CORRECT.items()])

    def select(self, n: int) -> BuiltRun:
        rows = [_decision(*key, kept=correct) for key, correct in CORRECT.items()]
        tables = {"decision": [self._table(step_folder(StepId(n, "select")), "decision", DECISION, rows)]}
        training = PromptMeasures(gap=estimate(0.1), coverage=estimate(0.5), prompts=2, samples=4)
        return self.step(n, "select", tables=tables, selected=Selected(training=training, examples=2))

    def distill(self, n: int, state: bool = True) -> BuiltRun:
        """Commit a checkpoint of two small files, and leave the trainer's state beside it."""
        folder = step_folder(StepId(n, "distill"))
        model = self.models / f"model-{n}"
        model.mkdir(parents=True)
        (model / "config.json").write_text("{}")
        (model / "model.safetensors").write_bytes(f"weights of M_{n}".encode())
        files = write_files(self.handle.store, folder, ATTEMPT, model)
        if state:
            self.handle.store.write(f"{attempt_folder(folder, ATTEMPT)}/state/optimizer.safetensors", b"state" * 100)
        return self.step(n, "distill", files=files, tokens=100)

    def evaluate(self, n: int, right: Sequence[str] = ("p1",)) -> BuiltRun:
        keys = list(CORRECT)
        rows = [sample(*key, verdict="Correct" if key[0] in right else "Wrong") for key in keys]
        scores = [score(*key, correct=key[0] in right) for key in keys]
        tables = {"score": [self.table(n, "evaluate", "score", SCORE, scores)]}
        return self.step(n, "evaluate", SAMPLE, rows, tables=tables, tokens=40)

    def measure(self, n: int, accuracy: float, split: str = "") -> BuiltRun:
        update = Update(previous=n - 1, predicted_gap=estimate(0.05), realised_gain=estimate(0.25)) if n else None
        settings = notes_of(HeldOutDetails(update=update))
        distilled = read_manifest(self.handle.store, step_folder(StepId(n, "distill")))
        place = {"checkpoint": distilled[0].checkpoint if distilled else None}
        found = measures(n, accuracy).model_copy(update=place)
        return self.step(n, "measure", split=split, settings=settings, measures=found)

    def step(
        self,
        n: int,
        name: StepName,
        schema: Any = None,
        rows: Sequence[dict[str, Any]] = (),
        *,
        split: str = "",
        files: Sequence[Any] = (),
        tables: Mapping[str, list[Part]] | None = None,
        settings: Mapping[str, Any] | None = None,
        **summary: Any,
    ) -> BuiltRun:
        """Commit one step with these rows."""
        folder = step_folder(StepId(n, name, split))
        parts = [self._table(folder, "part-00000", schema, rows)] if rows else []
        said = {"step": name, "iteration": n, "split": split, "rows": len(rows), "prompts": 2, "seconds": 1.5}
        extra = {key: v.to_json() if hasattr(v, "to_json") else v for key, v in summary.items()}
        manifest = Manifest(
            step=name,
            iteration=n,
            split=split,
            digest="d",
            parts=parts,
            files=list(files),
            settings=dict(settings or {}),
            tables=dict(tables or {}),
            summary={**said, **extra},
            attempt=ATTEMPT,
        )
        commit(self.handle.store, folder, manifest)
        return self

    def table(self, n: int, name: StepName, table: str, schema: Any, rows: Sequence[dict[str, Any]]) -> Part:
        """Write what is to be a table beside a step's rows."""
        return self._table(step_folder(StepId(n, name)), table, schema, rows)

    def _table(self, folder: str, name: str, schema: Any, rows: Sequence[dict[str, Any]]) -> Part:
        key = f"{attempt_folder(folder, ATTEMPT)}/{name}.parquet"
        return write_table(self.handle.store, key, list(rows), schema, prompts=2)


def built_run(folder: Path, *, at: str = "", name: str = "demo", **spec: Any) -> BuiltRun:
    """A run that has begun, and nothing more, in `folder/runs` or at another URI."""
    file = write_yaml(folder, manifest_of(name, **spec), "run.yaml" if name == "demo" else f"{name}.yaml")
    return BuiltRun(file, at or str(folder / "runs"), folder / "made" / name)


def estimate(value: float, half: float = 0.05) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=200)


def measures(n: int, accuracy: float) -> Measures:
    """Measures of M_n whose strict accuracy is 0.1 lower; its gain on a baseline of 0.5."""
    curve = {"1": estimate(accuracy), "2": estimate(min(accuracy + 0.1, 1.0))}
    held_out = PromptMeasures(
        accuracy=estimate(accuracy),
        strict_accuracy=estimate(accuracy - 0.1),
        gap=estimate(0.05),
        pass_at_k=curve,
        prompts=200,
        samples=400,
    )
    gain = Difference(
        iteration=0, value=accuracy - 0.5, low=accuracy - 0.6, high=accuracy - 0.4, low995=-0.2, high995=0.6, n=200
    )
    versus = gain if n else None
    return Measures(held_out=held_out, versus_baseline=versus, strict_versus_baseline=versus, versus_best=versus)


def sample(prompt: str, index: int, verdict: str | None = None) -> dict[str, Any]:
    return {
        "prompt": prompt,
        "sample": index,
        "strategy": "",
        "round": 0,
        "seed": index,
        "text": f"{prompt} says {index}",
        "prompt_tokens": [1, 2],
        "tokens": [3, 4, 5],
        "prefix_length": 0,
        "logprob_sum": -1.5,
        "finish": "stop",
        "verdict": verdict,
        "strict_verdict": verdict,
        "answer": str(index) if verdict else None,
    }


def score(prompt: str, index: int, correct: bool) -> dict[str, Any]:
    verdict = "Correct" if correct else "Wrong"
    return {
        "prompt": prompt,
        "sample": index,
        "method": "GroundTruth",
        "score": float(correct),
        "mass": None,
        "verdict": verdict,
        "strict_verdict": "NoAnswer",
        "answer": str(index),
    }


def _decision(prompt: str, index: int, kept: bool) -> dict[str, Any]:
    reason = "kept" if kept else "not accepted"
    return {"prompt": prompt, "sample": index, "strategy": "", "weight": 0.5 if kept else 0.0, "reason": reason}


def _prompts() -> list[dict[str, Any]]:
    return [
        {
            "prompt": id,
            "messages": [{"role": "user", "content": f"What is {id}?"}],
            "answer": "0",
            "rationale": None,
            "level": "2",
            "extra": None,
        }
        for id in PROMPT_IDS
    ]
