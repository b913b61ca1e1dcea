"""What an iteration's manifests say beside the summary: for people and the command line, never for the decision.

A summary has to fit a pod's termination message and a status; these figures need not, and so may grow.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from selfimprove.api.base import Model
from selfimprove.artifacts.keys import step_folder
from selfimprove.artifacts.manifest import read_manifest
from selfimprove.ledger import Ledger, StepId
from selfimprove.store.base import Store
from selfimprove.summaries import Estimate
from selfimprove.telemetry import Control, KeptLevels, Levels, PromptCounts, Texts, Yield

NOTE = "details"
"""Under which they stand in a manifest's settings."""


class Update(Model):
    """What training made of the gap, on the held-out prompts, paired by prompt."""

    previous: int
    """n of the model before, M_n."""
    predicted_gap: Estimate | None = None
    realised_gain: Estimate | None = None
    strict_realised_gain: Estimate | None = None
    eps_update: Estimate | None = None
    reason: str | None = None
    """Why a figure is missing."""


class Diversity(Model):
    """How different the answers to a prompt are."""

    answered: Estimate | None = None
    """Share of samples that give an answer."""
    distinct_answers: Estimate | None = None
    entropy: Estimate | None = None
    """Of the answers to a prompt, in bits."""


class HeldOutDetails(Model):
    """What `measure` notes of M_n."""

    update: Update | None = None
    """None of M_0, which nothing made."""
    diversity: Diversity | None = None
    pass_at_k_change: dict[str, Estimate] | None = None
    """Of M_n against M_0, by k: effective diversity across iterations."""
    levels: Levels | None = None
    """None where nothing tells prompts apart by difficulty."""
    control: Control | None = None
    """Of M_0 alone."""


class Guidance(Model):
    """What `resample` of an iteration counted, all its shards together."""

    strategy: str
    counts: dict[str, int]
    """By the manifest's own names (`guidance_counts`)."""
    tokens: int
    """The teacher's, the leak probe's and judges' among them."""


class TrainingDetails(Model):
    """What `select` notes of the samples of M_(n-1)."""

    verifiers: dict[str, dict[str, Estimate]] = {}
    """Method -> `auroc`, `aurocChange`, `mass`, `massChange`, the changes against iteration 1, paired by prompt."""
    diversity: Diversity | None = None
    levels: Levels | None = None
    kept_levels: KeptLevels | None = None
    """In the order of `levels`."""
    counts: PromptCounts | None = None
    texts: Texts | None = None
    yields: list[Yield] = []
    """Empty where no rule accepts, so that nobody can tell what was won."""


def notes_of(details: Model) -> dict[str, Any]:
    """The details as a manifest notes them."""
    return {NOTE: details.to_json()}


def held_out_details(store: Store, iteration: int) -> HeldOutDetails:
    """What `measure` of an iteration noted; empty where it noted nothing, as before this version."""
    return HeldOutDetails.model_validate(_note(store, StepId(iteration, "measure")), extra="ignore")


def training_details(store: Store, iteration: int) -> TrainingDetails:
    """What `select` of an iteration noted; empty where it noted nothing."""
    return TrainingDetails.model_validate(_note(store, StepId(iteration, "select")), extra="ignore")


def details_by_model(store: Store, ledger: Ledger) -> dict[int, HeldOutDetails]:
    """n -> what is noted of M_n, of every model that was measured."""
    return {n: held_out_details(store, n) for n in ledger.measured_iterations()}


def details_by_iteration(store: Store, ledger: Ledger) -> dict[int, TrainingDetails]:
    """n -> what is noted of iteration n's samples, of every iteration that was selected."""
    return {n: training_details(store, n) for n in _selected_iterations(ledger)}


def guidance_by_iteration(store: Store, ledger: Ledger) -> dict[int, Guidance]:
    """n -> what guidance came to in iteration n, of every iteration that has some shard of `resample`."""
    found = {step.iteration: guidance_of(store, ledger, step.iteration) for step in ledger.committed}
    return {n: each for n, each in sorted(found.items()) if each}


def guidance_of(store: Store, ledger: Ledger, iteration: int) -> Guidance | None:
    """What the manifests of `resample` say, as far as its shards are committed; None where none is."""
    step = StepId(iteration, "resample")
    found = (read_manifest(store, step_folder(step, shard)) for shard in sorted(ledger.shards_done(step)))
    manifests = [each[0] for each in found if each]
    if not manifests:
        return None
    counts: Counter[str] = Counter()
    for manifest in manifests:
        counts.update(manifest.summary.get("counts", {}))
    strategy = manifests[0].settings.get("resampling", {}).get("strategy", "")
    return Guidance(strategy=strategy, counts=dict(counts), tokens=sum(m.summary.get("tokens", 0) for m in manifests))


def details_document(store: Store, ledger: Ledger) -> list[dict[str, object]]:
    """All of them as JSON values, an iteration each, of iterations that were guided, selected or measured."""
    noted = ("resample", "select", "measure")
    steps = [step for step in ledger.committed if step.step in noted and not step.split]
    guidance = guidance_by_iteration(store, ledger)
    return [
        {
            "iteration": n,
            "guidance": guidance[n].to_json() if n in guidance else None,
            "training": training_details(store, n).to_json(),
            "heldOut": held_out_details(store, n).to_json(),
        }
        for n in sorted({step.iteration for step in steps})
    ]


def _selected_iterations(ledger: Ledger) -> list[int]:
    return sorted(step.iteration for step in ledger.committed if step.step == "select")


def _note(store: Store, step: StepId) -> Any:
    found = read_manifest(store, step_folder(step))
    return found[0].settings.get(NOTE, {}) if found else {}
