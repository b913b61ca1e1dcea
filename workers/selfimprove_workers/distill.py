"""`distill`: M' from what was kept, by weighted fine-tuning or by preferences; committed whole or not at all.

In iteration 0, which only a run with `selection.seedTraining` trains in, M_0 from the reference solutions.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from selfimprove.artifacts import (
    attempt_folder,
    read_manifest,
    summary_of,
    write_files,
)
from selfimprove.loop import BASE
from selfimprove.seeds import derive_seed
from selfimprove.summaries import Summary
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.device import choose_dtype
from selfimprove_workers.material import Material, material_of
from selfimprove_workers.signals import ending_at_once
from selfimprove_workers.training.batches import Shape, steps_of_epoch
from selfimprove_workers.training.checkpoint import States
from selfimprove_workers.training.examples import Examples, collect
from selfimprove_workers.training.loss import Loss
from selfimprove_workers.training.memory import fit
from selfimprove_workers.training.net import Net, keeps_apart, open_net, splits_head
from selfimprove_workers.training.precision import compute_dtype, stored_dtype
from selfimprove_workers.training.preference import Floats, PreferenceLoss, log_probabilities
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
    material: Material


def run(context: StepContext) -> Summary:
    """Train M_n from the iteration's examples, starting from the base model or M_(n-1), and commit its checkpoint.

    Under DPO the examples are pairs, and the reference is M_(n-1), which drew both of each. Every process of a team
    calls this; rank 0 writes. Raises `FailedError` for an empty training set, examples that can't be trained on and a
    loss that is no number; `TerminatedError` after a signal, with the state kept for the next attempt.
    """
    began = time.monotonic()
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
    material = material_of(context)
    before = iteration - 1 if settings.start_from == "Previous" else BASE
    recipe = _recipe(context, material, before)
    seed = derive_seed(context.spec.seed, "train", iteration, "distill")
    aimed = _to_prefer if material.is_pairs else _to_imitate
    objective, examples, shape = aimed(context, team, material, before, seed)
    states = States(context.store, context.folder, context.attempt, recipe.digest(context))
    context.kept["state"] = lambda: states.steps
    trainer = Trainer(
        loss=objective,
        examples=examples,
        shape=shape,
        settings=settings,
        seed=seed,
        team=team,
        states=states,
        progress=context.progress,
        stopping=context.stopping,
        label=context.step.name,
    )
    return _Job(recipe, objective.net, examples, trainer, states, context.model_folder(before), material)


def _recipe(context: StepContext, material: Material, before: int) -> Recipe:
    """What the checkpoint is made from; `before` is the n of the model that training starts from."""
    drew = context.step.iteration - 1
    return Recipe(
        inputs={
            **material.inputs,
            **context.model_input(before),
            **(context.model_input(drew) if material.is_pairs else {}),
        },
        settings={
            "distillation": context.spec.distillation.to_json(),
            "seed": context.spec.seed,
            "model": context.models.identity(before),
            **({"reference": context.models.identity(drew)} if material.is_pairs else {}),
            **material.settings,
        },
    )


def _to_imitate(
    context: StepContext, team: Team, material: Material, iteration: int, seed: int
) -> tuple[Loss, Examples, Shape]:
    """M_n, to be trained on the examples' own words."""
    loss = _load(context, team, iteration, seed)
    examples = _examples(context, loss.net, material)
    return loss, examples, _shape(context, loss.net, examples)


def _to_prefer(
    context: StepContext, team: Team, material: Material, before: int, seed: int
) -> tuple[PreferenceLoss, Examples, Shape]:
    """The model to start from, to be trained to prefer one of each pair more than M_(n-1) does, which drew both."""
    settings, drew = context.spec.distillation, context.step.iteration - 1
    loss, examples, shape = _to_imitate(context, team, material, drew, seed)
    reference = _reference(context, team, loss, examples, shape, seed)
    if context.model_folder(before) != context.model_folder(drew):
        del loss  # two models at once may be one too many
        loss = _load(context, team, before, seed)
        shape = _shape(context, loss.net, examples)
    return PreferenceLoss(loss, examples, reference, settings.beta, settings.nll_weight), examples, shape


def _load(context: StepContext, team: Team, iteration: int, seed: int) -> Loss:
    """M_n, ready to train."""
    settings = context.spec.distillation
    folder, dtype = context.model_folder(iteration), compute_dtype(settings.dtype, team.device)
    with ending_at_once():
        net = open_net(folder, team.device, dtype, settings.lora, seed)
    return Loss(net, splits_head(net))


def _examples(context: StepContext, net: Net, material: Material) -> Examples:
    return collect(material.rows, _limit(context, net), net.vocabulary, material.name, material.layout)


def _shape(context: StepContext, net: Net, examples: Examples) -> Shape:
    return fit(net, examples.sizes, _limit(context, net) * examples.group, keeps_apart(net))


def _limit(context: StepContext, net: Net) -> int:
    """The most tokens of a sequence."""
    return min(context.spec.distillation.max_length, net.positions)


def _reference(context: StepContext, team: Team, loss: Loss, examples: Examples, shape: Shape, seed: int) -> Floats:
    """What M_(n-1), which drew the samples, gives both of each pair; computed anew by an attempt that resumes."""
    progress = context.progress
    # As the first step will see the weights: where training starts from M_(n-1), its first margins are 0.
    loss.net.weights.refresh(derive_seed(seed, "train", 0, "distill", "rounding"))
    steps = steps_of_epoch(len(examples), context.spec.distillation.batch_size, seed, epoch=0)
    progress.start(f"{context.step.name} reference", len(examples), unit="pairs")
    found = log_probabilities(loss, examples, steps, shape, team, context.stopping, progress.advance)
    progress.finish()
    return found


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
        prompts=job.material.prompts,
        tokens=sum(row["tokens"] for row in curve),
        counts={"steps": len(curve), "examples": len(job.examples), **job.examples.dropped, **job.material.counts},
        files=files,
        gpus=team.world if team.device.type == "cuda" else 0,
        figures=_last_epoch(job.trainer.loss.names, curve),
        notes={"curve": key, "computed": _name(job.net.dtype), "stored": _name(dtype)},
    )


def _last_epoch(names: Sequence[str], curve: list[Row]) -> dict[str, float]:
    """The mean of each figure over the steps of the last epoch."""
    rows = [row for row in curve if row["epoch"] == curve[-1]["epoch"]]
    return {name: sum(row[name] for row in rows) / len(rows) for name in names}


def _await_leader(context: StepContext) -> Summary:
    """The summary, once rank 0 has committed; it alone knows when its upload is through."""
    while (found := read_manifest(context.store, context.folder)) is None:
        context.stop_if_asked()
        time.sleep(_WAIT_SECONDS)
    return summary_of(context.store, context.folder, *found)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
