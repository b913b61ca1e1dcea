"""The scored samples of a step of a run, as `selfimprove measure` and `sweep` read those of a file."""

from __future__ import annotations

import numpy as np

from selfimprove.artifacts import (
    PROMPTS,
    Manifest,
    load_ledger,
    read_manifest,
    read_rows,
    require_manifest,
    step_folder,
)
from selfimprove.errors import UserError
from selfimprove.filtering import GROUND_TRUTH, methods_of
from selfimprove.gathering import Gathered, gather, gather_checked
from selfimprove.ledger import StepId
from selfimprove.loop import shards_of
from selfimprove.records import PROMPT
from selfimprove.runs import RunHandle
from selfimprove.samples_file import Samples

SCORED = {"verify": "train", "evaluate": "heldOut"}
"""The steps that score samples, and whose prompts these are."""


def samples_of_run(handle: RunHandle, step: str, iteration: int | None) -> Samples:
    """The plain samples of a whole step, of the last iteration that has one unless it is given.

    The utility is the task's verdict under `dataset.grading`. Raises `UserError` for a step that is not there.
    """
    if step not in SCORED:
        raise UserError(f"--step: {step} scores no samples; give verify (training prompts) or evaluate (held-out ones)")
    found = _gathered(handle, _step(handle, step, iteration))
    order = sorted(range(len(found.ids)), key=found.ids.__getitem__)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    ordered = np.lexsort((found.sample, rank[found.prompt]))
    levels = _levels(handle, SCORED[step])
    scores, mass = (
        {name: values[ordered] for name, values in sorted(columns.items()) if name != GROUND_TRUTH}
        for columns in (found.scores, found.mass)
    )
    return Samples(
        ids=tuple(found.ids[i] for i in order),
        prompt=rank[found.prompt][ordered],
        utility=found.utility[ordered],
        scores=scores,
        levels=tuple(levels.get(found.ids[i]) for i in order),
        mass=mass,
    )


def _step(handle: RunHandle, step: str, iteration: int | None) -> StepId:
    ledger = load_ledger(handle.store)
    whole = {
        id.iteration: id
        for id in ledger.committed
        if id.step == step and not id.split and len(ledger.shards_done(id)) == shards_of(handle.spec, id)
    }
    if not whole:
        raise UserError(f"--step: {handle.uri} has no whole {step} yet; run it first")
    wanted = max(whole) if iteration is None else iteration
    if wanted not in whole:
        there = ", ".join(map(str, sorted(whole)))
        raise UserError(f"--iteration: {wanted} has no whole {step}; there are those of {there}")
    return whole[wanted]


def _gathered(handle: RunHandle, step: StepId) -> Gathered:
    methods = methods_of(handle.spec)
    if step.step == "evaluate":
        return gather_checked(handle.store, _manifests(handle, step), methods)
    drawn = _manifests(handle, StepId(step.iteration, "generate"))
    samples, scores = ([part for m in each for part in m.parts] for each in (drawn, _manifests(handle, step)))
    return gather(handle.store, samples, scores, methods)


def _manifests(handle: RunHandle, step: StepId) -> list[Manifest]:
    return [require_manifest(handle.store, step_folder(step, n))[0] for n in range(shards_of(handle.spec, step))]


def _levels(handle: RunHandle, split: str) -> dict[str, str | None]:
    found = read_manifest(handle.store, PROMPTS)
    parts = found[0].tables.get(split, []) if found else []
    rows = (row for batch in read_rows(handle.store, parts, PROMPT, ["prompt", "level"]) for row in batch.to_pylist())
    return {row["prompt"]: row["level"] for row in rows}
