"""What `select` notes of the tail: difficulty, counts, texts and yields, plain samples and guided ones always apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from selfimprove.artifacts import Manifest, Part
from selfimprove.details import TrainingDetails
from selfimprove.measures import (
    Difficulty,
    Table,
    counts_of,
    hard_share,
    hard_share_change,
    levels_of,
    spreads_of,
)
from selfimprove.telemetry import KeptLevels, Levels, PromptCounts, Texts, Yield
from selfimprove.weighting import Bools, Floats, Ints
from selfimprove_workers.choosing import KEPT
from selfimprove_workers.context import StepContext
from selfimprove_workers.describing import Described
from selfimprove_workers.judging import accepted
from selfimprove_workers.reading import reference_perplexity
from selfimprove_workers.training_set import Decided, read_kept_plain, read_rates
from selfimprove_workers.traits import Traits, guided_yields, plain_yield, traits_of


@dataclass(frozen=True)
class Origin:
    """Where the samples lie that were decided on, and what of earlier iterations they are compared with."""

    samples: Sequence[Part]
    """Plain ones, then guided ones."""
    generated: Sequence[Manifest]
    resampled: Sequence[Manifest]
    selections: Mapping[int, Manifest]
    """n -> iteration n's own selection, of the first two iterations where they are before this one."""


def tell(context: StepContext, origin: Origin, prompts: Described, decided: Decided, table: Table) -> TrainingDetails:
    """The notes of this iteration; `prompts` stand in the order of the plain samples' prompts."""
    traits = traits_of(context.store, origin.samples)
    difficulty = prompts.difficulty(_rate(context, origin, decided))
    return TrainingDetails(
        levels=None if difficulty is None else _levels(context, difficulty, decided, table),
        kept_levels=None if difficulty is None else _kept_levels(context, origin, difficulty, decided),
        counts=_prompt_counts(decided),
        texts=_texts(context, origin, prompts, decided, traits),
        yields=_yields(context, origin, decided, traits),
    )


def _rate(context: StepContext, origin: Origin, decided: Decided) -> Floats:
    """[P] M_0's share of accepted samples: those of iteration 1."""
    plain = decided.plain
    if first := origin.selections.get(1):
        rates = read_rates(context.store, first)
        return np.array([rates.get(prompt, np.nan) for prompt in plain.ids])
    if decided.accepted is None:
        return np.full(len(plain.ids), np.nan)
    return decided.accepted / np.bincount(plain.prompt, minlength=len(plain.ids))


def _levels(context: StepContext, difficulty: Difficulty, decided: Decided, table: Table) -> Levels:
    place = {prompt: at for at, prompt in enumerate(decided.plain.ids)}
    order = [place[prompt] for prompt in table.ids]
    ordered = replace(difficulty, level=difficulty.level[order])
    return levels_of(ordered, table, seed=context.bootstrap_seed)


def _kept_levels(context: StepContext, origin: Origin, difficulty: Difficulty, decided: Decided) -> KeptLevels:
    """M_0's pass rate is a level that iteration 1's own samples chose: such shares are compared from iteration 2 on."""
    seed = context.bootstrap_seed
    plain, guided = _plain_examples(decided), _guided_examples(decided)
    base = 2 if difficulty.basis == "PassRate" else 1
    before = origin.selections.get(base)
    change = None
    if before is not None:
        kept = read_kept_plain(context.store, before)
        then = np.array([kept.get(prompt, 0) for prompt in decided.plain.ids], dtype=np.int64)
        change = hard_share_change(difficulty, plain, then, seed=seed)
    return KeptLevels(
        plain=difficulty.count(plain).tolist(),
        guided=difficulty.count(guided).tolist(),
        hard_share=hard_share(difficulty, plain, seed=seed),
        hard_share_change=change,
        compared_with=base if change else None,
    )


def _prompt_counts(decided: Decided) -> PromptCounts:
    guided = decided.guided
    won = np.bincount(guided.prompt[guided.reason == KEPT], minlength=len(decided.plain.ids))
    tried = np.unique(guided.prompt)
    return PromptCounts(
        accepted=None if decided.accepted is None else counts_of(decided.accepted[decided.judged]),
        plain=counts_of(_plain_examples(decided)),
        guided=counts_of(won[tried]) if len(tried) else None,
    )


def _texts(context: StepContext, origin: Origin, prompts: Described, decided: Decided, traits: Traits) -> Texts:
    drawn = np.arange(decided.fresh_count) < decided.plain_count
    kept = decided.weight[: decided.fresh_count] > 0
    groups: dict[str, Bools] = {"drawn": drawn, "plain": kept & drawn, "guided": kept & ~drawn}
    characters, perplexity = traits.characters.astype(np.float64), traits.perplexity
    return Texts(
        length=spreads_of({"reference": prompts.lengths.astype(np.float64)} | _each(groups, characters)),
        perplexity=spreads_of(
            {"reference": reference_perplexity(context.store, origin.generated)} | _each(groups, perplexity)
        ),
    )


def _each(groups: Mapping[str, Bools], values: Floats) -> dict[str, Floats]:
    return {name: values[members] for name, members in groups.items()}


def _yields(context: StepContext, origin: Origin, decided: Decided, traits: Traits) -> list[Yield]:
    plain, guided = decided.plain, decided.guided
    passed = accepted(context.spec, plain.scores, plain.truncated)
    if passed is None:
        return []
    target, seed = context.spec.resampling.target, context.bootstrap_seed
    return [
        plain_yield(traits, plain.prompt, passed, decided.judged, target, seed=seed),
        *guided_yields(context.store, origin.resampled, guided.reason, seed=seed),
    ]


def _plain_examples(decided: Decided) -> Ints:
    """[P] Plain samples of this iteration that train."""
    kept = decided.weight[: decided.plain_count] > 0
    return np.bincount(decided.plain.prompt[kept], minlength=len(decided.plain.ids))


def _guided_examples(decided: Decided) -> Ints:
    """[P] The same of the guided ones."""
    kept = decided.weight[decided.plain_count : decided.fresh_count] > 0
    return np.bincount(decided.guided.prompt[kept], minlength=len(decided.plain.ids))
