"""The select step: from scores to the training set, and what the training prompts say of the model that drew them.

Streams everything twice: first the few columns that the decision needs, kept as arrays; then the samples themselves,
straight into examples. Memory stays the same whether a sample has ten tokens or ten thousand. Needs no model.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selfimprove.api.execution import StepName
from selfimprove.artifacts import Manifest, Part, step_folder
from selfimprove.details import TrainingDetails, notes_of
from selfimprove.filtering import methods_of, ranked, weigh
from selfimprove.gathering import Gathered, gather
from selfimprove.ledger import StepId
from selfimprove.measures import Table, table_of, tail_prompts, training_measures, worst_figures
from selfimprove.seeds import derive_seed
from selfimprove.summaries import Selected, Summary
from selfimprove.weighting import Bools, Floats
from selfimprove_workers.choosing import KEPT, REASONS, Codes, Pool, choose, plain_reasons
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.describing import described
from selfimprove_workers.judging import acceptance, accepted, missing
from selfimprove_workers.noting import diversity_of
from selfimprove_workers.pairing import Pairs, pair
from selfimprove_workers.pooling import Guided, fingerprints, gather_guided
from selfimprove_workers.replaying import EXAMPLES, PAIRS, Earlier, Replayed, gather_replayed
from selfimprove_workers.telling import Origin, tell
from selfimprove_workers.training_set import Decided, read_tally, write_tables
from selfimprove_workers.verifier_worth import figures_of, worth_of, write_worth

MOST_LEVELS = 12
"""Levels counted one by one in the summary, which has to stay small."""


@dataclass(frozen=True)
class Sources:
    """The committed inputs, all shards of each."""

    generated: list[Manifest]
    verified: list[Manifest]
    resampled: list[Manifest]
    inputs: dict[str, str]
    first: Manifest | None
    """Iteration 1's own selection, from iteration 2 on: it says which prompts were the tail then."""
    second: Manifest | None
    """Iteration 2's, from iteration 3 on: the first whose samples did not themselves say which prompts are hard."""
    earlier: list[Earlier]
    """The iterations whose training sets are replayed."""

    @property
    def samples(self) -> list[Part]:
        """The parts of this iteration's samples: the plain ones, then the guided ones."""
        return [*_parts(self.generated), *_parts(self.resampled)]

    @property
    def origin(self) -> Origin:
        """Where what is told of the samples comes from."""
        before = {1: self.first, 2: self.second}
        selections = {n: each for n, each in before.items() if each}
        return Origin(self.samples, self.generated, self.resampled, selections)


def run(context: StepContext) -> Summary:
    """Select iteration n's training set. Raises `FailedError` when samples or scores are not committed."""
    began = time.monotonic()
    sources = _sources(context)
    recipe = Recipe(sources.inputs, _settings(context))
    plain = gather(context.store, _parts(sources.generated), _parts(sources.verified), methods_of(context.spec))
    guided = gather_guided(context.store, sources.resampled, plain.ids)
    filters = weigh(context.spec, plain.scores, plain.prompt, len(plain.ids))
    replayed = gather_replayed(context.store, sources.earlier, plain.ids)
    pool = _pool(context, sources, plain, guided, replayed, filters)
    pairs, weight, reason = _choose(context, pool, plain)
    table = _table(context, plain, filters)
    tail = read_tally(context.store, sources.first) if sources.first else tail_prompts(table, _target(context))
    prompts = described(context, plain.ids)
    decided = Decided(plain, guided, replayed, weight, reason, prompts.levels, table.passed, tail, pairs)
    tables = write_tables(context, recipe, sources.samples, sources.earlier, decided)
    worth = worth_of(context.spec, plain)
    tables["verifier"] = write_worth(context, recipe.digest(context), plain, worth)
    figures = figures_of(context, plain, worth, sources.first)
    told = tell(context, sources.origin, prompts, decided, table)
    notes = told.model_copy(update={"verifiers": figures, "diversity": diversity_of(context, plain)})
    outcome = Outcome(
        tables.pop("example"),
        len(plain.ids),
        counts=_counts(decided),
        tables=tables,
        notes=notes_of(notes),
        selected=_selected(context, table, tail, decided, notes),
    )
    return commit_step(context, recipe, outcome, began)


def _sources(context: StepContext) -> Sources:
    spec, iteration = context.spec, context.step.iteration
    inputs: dict[str, str] = {}

    def committed(iteration: int, step: StepName, shards: int) -> list[Manifest]:
        found = [(shard, *context.input(StepId(iteration, step), shard)) for shard in range(shards)]
        inputs.update({step_folder(StepId(iteration, step), shard): sha256 for shard, _, sha256 in found})
        return [manifest for _, manifest, _ in found]

    def resampled(iteration: int) -> list[Manifest]:
        return [] if spec.resampling.strategy == "None" else committed(iteration, "resample", shards)

    def earlier(iteration: int) -> Earlier:
        texts = [*committed(iteration, "generate", shards), *resampled(iteration)] if spec.selection.deduplicate else []
        return Earlier(iteration, committed(iteration, "select", 1)[0], kind, _parts(texts))

    shards = spec.generation.shards
    kind = PAIRS if spec.distillation.method == "DPO" else EXAMPLES
    return Sources(
        generated=committed(iteration, "generate", shards),
        verified=committed(iteration, "verify", shards),
        resampled=resampled(iteration),
        first=committed(1, "select", 1)[0] if iteration > 1 else None,
        second=committed(2, "select", 1)[0] if iteration > 2 else None,
        earlier=[earlier(each) for each in _replayed_iterations(spec.selection.replay, iteration)],
        inputs=inputs,
    )


