"""Ranks within a prompt: what scores of different scales have in common, and what a verifier is judged by."""

from __future__ import annotations

import numpy as np

from selfimprove.measures.table import Bools, Floats, Ints


def mid_ranks(values: Floats, prompt: Ints) -> Floats:
    """[n] The place of each value among those of its prompt, lowest 1; equal ones share the mean of their places."""
    order = np.lexsort((values, prompt))
    ranked, group = values[order], prompt[order]
    run = np.cumsum(begins(group) | begins(ranked)) - 1
    place = place_within(group)
    mean = np.bincount(run, place) / np.bincount(run) if len(order) else np.zeros(0)
    ranks = np.empty(len(order))
    ranks[order] = mean[run] + 1
    return ranks


def relative_ranks(scores: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[n] Mid-ranks brought to 0 (the lowest of its prompt) to 1 (the highest), 0.5 where all are equal or alone.

    A missing score has no rank (NaN), and is not counted among the others.
    """
    known = np.flatnonzero(~np.isnan(scores))
    group = prompt[known]
    ranks = mid_ranks(scores[known], group) - 1
    size = np.bincount(group, minlength=n_prompts)[group]
    found = np.full(len(scores), np.nan)
    found[known] = np.divide(ranks, size - 1, out=np.full(len(known), 0.5), where=size > 1)
    return found


def begins(values: Floats | Ints) -> Bools:
    """[n] Whether an entry differs from the one before it; the first does."""
    new = np.ones(len(values), dtype=bool)
    new[1:] = values[1:] != values[:-1]
    return new


def place_within(group: Ints) -> Ints:
    """[n] The place of each entry within its prompt, from 0, when equal prompts stand together."""
    n = len(group)
    start = np.maximum.accumulate(np.where(begins(group), np.arange(n), 0))
    place: Ints = np.arange(n) - start
    return place
