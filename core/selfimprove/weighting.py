"""Score to weight (Mind the Gap, Examples 2.1 and 2.2), the same for what is trained on and for what is measured.

All functions take flat arrays, one entry a sample: `scores` [n] with NaN for a missing score, `prompt` [n] with the
index of the sample's prompt, in any order. A missing score weighs 0 and is never read as a low one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from selfimprove.api.selecting import Weighting
from selfimprove.measures.ranking import begins, place_within, relative_ranks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def weights(weighting: Weighting, scores: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[n] The weight of each sample, 0 or more; not normalised. A prompt whose scores are all missing gets zeros.

    Threshold: 1 where score >= threshold. Quantile: 1 where score >= the quantile of its own prompt's scores, ties in,
    so that 0.7 of eight distinct scores keeps three. Softmax: exp((score - the prompt's highest) / beta). TopK: 1 for
    the k highest of a prompt; those that tie for the last places share them. Raises `ValueError` when the parameter
    that the type needs is not set (the API refuses that earlier, by field).
    """
    weight = np.zeros(len(scores))
    known = np.flatnonzero(~np.isnan(scores))
    weight[known] = _RULES[weighting.type](weighting, scores[known], prompt[known], n_prompts)
    return weight


def accepts(weighting: Weighting, scores: Floats) -> Bools | None:
    """[n] Whether each sample passes, where the rule is absolute; None for one that keeps a share of every prompt.

    A missing score passes nothing.
    """
    if weighting.type != "Threshold":
        return None
    return scores >= _required(weighting.threshold, "threshold")


def no_shares(scores: Mapping[str, Floats], remedy: str = "Threshold:{:g}") -> str | None:
    """Why a quantile can't be asked of a score, or of several ones' ranks together, with the remedy; None where it can.

    Of two values (or pairs of them) all that tie are kept or dropped as one, whatever the share. Samples that miss a
    score do not count; where all do nothing is wrong. `remedy`: how a threshold is given, by its number.
    """
    stacked = np.stack(list(scores.values()))
    known = stacked[:, np.isfinite(stacked).all(axis=0)]
    if not known.size or any(len(np.unique(each)) > 2 for each in known):
        return None
    values = np.unique(known, axis=1)
    if values.shape[1] > 2:
        return None
    one, named = len(scores) == 1, " and ".join(scores)
    shown = " and ".join("/".join(f"{each:g}" for each in value) for value in values.T)
    return (
        f"Quantile asks for a share, and {named} {'is' if one else 'are'} only {shown}, whose ties are kept or dropped "
        f"as one; give {remedy.format(values[0, -1]) if one else 'each a Threshold'}"
    )


def combine_all(filters: Sequence[Floats]) -> Floats:
    """[n] The filters of several methods together: their product, which for filters of 0 and 1 is the logical and."""
    product = np.ones_like(filters[0])
    for each in filters:
        product = product * each
    return product


def combine_ranks(
    scores: Sequence[Floats], prompt: Ints, n_prompts: int, shares: Sequence[float] | None = None
) -> Floats:
    """[n] One score of several: the mean of their ranks within the prompt, 0 to 1, weighted by `shares` if given.

    Ranks let a score from 0 to 1 and one from 1 to 10 meet. A sample that misses any of them has none (NaN). To 12
    decimals: what ties, or lies right at a threshold, must do so as a float too, where a sum depends on its order.
    """
    ranks = np.stack([relative_ranks(each, prompt, n_prompts) for each in scores])
    mean: Floats = np.average(ranks, axis=0, weights=shares)
    combined: Floats = mean.round(12)
    return combined


def normalise(weight: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[n] Weights that sum to 1 in every prompt that has any, so that no prompt teaches more than another."""
    total = np.bincount(prompt, weight, n_prompts)[prompt]
    shares: Floats = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return shares


def cap(weight: Floats, prompt: Ints, k: int, order: Floats | Ints) -> Floats:
    """[n] The weights with all but the k heaviest of each prompt set to 0; equals are kept by lowest `order` [n].

    `order` should be a seeded draw: a prompt's first samples are no better than its last.
    """
    ranked = np.lexsort((order, -weight, prompt))
    kept = np.zeros_like(weight)
    chosen = ranked[place_within(prompt[ranked]) < k]
    kept[chosen] = weight[chosen]
    return kept


def missing(scores: Floats) -> int:
    """How many scores are missing."""
    return int(np.isnan(scores).sum())


def _threshold(weighting: Weighting, scores: Floats, prompt: Ints, n_prompts: int) -> Floats:
    return (scores >= _required(weighting.threshold, "threshold")).astype(np.float64)


def _quantile(weighting: Weighting, scores: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """The cut is the first score at or above the quantile: what linear interpolation keeps, without its rounding."""
    quantile = _required(weighting.quantile, "quantile")
    ranked = np.lexsort((scores, prompt))
    size = np.bincount(prompt, minlength=n_prompts)
    place = np.ceil(quantile * np.maximum(size - 1, 0) - 1e-9).astype(np.int64)
    cut = np.full(n_prompts, np.inf)
    some = size > 0
    cut[some] = scores[ranked[(np.cumsum(size) - size + place)[some]]]
    return (scores >= cut[prompt]).astype(np.float64)


def _softmax(weighting: Weighting, scores: Floats, prompt: Ints, n_prompts: int) -> Floats:
    beta = _required(weighting.beta, "beta")
    top = np.full(n_prompts, -np.inf)
    np.maximum.at(top, prompt, scores)
    highest = top[prompt]
    with np.errstate(over="ignore"):  # what is too far below for a float is -inf, and weighs the 0 that it should
        below = np.subtract(scores, highest, out=np.zeros_like(scores), where=scores != highest)
        weight: Floats = np.exp(below / beta)
    return weight


def _top_k(weighting: Weighting, scores: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """Tied scores share the places they hold together, so constant scores weigh all alike and their gap is 0."""
    k = int(_required(weighting.k, "k"))
    ranked = np.lexsort((-scores, prompt))
    won = (place_within(prompt[ranked]) < k).astype(np.float64)
    group = np.cumsum(begins(prompt[ranked]) | begins(scores[ranked])) - 1
    shared = np.bincount(group, won) / np.bincount(group)
    weight = np.empty(len(scores))
    weight[ranked] = shared[group]
    return weight


_RULES: dict[str, Callable[[Weighting, Floats, Ints, int], Floats]] = {
    "Threshold": _threshold,
    "Quantile": _quantile,
    "Softmax": _softmax,
    "TopK": _top_k,
}


def _required(value: float | None, name: str) -> float:
    if value is None:
        raise ValueError(f"weighting.{name}: it is not set, and this weighting needs it")
    return value
