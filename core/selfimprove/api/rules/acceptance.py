"""Rules about what a score can say: which cuts make sense on it, and whether anything is ever accepted."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from selfimprove.api.asking import RANGE
from selfimprove.api.defaults import cuts_of
from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.rules.methods import RELATIVE, common_weighting, goes_up, methods_of
from selfimprove.api.selecting import Method, MethodType
from selfimprove.api.sound import known
from selfimprove.api.spec import Spec

_SCORES: dict[MethodType, tuple[float, float]] = {
    "GroundTruth": (0, 1),
    "CoTBinary": (0, 1),
    "MultipleChoice": (0, 1),
    "MajorityVote": (0, 1),
    "Likelihood": (-inf, 0),
}
"""Lowest and highest score of each method that has such."""
_RANKS = (0.0, 1.0)
"""Lowest and highest mean of ranks within a prompt, which Mean and Weighted cut."""


def is_zero_or_one(method: Method) -> bool:
    """Whether a method's scores are but two: a critique's verdict is, the share of several votes is not."""
    return method.type == "GroundTruth" or (method.type == "CoTBinary" and method.votes == 1)


@each(methods_of)
def no_ranks_of_two_values(field: str, method: Method) -> Found:
    """A share of every prompt cut from scores that are 0 or 1 keeps wrong samples, or all."""
    weighting = method.weighting
    if weighting and weighting.type in ("Quantile", "TopK") and is_zero_or_one(method):
        yield Problem(
            f"{field}.weighting.type",
            f"{weighting.type} can't rank {method.type} scores, which are 0 or 1; "
            "give {type: Threshold, threshold: 1}",
        )


def no_common_ranks_of_two_values(spec: Spec) -> Found:
    """The same of the one weighting under which a single method is combined."""
    common, methods = common_weighting(spec), [method for _, method in methods_of(spec)]
    if common and common.type in ("Quantile", "TopK") and len(methods) == 1 and is_zero_or_one(methods[0]):
        yield Problem(
            "verification.weighting.type",
            f"{common.type} can't rank {methods[0].type} scores, which are 0 or 1; "
            "give combine All, and the method {type: Threshold, threshold: 1}",
        )


def thresholds(spec: Spec) -> Found:
    """A threshold lies where some scores pass and some do not."""
    for field, method in methods_of(spec):
        yield _own_cut(f"{field}.weighting.threshold", method, spec)
    common = common_weighting(spec)
    if common and common.type == "Threshold" and common.threshold is not None:
        yield from _outside("verification.weighting.threshold", common.threshold, _RANKS, "combined rank")


def accept_threshold(spec: Spec) -> Found:
    """The same for the one that resampling accepts by, where one method gives the scores."""
    threshold, methods = spec.resampling.accept_threshold, methods_of(spec)
    if threshold is not None and len(methods) == 1:
        yield from _cut("resampling.acceptThreshold", threshold, methods[0][1], spec)


def resampling_needs_acceptance(spec: Spec) -> Found:
    """The tail is what has too few accepted samples, and ranks accept nothing (design section 2)."""
    strategy = spec.resampling.strategy
    if strategy == "None" or spec.resampling.accept_threshold is not None:
        return
    cuts = cuts_of(spec.dataset, spec.verification)
    types = {cut.type for _, cut in cuts if cut}
    if any(method.type == "GroundTruth" for method, _ in cuts) or "Threshold" in types:
        return
    ranks = " and ".join(kind for kind in RELATIVE if kind in types) or "verification.combine"
    yield Problem(
        "resampling.strategy",
        f"{strategy} samples again what is not accepted, and {ranks} only ranks; give resampling.acceptThreshold, or "
        "a method with a Threshold",
    )


def target_in_reach(spec: Spec) -> Found:
    """As many samples as are wanted accepted must be drawn at all."""
    resampling, plain = spec.resampling, spec.generation.samples_per_prompt
    guided = resampling.max_rounds * resampling.samples_per_round
    if resampling.strategy != "None" and resampling.target > plain + guided:
        yield Problem(
            "resampling.target",
            f"{resampling.target} is more than a prompt's {plain} plain and {guided} guided samples; give at most "
            f"{plain + guided}",
        )


def ground_truth_needs_answers(spec: Spec) -> Found:
    """Ground truth is in the dataset or nowhere."""
    if has_answers(spec):
        return
    for field, method in methods_of(spec):
        if known(method, "type") == "GroundTruth":
            yield Problem(f"{field}.type", "GroundTruth needs answers to check against; give dataset.fields.answer")


RULES: tuple[Rule, ...] = (
    no_ranks_of_two_values,
    no_common_ranks_of_two_values,
    thresholds,
    accept_threshold,
    resampling_needs_acceptance,
    target_in_reach,
    ground_truth_needs_answers,
)


def has_answers(spec: Spec) -> bool:
    """Whether gold answers are known: mapped, or a gym's own."""
    return spec.dataset.task == "Gym" or spec.dataset.fields.answer is not None


def _own_cut(field: str, method: Method, spec: Spec) -> Found:
    weighting = method.weighting
    if weighting and weighting.type == "Threshold" and weighting.threshold is not None:
        yield from _cut(field, weighting.threshold, method, spec)


def _cut(field: str, threshold: float, method: Method, spec: Spec) -> Iterator[Problem]:
    ends = _ends(method, spec)
    if goes_up(ends):
        yield from _outside(field, threshold, ends, f"{method.type} score")


def _outside(field: str, threshold: float, ends: tuple[float, float], what: str) -> Iterator[Problem]:
    low, high = ends
    if threshold > high:
        yield Problem(field, f"{threshold:g} is above {high:g}, the highest {what}: nothing could pass; give less")
    elif threshold <= low:
        yield Problem(field, f"{threshold:g} lets every {what} pass; give more than {low:g}")


def _ends(method: Method, spec: Spec) -> tuple[float, float]:
    """The lowest and the highest score that a method can give."""
    if method.type == "CoTScore":
        low, high = method.range or RANGE
        return low, high
    if method.type == "Tournament":
        return 0, (spec.generation.samples_per_prompt - 1).bit_length()
    return _SCORES[method.type]
