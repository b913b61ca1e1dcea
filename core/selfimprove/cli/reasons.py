"""Why verification let go of a sample: which method's cut, and its score against it.

`select` keeps a word for each sample. What it means is in the scores of the whole prompt and in the spec, so the
sentence is made here, for runs that are done as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from selfimprove.api.defaults import verification_of
from selfimprove.api.selecting import Weighting
from selfimprove.api.spec import Spec
from selfimprove.weighting import Floats, weights

FILTERED = "not accepted"
"""What a decision says of a sample that some method's weighting gave no weight."""
GROUND_TRUTH = "GroundTruth"
"""Its score is the verdict again: to such a sample "not accepted" says all there is."""


def with_reasons(spec: Spec, samples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All samples of one prompt, the filtered plain ones with the methods that filtered them in their `reason`."""
    plain = [place for place, sample in enumerate(samples) if not sample["strategy"]]
    said = _sentences(spec, [samples[place]["scores"] for place in plain])
    found = {place: "; ".join(each) for place, each in zip(plain, said, strict=True) if each}
    return [
        {**sample, "reason": found[place]} if sample.get("reason") == FILTERED and place in found else sample
        for place, sample in enumerate(samples)
    ]


def _sentences(spec: Spec, scores: Sequence[Mapping[str, float | None]]) -> list[list[str]]:
    """For each plain sample of a prompt what each method that filtered it says."""
    said: list[list[str]] = [[] for _ in scores]
    for name, weighting in _filters(spec):
        for place, sentence in _cut(name, weighting, np.array([_number(each.get(name)) for each in scores])):
            said[place].append(sentence)
    return said


def _filters(spec: Spec) -> Iterator[tuple[str, Weighting]]:
    """Every method's weighting, under the name that its scores carry."""
    for method in verification_of(spec.dataset, spec.verification).methods:
        if method.weighting is not None:
            yield (GROUND_TRUTH if method.type == GROUND_TRUTH else method.name or method.type), method.weighting


def _cut(name: str, weighting: Weighting, scores: Floats) -> Iterator[tuple[int, str]]:
    """The places of the samples that a method filtered, each with why."""
    weight = weights(weighting, scores, np.zeros(len(scores), np.int64), 1)
    lowest = float(scores[weight > 0].min(initial=np.inf))
    for place in np.flatnonzero((weight <= 0) & np.isfinite(scores)):
        sentence = FILTERED
        if name != GROUND_TRUTH:
            bar = weighting.threshold if weighting.threshold is not None else lowest
            score, cut = _apart(float(scores[place]), bar)
            sentence = f"{name} {score} {_WORDS[weighting.type](weighting, cut)}"
        yield int(place), sentence


_WORDS: dict[str, Callable[[Weighting, str], str]] = {
    "Threshold": lambda weighting, cut: f"is below the threshold {cut}",
    "Quantile": lambda weighting, cut: f"is below {cut}, its prompt's {weighting.quantile:g} quantile",
    "TopK": lambda weighting, cut: f"is not among its prompt's {weighting.k} highest, from {cut} up",
    "Softmax": lambda weighting, cut: f"is so far below its prompt's highest that beta {weighting.beta:g} leaves 0",
}


def _apart(score: float, cut: float) -> tuple[str, str]:
    """Both numbers with three digits, or with as many as it takes to see that they differ."""
    shown = ((f"{score:.{digits}g}", f"{cut:.{digits}g}") for digits in range(3, 18))
    return next(pair for pair in shown if pair[0] != pair[1])


def _number(score: float | None) -> float:
    return np.nan if score is None else score
