"""All that a step may touch: its settings, its inputs, its model, its progress, and the wish to stop.

A step is a pure function of artifacts, so everything it reads comes through here, and two processes given the same
context do the same work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from selfimprove.api.spec import Spec
from selfimprove.artifacts import PROMPTS, Manifest, PartWriter, read_manifest, require_manifest, step_folder
from selfimprove.artifacts.lineage import require_lineage, step_inputs
from selfimprove.errors import TerminatedError
from selfimprove.ledger import StepId
from selfimprove.seeds import bootstrap_seed, derive_seed
from selfimprove.store.base import Store
from selfimprove_workers.engines.base import Engine
from selfimprove_workers.models import ModelHouse
from selfimprove_workers.progress import Progress
from selfimprove_workers.prompts import PromptRow, ensure_prompts, load_prompts
from selfimprove_workers.signals import ending_at_once
from selfimprove_workers.tasks import task_for
from selfimprove_workers.tasks.base import Task


@dataclass
class StepContext:
    """One shard of one step, about to run."""

    store: Store
    spec: Spec
    """Resolved: every default is in it."""
    step: StepId
    shard: int
    shards: int
    attempt: str
    models: ModelHouse
    progress: Progress
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set by SIGTERM or SIGINT: commit the part at hand, then end."""
    kept: dict[str, Callable[[], int]] = field(default_factory=dict)
    """Counts of what lies in storage of this shard so far, by the name of its table."""
    _seen: dict[str, str | None] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where this shard's parts and manifest lie, relative to the store."""
        return step_folder(self.step, self.shard)

    @property
    def prompts_done(self) -> int:
        """How far this shard is in storage, in prompts of all its tables (of `distill`: optimizer steps).

        Grows from one attempt to the next if and only if the step gets further.
        """
        return sum(count() for count in self.kept.values())

    def writer(
        self, digest: str, schema: pa.Schema, table: str = "part", at_most: int | None = None, adopt: bool = True
    ) -> PartWriter:
        """A writer of this shard's parts; see `PartWriter`."""
        writer = PartWriter(
            self.store, self.folder, self.attempt, digest, schema, table=table, at_most=at_most, adopt=adopt
        )
        if adopt:  # else an attempt begins anew
            self.kept[table] = lambda: writer.prompts_done
        return writer

    def writers_in_step(self, digest: str, tables: Mapping[str, pa.Schema]) -> dict[str, PartWriter]:
        """A writer of each table, all at the same prompt: what one of them was ahead by is written again."""
        writers = {table: self.writer(digest, schema, table) for table, schema in tables.items()}
        while len(done := {writer.prompts_done for writer in writers.values()}) > 1:
            writers = {table: self.writer(digest, schema, table, min(done)) for table, schema in tables.items()}
        return writers

    @property
    def sampling_iteration(self) -> int:
        """n of the model M_n that this step samples with: M_(n-1) makes iteration n's data, `evaluate` looks at M_n."""
        return self.step.iteration if self.step.step == "evaluate" else self.step.iteration - 1

    @property
    def split(self) -> str:
        """The prompts this step works on: train, heldOut or test."""
        if self.step.step not in ("evaluate", "measure"):
            return "train"
        return self.step.split or "heldOut"

    @cached_property
    def task(self) -> Task:
        """The checker of answers."""
        return task_for(self.spec.dataset)

    @cached_property
    def prompts(self) -> list[PromptRow]:
        """This shard's prompts, in the order in which they are worked on."""
        _ = self.prompt_set
        return load_prompts(self.store, self.split, self.shard, self.shards)

    @cached_property
    def prompt_set(self) -> tuple[Manifest, str]:
        """The run's committed prompts and their manifest's sha256; the first step that asks commits them."""
        with ending_at_once():
            ensure_prompts(self.store, self.spec, self.attempt)
        return require_manifest(self.store, PROMPTS)

    def every_prompt(self) -> list[PromptRow]:
        """The prompts of all sets and shards of the run."""
        return [row for split in self.prompt_set[0].tables for row in load_prompts(self.store, split)]

    def engine(self) -> Engine:
        """The model that this step samples with, loaded once a process."""
        return self.models.engine(self.model_folder(self.sampling_iteration))

    def model_folder(self, iteration: int) -> Path:
        """M_n as a plain Hugging Face folder on this machine, its digest checked."""
        return self.models.folder(iteration)

    def input(self, step: StepId, shard: int = 0) -> tuple[Manifest, str]:
        """A committed input of this step and its manifest's sha256.

        Raises `FailedError` when it is missing, `SurroundingsError` when it was made from other inputs than are there.
        """
        folder = step_folder(step, shard)
        found = require_manifest(self.store, folder)
        made_from = step_inputs(found[0])
        require_lineage(self.store.uri, {each: self._sha256(each) for each in made_from}, {folder: made_from})
        return found

    def _sha256(self, folder: str) -> str | None:
        """Of a committed manifest, which never changes while a step runs."""
        if folder not in self._seen:
            found = read_manifest(self.store, folder)
            self._seen[folder] = found[1] if found else None
        return self._seen[folder]

    def model_input(self, iteration: int) -> dict[str, str]:
        """M_n among a step's inputs: its manifest's folder and sha256; nothing for one that no step made."""
        if not self.models.trains(iteration):
            return {}
        step = StepId(iteration, "distill")
        return {step_folder(step): self.input(step)[1]}

    def seed(self, *what: str | int) -> int:
        """Of a draw of this step, from what it is for."""
        return derive_seed(self.spec.seed, self.split, self.step.iteration, self.step.step, *what)

    @property
    def bootstrap_seed(self) -> int:
        """Of the intervals; see `seeds.bootstrap_seed`."""
        return bootstrap_seed(self.spec.seed)

    def stop_if_asked(self, kept: str = "what was done is kept") -> None:
        """To be called after what is worth it was kept, as `kept` says. Raises `TerminatedError` when a signal came."""
        if self.stopping.is_set():
            raise TerminatedError(f"stopped by a signal; {kept}")