def _replayed_iterations(replay: str, iteration: int) -> range:
    """The earlier iterations whose data train again: none, the one before, or all."""
    first = {"None": iteration, "Previous": max(iteration - 1, 1), "All": 1}[replay]
    return range(first, iteration)


def _settings(context: StepContext) -> dict[str, object]:
    spec = context.spec
    settings: dict[str, object] = {
        "verification": spec.verification.recipe() if spec.verification else None,
        "selection": spec.selection.to_json(),
        "target": spec.resampling.target,
        "acceptThreshold": spec.resampling.accept_threshold,
        "seed": spec.seed,
    }
    return settings if spec.distillation.method == "SFT" else settings | {"method": spec.distillation.method}


def _pool(
    context: StepContext, sources: Sources, plain: Gathered, guided: Guided, replayed: Replayed, filters: Floats
) -> Pool:
    """The plain samples, then the guided ones, then the replayed ones."""
    selection = context.spec.selection
    reason = plain_reasons(filters, plain.truncated, missing(context.spec, plain.scores), selection)
    order = ranked(context.spec, plain.scores, plain.prompt, len(plain.ids))
    unscored = len(guided.prompt) + len(replayed.prompt)
    return Pool(
        prompts=len(plain.ids),
        prompt=np.concatenate([plain.prompt, guided.prompt, replayed.prompt]),
        weight=np.concatenate([filters, np.ones(len(guided.prompt)), replayed.weight]),
        reason=np.concatenate([reason, guided.reason, np.full(len(replayed.prompt), KEPT, dtype=np.int8)]),
        merit=np.concatenate([np.where(np.isnan(order), -np.inf, order), np.full(unscored, -np.inf)]),
        fingerprint=_texts(context, sources, replayed) if selection.deduplicate else None,
        replayed=len(replayed.prompt),
    )


def _choose(context: StepContext, pool: Pool, plain: Gathered) -> tuple[Pairs | None, Floats, Codes]:
    """The pairs, where pairs are trained on; [n] weights and reasons of the pool's samples."""
    selection = context.spec.selection
    seed = derive_seed(context.spec.seed, "train", context.step.iteration, "select")
    if context.spec.distillation.method == "SFT":
        return None, *choose(pool, selection, seed)
    passed = accepted(context.spec, plain.scores, plain.truncated)
    everyone = np.ones(len(pool.prompt), dtype=bool)  # a guided sample that did not pass is out by its reason
    everyone[: len(plain.prompt)] = False if passed is None else passed
    return pair(pool, everyone, selection, seed)


def _texts(context: StepContext, sources: Sources, replayed: Replayed) -> npt.NDArray[np.uint64]:
    return np.concatenate([fingerprints(context.store, sources.samples), replayed.fingerprint])


def _table(context: StepContext, plain: Gathered, filters: Floats) -> Table:
    """The plain samples for the measures; the filters as they are, before any cap or de-duplication."""
    return table_of(
        [plain.ids[at] for at in plain.prompt],
        plain.utility,
        strict_utility=plain.strict_utility,
        weight=filters,
        accepted=acceptance(context.spec, plain.scores, plain.truncated),
    )


def _selected(
    context: StepContext, table: Table, tail: frozenset[str], decided: Decided, notes: TrainingDetails
) -> Selected:
    kept = decided.weight > 0
    seed = context.bootstrap_seed
    return Selected(
        training=training_measures(table, tail=tail, target=_target(context), seed=seed),
        examples=int(kept.sum()),
        guided_examples=int(kept[decided.plain_count : decided.fresh_count].sum()),
        prompts_in_training=len(np.unique(decided.prompt[kept])),
        hard_share_change=notes.kept_levels.hard_share_change if notes.kept_levels else None,
        verifier=worst_figures(notes.verifiers) or None,
    )


def _counts(decided: Decided) -> dict[str, int]:
    """How many samples for each reason, how many are replayed, and of each level how many of its own plain examples."""
    codes = np.bincount(decided.reason[: decided.fresh_count], minlength=len(REASONS))
    reasons = {_camel(name): int(count) for name, count in zip(REASONS, codes, strict=True) if count}
    if decided.pairs is not None:
        compared = len(np.unique(decided.prompt[decided.pairs.chosen]))
        reasons |= {"pairs": len(decided.pairs), "promptsWithoutPair": len(decided.plain.ids) - compared}
    if len(decided.replayed.prompt):
        reasons["replayed"] = int((decided.weight[decided.fresh_count :] > 0).sum())
    plain = decided.plain_count
    return reasons | _level_counts(decided.levels, decided.prompt[:plain], decided.weight[:plain] > 0)


def _level_counts(levels: Sequence[str | None], prompt: np.ndarray, kept: Bools) -> dict[str, int]:
    counts = Counter({level: 0 for level in levels if level is not None})
    counts.update(level for at in prompt[kept] if (level := levels[at]) is not None)
    common = [level for level, _ in Counter(level for level in levels if level is not None).most_common(MOST_LEVELS)]
    return {f"level.{level}": counts[level] for level in sorted(common)}


def _target(context: StepContext) -> int:
    return context.spec.resampling.target


def _parts(manifests: Sequence[Manifest]) -> list[Part]:
    return [part for manifest in manifests for part in manifest.parts]


def _camel(words: str) -> str:
    first, *rest = words.split()
    return first + "".join(word.capitalize() for word in rest)
