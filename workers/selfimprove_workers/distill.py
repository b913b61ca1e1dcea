"""`distill`: M' from what was kept, by weighted fine-tuning; the checkpoint is committed whole or not at all."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from selfimprove.artifacts import attempt_folder, read_manifest, read_rows, step_folder, summary_of, write_files
from selfimprove.errors import UserError
from selfimprove.ledger import StepId
from selfimprove.records import EXAMPLE
from selfimprove.seeds import derive_seed
from selfimprove.summaries import Summary
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.device import choose_dtype
from selfimprove_workers.training.checkpoint import States
from selfimprove_workers.training.examples import COLUMNS, Examples, collect
from selfimprove_workers.training.loss import Loss
from selfimprove_workers.training.memory import fit
from selfimprove_workers.training.net import Net, keeps_apart, open_net, splits_head
from selfimprove_workers.training.precision import compute_dtype, stored_dtype
from selfimprove_workers.training.saving import save_model
from selfimprove_workers.training.team import Team
from selfimprove_workers.training.trainer import Row, Trainer

CURVE = "metrics.jsonl"
"""The training curve, beside the checkpoint: one JSON object an optimizer step."""
_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class _Job:
    """What is about to be trained, and from what."""

    recipe: Recipe
    net: Net
    examples: Examples
    trainer: Trainer
    states: States
    start: Path
    """The folder of the model that training starts from."""
    prompts: int


def run(context: StepContext) -> Summary:
    """Train M_n from the iteration's examples, starting from M_0 or M_(n-1), and commit its checkpoint.

    Every process of a team calls this; rank 0 writes. Raises `FailedError` for an empty training set, examples that
    can't be trained on and a loss that is no number; `TerminatedError` after a signal, with the state kept for the next
    attempt.
    """
    began = time.monotonic()
    if context.spec.distillation.method != "SFT":
        raise UserError(f"distillation.method: {context.spec.distillation.method} is not built yet; use SFT")
    team = Team.assemble()
    job = _prepare(context, team)
    curve, earlier = job.trainer.run()
    if not team.leads:
        return _await_leader(context)
    with TemporaryDirectory(prefix="selfimprove-model-") as scratch:
        outcome = _store(context, team, job, curve, Path(scratch))
    summary = commit_step(context, job.recipe, outcome, began - earlier)
    job.states.clear()
    return summary


def _prepare(context: StepContext, team: Team) -> _Job:
    settings, iteration = context.spec.distillation, context.step.iteration
    select, sha256 = context.input(StepId(iteration, "select"))
    before = iteration - 1 if settings.start_from == "Previous" else 0
    start = context.model_folder(before)
    recipe = Recipe(
        inputs={step_folder(StepId(iteration, "select")): sha256, **context.model_input(before)},
        settings={
            "distillation": settings.to_json(),
            "seed": context.spec.seed,
            "model": context.models.identity(before),
        },
    )
    seed = derive_seed(context.spec.seed, "train", iteration, "distill")
    net = open_net(start, team.device, compute_dtype(settings.dtype, team.device), settings.lora, seed)
    limit = min(settings.max_length, net.positions)
    rows = read_rows(context.store, select.parts, EXAMPLE, COLUMNS)
    examples = collect(rows, limit, net.vocabulary, StepId(iteration, "select").name)
    states = States(context.store, context.folder, context.attempt, recipe.digest(context))
    context.kept["state"] = lambda: states.steps
    trainer = Trainer(
        loss=Loss(net, splits_head(net)),
        examples=examples,
        shape=fit(net, examples.lengths, limit, keeps_apart(net)),
        settings=settings,
        seed=seed,
        team=team,
        states=states,
        progress=context.progress,
        stopping=context.stopping,
        label=context.step.name,
    )
    prompts = (select.summary.get("selected") or {}).get("promptsInTraining", 0)
    return _Job(recipe, net, examples, trainer, states, start, prompts)


def _store(context: StepContext, team: Team, job: _Job, curve: list[Row], scratch: Path) -> Outcome:
    """Write and check the checkpoint and the curve, and put both into storage under this attempt."""
    model = job.net.finished()
    named = job.net.named_dtype
    sampled = choose_dtype(context.spec.generation.engine_args.dtype, job.net.device, named)
    dtype = stored_dtype(named, sampled)
    seed = derive_seed(context.spec.seed, "train", context.step.iteration, "distill", "rounding")
    save_model(model, job.start, scratch / "model", dtype, seed, context.spec.model.chat_template)
    files = write_files(context.store, context.folder, context.attempt, scratch / "model")
    lines = "".join(json.dumps(row) + "\n" for row in curve)
    key = f"{attempt_folder(context.folder, context.attempt)}/{CURVE}"
    context.store.write(key, lines.encode())
    return Outcome(
        parts=[],
        rows=len(job.examples),
        prompts=job.prompts,
        tokens=sum(row["tokens"] for row in curve),
        counts={"steps": len(curve), "examples": len(job.examples), **job.examples.dropped},
        files=files,
        gpus=team.world if team.device.type == "cuda" else 0,
        notes={"curve": key, "computed": _name(job.net.dtype), "stored": _name(dtype)},
    )


def _await_leader(context: StepContext) -> Summary:
    """The summary, once rank 0 has committed; it alone knows when its upload is through."""
    while (found := read_manifest(context.store, context.folder)) is None:
        context.stop_if_asked()
        time.sleep(_WAIT_SECONDS)
    return summary_of(context.store, context.folder, *found)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
