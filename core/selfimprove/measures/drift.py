"""What each verifier of a run is worth on the training prompts, and how that changed since iteration 1, by prompt.

Paired: models differ less than prompts do, and a model that has mastered some prompts leaves harder ones to tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from selfimprove.measures.bootstrap import RESAMPLES, estimates
from selfimprove.measures.compare import paired_change
from selfimprove.measures.table import Floats, Ints
from selfimprove.measures.verifiers import auroc, mean_mass
from selfimprove.summaries import Estimate
from selfimprove.verifier_drift import AUROC, AUROC_CHANGE, CHANCE, MASS_CHANGE

MASS = "mass"
CHANGES = {AUROC: AUROC_CHANGE, MASS: MASS_CHANGE}

ByPrompt = Mapping[str, Mapping[str, Floats]]
"""Method -> `auroc` and `mass` -> [P], NaN where a prompt has none."""
First = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Iteration 1's: method -> `auroc` and `mass` -> prompt id -> value."""
Figures = dict[str, dict[str, Estimate]]
"""Method -> `auroc`, `aurocChange`, `mass`, `massChange`, those that could be had."""


def verifier_columns(score: Floats, mass: Floats, utility: Floats, prompt: Ints, prompts: int) -> dict[str, Floats]:
    """[P] AUROC and mean label mass of each prompt; `score`, `mass`, `utility`: [n], NaN where unknown."""
    return {AUROC: auroc(score, utility, prompt, prompts), MASS: mean_mass(mass, prompt, prompts)}


def verifier_figures(
    ids: Sequence[str], found: ByPrompt, first: First | None, *, seed: int, resamples: int = RESAMPLES
) -> Figures:
    """Each method's figures with their intervals, the changes against `first` where that is given and has the method.

    `ids`: [P] prompt ids. A change is over the prompts that have a value under both iterations.
    """
    figures: Figures = {}
    for method, columns in found.items():
        figures[method] = dict(estimates(columns, seed=seed, resamples=resamples))
        for name, before in (first or {}).get(method, {}).items():
            earlier = np.array([before.get(prompt, np.nan) for prompt in ids])
            if change := paired_change(columns[name] - earlier, seed=seed, resamples=resamples):
                figures[method][CHANGES[name]] = change
    return figures


def worst_figures(figures: Figures) -> dict[str, Estimate]:
    """Of each figure that VerifierDrift is judged by the method that stands worst, as `METHOD.figure`.

    Of AUROC one that is below chance with its whole interval, else the one whose interval begins lowest; of a change
    the largest drop, those first whose interval excludes 0.
    """
    worst = {}
    for name in (AUROC_CHANGE, MASS_CHANGE, AUROC):
        having = {method: each[name] for method, each in figures.items() if name in each}
        if having:
            method = min(having, key=lambda method: _badness(name, having[method]))
            worst[f"{method}.{name}"] = having[method]
    return worst


def _badness(name: str, estimate: Estimate) -> tuple[bool, bool, float, float]:
    """Lowest is worst."""
    if name == AUROC:
        is_no_worse = estimate.high is None or estimate.high >= CHANCE
        begins = estimate.value if estimate.low is None else estimate.low
        return estimate.low is None, is_no_worse, begins, estimate.value
    return False, estimate.high is None or estimate.high >= 0, estimate.value, estimate.value
