"""One step at a time on real parts: a local store, a real dataset file, and samples as `generate` commits them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from selfimprove.api.execution import StepName
from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Spec
from selfimprove.artifacts import Manifest, Part, PartWriter, read_rows, require_manifest, step_folder
from selfimprove.ledger import StepId
from selfimprove.records import DECISION, EXAMPLE, PAIR, SAMPLE, SCORE, VOTE
from selfimprove.store import open_store
from selfimprove.store.base import Store
from selfimprove_workers import verify
from selfimprove_workers.chat import render
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress

Rows = list[dict[str, Any]]
SCHEMAS = {"sample": SAMPLE, "score": SCORE, "vote": VOTE, "example": EXAMPLE, "pair": PAIR, "decision": DECISION}


@dataclass
class Workshop:
    """A run's store and spec, where steps are done by hand."""

    folder: Path
    spec: Spec
    store: Store = field(init=False)
    models: ModelHouse = field(init=False)
    attempts: int = 0

    def __post_init__(self) -> None:
        self.store = open_store(str(self.folder / "run"))
        self.models = ModelHouse(self.store, self.spec)

    def context(self, step: StepName, iteration: int = 1, shard: int = 0, attempt: str = "") -> StepContext:
        """A fresh attempt at a step, as a worker would get it."""
        self.attempts += 1
        shards = self.spec.generation.shards if step in ("generate", "verify", "resample", "evaluate") else 1
        return StepContext(
            store=self.store,
            spec=self.spec,
            step=StepId(iteration, step),
            shard=shard,
            shards=shards,
            attempt=attempt or f"a{self.attempts}",
            models=self.models,
            progress=Progress(StringIO()),
            stopping=threading.Event(),
        )

    def with_spec(self, **changes: Any) -> Workshop:
        """Another run of the same prompts and model in the same store, its sections changed."""
        document = self.spec.to_json()
        return Workshop(self.folder, Spec.model_validate(merged(document, changes)))

    def commit_samples(
        self, rows: Sequence[Mapping[str, Any]], shard: int = 0, per_part: int = 1000, iteration: int = 1
    ) -> None:
        """Commit plain samples as `generate` does: SAMPLE rows of which only what matters must be given."""
        context = self.context("generate", iteration, shard)
        recipe = Recipe({}, {"by": "hand"})
        writer = PartWriter(self.store, context.folder, context.attempt, recipe.digest(context), SAMPLE)
        whole = [{**PLAIN, "text": "", **row} for row in rows]
        prompts = list(dict.fromkeys(row["prompt"] for row in whole))
        for start in range(0, len(prompts), per_part):
            some = prompts[start : start + per_part]
            writer.write([row for row in whole if row["prompt"] in some], len(some))
        commit_step(context, recipe, Outcome(writer.parts, len(prompts)), time.monotonic())

    def commit_answers(self, answers: Mapping[str, Sequence[str]], iteration: int = 1, **common: Any) -> None:
        """Commit texts as plain samples of the dataset's prompts, tokens and all, in every shard, and verify them."""
        tokenizer = self.models.tokenizer(self.models.folder(0))
        for shard in range(self.spec.generation.shards):
            prompts = self.context("generate", shard=shard).prompts
            rows = [
                {
                    "prompt": prompt.id,
                    "sample": index,
                    "text": text,
                    "prompt_tokens": render(tokenizer, prompt.messages, {}),
                    "tokens": [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id],
                    **common,
                }
                for prompt in prompts
                for index, text in enumerate(answers[prompt.id])
            ]
            self.commit_samples(rows, shard, iteration=iteration)
            verify.run(self.context("verify", iteration, shard))

    def manifest(self, step: StepName, iteration: int = 1, shard: int = 0) -> Manifest:
        """What a step committed."""
        return require_manifest(self.store, step_folder(StepId(iteration, step), shard))[0]

    def rows(self, parts: Sequence[Part], schema: str | pa.Schema) -> Rows:
        """The rows of some parts."""
        columns = SCHEMAS[schema] if isinstance(schema, str) else schema
        return [row for batch in read_rows(self.store, parts, columns) for row in batch.to_pylist()]


PLAIN: dict[str, Any] = {
    "strategy": "",
    "round": 0,
    "seed": 1,
    "prompt_tokens": [5, 6],
    "tokens": [7, 8, 9],
    "prefix_length": 0,
    "logprob_sum": -3.0,
    "finish": "stop",
}


def workshop(folder: Path, model: Path, prompts: Rows, **changes: Any) -> Workshop:
    """A workshop over a dataset of `{"id", "question", ...}` rows; `changes` are merged over sections of the spec."""
    folder.mkdir(parents=True, exist_ok=True)
    train, held_out = folder / "train.jsonl", folder / "held-out.jsonl"
    train.write_text("".join(json.dumps(row) + "\n" for row in prompts))
    held_out.write_text(json.dumps({**prompts[0], "id": "held", "question": "What else is there?"}) + "\n")
    fields = {"id": "id", "prompt": "question"}
    optional = {"answer": "answer", "rationale": "rationale", "difficulty": "level"}
    fields |= {name: column for name, column in optional.items() if column in prompts[0]}
    document = {
        "model": {"uri": str(model)},
        "dataset": {"uri": str(train), "fields": fields, "task": "Math", "heldOut": {"uri": str(held_out)}},
        "generation": {"samplesPerPrompt": 4, "maxTokens": 8, "temperature": 1.0, "engine": "Transformers"},
    }
    spec = resolve(Spec.model_validate(merged(document, changes)), surroundings=Surroundings())
    return Workshop(folder, spec)


def merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document with sections of it changed."""
    return {**document} | {
        name: {**document.get(name, {}), **change} if isinstance(change, dict) else change
        for name, change in changes.items()
    }


def stopped_at_third(shop: Workshop, context: StepContext, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A signal comes at the third sample of M_0, the last of those asked for drawn first; how many each call asks."""
    asked: list[int] = []
    engine = shop.models.engine(shop.models.folder(0))
    sample = engine.sample

    def last_first(requests: Any, progress: Any = None) -> Iterator[Any]:
        asked.append(len(requests))
        for number, each in enumerate(sorted(sample(requests, progress), key=lambda done: -done[0]), 1):
            if number == 3:
                context.stopping.set()
            yield each

    monkeypatch.setattr(engine, "sample", last_first)
    return asked


def but_for_rounding(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows to compare others with: a torn step has other batches, whose sums some CPUs round in another way."""
    return [{**row, "logprob_sum": pytest.approx(row["logprob_sum"], abs=1e-4)} for row in rows]
