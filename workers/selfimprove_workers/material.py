"""What `distill` trains on: the examples or pairs that were selected, or in iteration 0 the reference solutions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from selfimprove.artifacts import PROMPTS, read_rows, step_folder
from selfimprove.ledger import StepId
from selfimprove.loop import BASE
from selfimprove.records import EXAMPLE, PAIR
from selfimprove_workers.context import StepContext
from selfimprove_workers.looking import look_over_all
from selfimprove_workers.references import VERSION, reference_examples
from selfimprove_workers.training.examples import PAIRS, SINGLES, Layout


@dataclass(frozen=True)
class Material:
    """The rows of a training set and where they come from."""

    name: str
    """As messages call it."""
    inputs: Mapping[str, str]
    rows: Iterable[pa.RecordBatch]
    layout: Layout
    prompts: int
    settings: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_pairs(self) -> bool:
        """Whether the rows are preferences."""
        return self.layout is PAIRS


def material_of(context: StepContext) -> Material:
    """What this step trains on. Raises `UserError` for references or prompts that can't be trained on."""
    return _selected(context) if context.step.iteration else _references(context)


def _selected(context: StepContext) -> Material:
    step = StepId(context.step.iteration, "select")
    manifest, sha256 = context.input(step)
    layout, schema = (PAIRS, PAIR) if context.spec.distillation.method == "DPO" else (SINGLES, EXAMPLE)
    rows = read_rows(context.store, manifest.parts, schema, layout.columns)
    prompts = (manifest.summary.get("selected") or {}).get("promptsInTraining", 0)
    return Material(step.name, {step_folder(step): sha256}, rows, layout, prompts)


def _references(context: StepContext) -> Material:
    """Of the run's first step, so what could be wrong with the prompts is looked for here."""
    _, sha256 = context.prompt_set
    look_over_all(context, BASE)
    tokenizer = context.models.tokenizer(context.model_folder(BASE))
    table, counts = reference_examples(context, tokenizer)
    rows = table.select(list(SINGLES.columns)).to_batches()
    name, settings = "the reference solutions", {"material": VERSION}
    return Material(name, {PROMPTS: sha256}, rows, SINGLES, table.num_rows, settings, counts)
