"""The gap as the cut moves, and of every generator under every verifier (Mind the Gap, section 6 and Figure 3).

A threshold sweep of a Tournament's score is its sweep over rounds: that score counts the rounds a sample survived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sys import float_info

import numpy as np

from selfimprove import weighting
from selfimprove.api.rules.methods import PARAMETER
from selfimprove.api.selecting import Weighting, WeightingType
from selfimprove.errors import UserError
from selfimprove.measures import columns, estimates, ranges_of
from selfimprove.measures.table import Floats, Table
from selfimprove.measures.verifiers import mean_mass
from selfimprove.samples_file import Samples
from selfimprove.summaries import Estimate

POINTS = 21
"""At most so many cuts where the scores could give more."""
FIGURES = ("filtered", "gap", "relative_gap", "keep_rate", "empty_filter")
MASS, UNSCORED = "mass", "unscored"
"""Of a matrix alone: no cut moves them."""
_IN_ALL = (*FIGURES, MASS, UNSCORED)
_QUANTILES = tuple(round(0.05 * step, 2) for step in range(1, 20))
_BETAS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Of the scores' range."""


@dataclass(frozen=True)
class Point:
    """One cut, and what it comes to."""

    parameter: float
    figures: Mapping[str, Estimate]
    """Those of `FIGURES` that could be had."""


def sweep(
    samples: Samples,
    score: str,
    kind: WeightingType,
    at: Sequence[float] | None = None,
    *,
    seed: int,
    resamples: int = 2000,
) -> list[Point]:
    """The figures of one score at each cut, `at` or those of `grid_of`, all on the same resamples of the prompts.

    Raises `UserError` for a score that can't be cut that way.
    """
    if kind == "Quantile" and (wrong := weighting.no_shares({score: samples.scores[score]})):
        raise UserError(f"--weighting: {wrong}")
    cuts = grid_of(samples, score, kind) if at is None else at
    rules = [Weighting.model_validate({"type": kind, PARAMETER[kind]: cut}) for cut in cuts]
    found = _estimated({str(i): _columns(samples, score, rule) for i, rule in enumerate(rules)}, seed, resamples)
    return [Point(float(cut), found[str(i)]) for i, cut in enumerate(cuts)]


def matrix(
    generators: Mapping[str, Samples], rules: Mapping[str, Weighting], *, seed: int, resamples: int = 2000
) -> dict[str, dict[str, Mapping[str, Estimate]]]:
    """Generator -> verifier -> figures: each generator's samples under the scores that each verifier gave them.

    `rules`: how each verifier's scores are cut; a generator without scores of a verifier has no cell. On the diagonal,
    where a model judges itself, stands the self-improvement gap; elsewhere the cross-improvement one.
    Raises `UserError` for a quantile of a verifier whose scores of all generators are two values.
    """
    for verifier, rule in rules.items():
        _require_shares(
            [each.scores[verifier] for each in generators.values() if verifier in each.scores], verifier, rule
        )
    return {
        name: _estimated(
            {
                verifier: _cell(samples, verifier, rule)
                for verifier, rule in rules.items()
                if verifier in samples.scores
            },
            seed,
            resamples,
        )
        for name, samples in generators.items()
    }


def grid_of(samples: Samples, score: str, kind: WeightingType) -> list[float]:
    """Cuts worth looking at, without those that keep all and so have no gap to show.

    Of thresholds the scores themselves, or some 20 evenly over the samples where there are more.
    Raises `UserError` for a score that is always missing, or that the kind can't cut.
    """
    scores = samples.scores[score]
    known = np.unique(scores[np.isfinite(scores)])
    if not known.size:
        raise UserError(f"--score: {score} is missing of every sample; give another")
    if kind == "Quantile":
        return list(_QUANTILES)
    if kind == "TopK":
        most = int(np.bincount(samples.prompt).max())
        return [float(k) for k in (range(1, max(most, 2)) if most <= POINTS else _doubling(most - 1))]
    if kind == "Softmax":
        spread = min(float(known[-1]) - float(known[0]), float_info.max / (2 * _BETAS[-1]))
        if not spread:
            raise UserError(f"--weighting: Softmax weighs alike what scores alike, and {score} is {known[0]:g} always")
        return [float(f"{beta * spread:.3g}") for beta in _BETAS]
    if known.size > POINTS:
        places = np.linspace(0, 1, POINTS)
        known = np.unique(np.quantile(scores[np.isfinite(scores)], places, method="lower"))
    return [float(each) for each in (known[1:] if known.size > 1 else known)]


def _require_shares(scores: Sequence[Floats], verifier: str, rule: Weighting) -> None:
    if rule.type != "Quantile" or not scores:
        return
    threshold = "weighting {{type: Threshold, threshold: {:g}}}"
    known = np.concatenate(scores)
    if len(np.unique(known[np.isfinite(known)])) < 2:
        return  # a verifier that says the same of every sample has a gap of 0, which its cell shows
    if wrong := weighting.no_shares({verifier: known}, threshold):
        raise UserError(f"verifiers: {wrong}")


def _columns(samples: Samples, score: str, rule: Weighting) -> dict[str, Floats]:
    weight = weighting.weights(rule, samples.scores[score], samples.prompt, len(samples.ids))
    found = columns(Table(samples.ids, samples.prompt, samples.utility, weight=weight))
    if "gap" in found:
        found["filtered"] = found["accuracy"] + found["gap"]
    return found


def _cell(samples: Samples, verifier: str, rule: Weighting) -> dict[str, Floats]:
    """[P] Each figure of each prompt. Where nothing was scored there is no gap: a 0 would be taken for one."""
    known = np.isfinite(samples.scores[verifier])
    unscored = {UNSCORED: 1 - np.bincount(samples.prompt, known) / np.bincount(samples.prompt)}
    return {**_columns(samples, verifier, rule), **_mass(samples, verifier), **unscored} if known.any() else unscored


def _mass(samples: Samples, score: str) -> dict[str, Floats]:
    """[P] The mean label mass of each prompt, where the score reads labels."""
    mass = samples.mass.get(score)
    return {} if mass is None else {MASS: mean_mass(mass, samples.prompt, len(samples.ids))}


def _estimated(
    cells: Mapping[str, Mapping[str, Floats]], seed: int, resamples: int
) -> dict[str, Mapping[str, Estimate]]:
    """The figures of every cell, drawn together."""
    flat, ranges = {}, {}
    for cell, found in cells.items():
        limits = ranges_of(found)
        for name in _IN_ALL:
            if name in found:
                flat[f"{name} {cell}"] = found[name]
                ranges[f"{name} {cell}"] = limits.get(name, (0.0, 1.0))
    measured = estimates(flat, seed=seed, resamples=resamples, ranges=ranges)
    return {
        cell: {name: each for name in _IN_ALL if (each := measured.get(f"{name} {cell}")) is not None} for cell in cells
    }


def _doubling(most: int) -> list[int]:
    return sorted({*(1 << i for i in range(most.bit_length())), most})
