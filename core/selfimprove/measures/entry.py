"""The two looks that the loop takes: at the training prompts in `select`, at the held-out ones in `measure`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from selfimprove.measures.bootstrap import RESAMPLES, Range, estimates
from selfimprove.measures.compare import paired_difference, tail_change
from selfimprove.measures.perprompt import columns, member, tail_prompts
from selfimprove.measures.table import Floats, Table
from selfimprove.summaries import Measures, PromptMeasures


def training_measures(
    table: Table, *, tail: Collection[str] | None, target: int, seed: int, resamples: int = RESAMPLES
) -> PromptMeasures:
    """What `select` of iteration n says of M_(n-1) on the training prompts.

    `tail`: ids of the prompts that were tail at iteration 1 (`tail_prompts` of its table), the fixed set that tail
    coverage is over; None at iteration 1 itself. `target`: resampling.target. `seed`: from `derive_seed`.
    """
    fixed = tail_prompts(table, target) if tail is None else tail
    return prompt_measures(table, tail=fixed, seed=seed, resamples=resamples)


def held_out_measures(
    current: Table,
    *,
    iteration: int,
    baseline: Table | None,
    first: Table | None,
    best: tuple[int, Table] | None,
    target: int,
    seed: int,
    resamples: int = RESAMPLES,
) -> Measures:
    """What `measure` of iteration n says of M_n (`current`) on the held-out (or test) prompts.

    `baseline`: M_0, None when `current` is M_0. `first`: M_1, None before iteration 2 and on the test set. `best`: the
    best before this one and its iteration (M_0 counts), None when `current` is M_0. `target`: `scaled_target` of
    resampling.target to the samples a prompt gets here. Raises `FailedError` when the prompts differ.
    """
    tail = tail_prompts(baseline or current, target)
    held_out = prompt_measures(current, tail=tail, seed=seed, resamples=resamples)
    if baseline is None:
        return Measures(held_out=held_out)
    return Measures(
        held_out=held_out,
        versus_baseline=paired_difference(current, baseline, 0, seed=seed, resamples=resamples),
        versus_best=paired_difference(current, best[1], best[0], seed=seed, resamples=resamples) if best else None,
        strict_versus_baseline=paired_difference(current, baseline, 0, seed=seed, resamples=resamples, strict=True),
        tail_change=tail_change(current, first, tail, seed=seed, resamples=resamples)
        if first and iteration >= 2
        else None,
    )


def prompt_measures(table: Table, *, tail: Collection[str], seed: int, resamples: int = RESAMPLES) -> PromptMeasures:
    """Every measure of one model on one set of prompts; what can't be measured is None."""
    found = columns(table, tail)
    measured = estimates(found, seed=seed, resamples=resamples, ranges=ranges_of(found))
    empty = measured.get("empty_filter")
    by_k = {name.removeprefix("pass@"): each for name, each in measured.items() if name.startswith("pass@")}
    named = {name: measured.get(name) for name in NAMED}
    return PromptMeasures(
        **named,
        empty_filter_rate=empty.value if empty else None,
        relative_gap_skipped=int((found["accuracy"] == 1).sum()) if "relative_gap" in found else None,
        tail_prompts=None if table.passed is None else int(member(table, tail).sum()),
        pass_at_k=by_k or None,
        prompts=len(table.ids),
        samples=len(table.prompt),
    )


NAMED = ("accuracy", "strict_accuracy", "gap", "relative_gap", "keep_rate", "coverage", "tail_coverage")
"""Columns that stand under the same name in the summary."""


def ranges_of(found: Mapping[str, Floats]) -> dict[str, Range]:
    """The least and most that a prompt can add to each measure of `columns`, where that is not 0 to 1.

    A relative gap has no least, since a prompt that is right 63 times of 64 can lose 63 times what it lacks: taken is
    what prompts lose on the mean if they lose all, and not more than they can win.
    """
    accuracy = found.get("accuracy", np.empty(0))
    open_ended = accuracy[accuracy < 1]
    if not len(open_ended):
        return {"gap": (-1.0, 1.0)}
    lost = float((open_ended / (1 - open_ended)).mean())
    return {"gap": (-1.0, 1.0), "relative_gap": (-min(lost, 1.0), 1.0)}
