"""The share of hard prompts among the examples, and whether it shrinks: tail narrowing as the training set shows it."""

from __future__ import annotations

import numpy as np

from selfimprove.measures.bootstrap import RESAMPLES, estimates
from selfimprove.measures.compare import paired_change
from selfimprove.measures.difficulty import Difficulty
from selfimprove.measures.perprompt import counts_of_known, covered
from selfimprove.measures.ratios import ratio_parts, share_estimates
from selfimprove.measures.table import Bools, Floats, Ints, Table
from selfimprove.summaries import Estimate
from selfimprove.telemetry import Levels

FEWEST = 5
"""Prompts with examples of which a share is compared: at four, and twenty before, one draw in ten looks narrower."""


def levels_of(difficulty: Difficulty, table: Table, *, seed: int, resamples: int = RESAMPLES) -> Levels:
    """Prompts and coverage by level; `difficulty` is of the table's prompts, in its order.

    A prompt no sample of which could be accepted, as without an answer that can be read, is none of the prompts: its
    level's share of the examples would look too small beside theirs.
    """
    coverage = covered(table)
    columns = {name: np.where(difficulty.level == i, coverage, np.nan) for i, name in enumerate(difficulty.names)}
    found = estimates(columns, seed=seed, resamples=resamples)
    return Levels(
        basis=difficulty.basis,
        names=list(difficulty.names),
        hard=list(difficulty.hard),
        prompts=difficulty.count(_winnable(table)).tolist(),
        coverage=[found.get(name) for name in difficulty.names],
    )


def hard_share(difficulty: Difficulty, examples: Ints, *, seed: int, resamples: int = RESAMPLES) -> Estimate | None:
    """Share of [P] examples that are of hard levels; None without examples, or where levels have no order.

    Its interval is over the prompts that have examples: the others tell nothing of the share, and make it no surer.
    """
    parts = _parts(difficulty, examples, examples > 0)
    return None if parts is None else share_estimates({"share": parts}, seed=seed, resamples=resamples)["share"]


def hard_share_change(
    difficulty: Difficulty, now: Ints, then: Ints, *, seed: int, resamples: int = RESAMPLES
) -> Estimate | None:
    """The share of `now` less that of `then`, both [P] examples of the same prompts; None where either is unknown.

    So it is where fewer than five prompts have examples: what chose those few nobody can tell from chance. The
    interval is over the prompts that have examples in either.
    """
    having = (now > 0) | (then > 0)
    if min(np.count_nonzero(now), np.count_nonzero(then)) < FEWEST:
        return None
    parts, before = _parts(difficulty, now, having), _parts(difficulty, then, having)
    if parts is None or before is None:
        return None
    return paired_change(parts - before, seed=seed, resamples=resamples)


def _winnable(table: Table) -> Ints:
    """[P] 1 for a prompt of which it can be told whether a sample is accepted, else 0; 1 where no rule is absolute."""
    if table.accepted is None:
        return np.ones(len(table.ids), dtype=np.int64)
    known, _ = counts_of_known(table, table.accepted)
    return (known > 0).astype(np.int64)


def _parts(difficulty: Difficulty, examples: Ints, having: Bools) -> Floats | None:
    known = having & (difficulty.level >= 0)
    counts = examples[known]
    if not difficulty.hard or not counts.sum():
        return None
    return ratio_parts(counts * difficulty.is_hard[known], counts)
