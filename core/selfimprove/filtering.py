"""A spec's verification methods by the name that their rows carry, and how their scores become weights together."""

from __future__ import annotations

from collections.abc import Mapping

from selfimprove import weighting
from selfimprove.api.defaults import verification_of
from selfimprove.api.selecting import Method, Weighting
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove.weighting import Floats, Ints

GROUND_TRUTH = "GroundTruth"
"""The method column of the rows that carry the task's verdicts, whatever the methods are called."""


def methods_of(spec: Spec) -> dict[str, Method]:
    """The methods by the name that their rows carry, with every default in them."""
    return {score_name(method): method for method in verification_of(spec.dataset, spec.verification).methods}


def score_name(method: Method) -> str:
    """The name that a method's rows carry. Raises `UserError` where it would hide the task's verdicts."""
    if method.type == GROUND_TRUTH:
        return GROUND_TRUTH
    name = str(method.name or method.type)
    if name == GROUND_TRUTH:
        raise UserError(f"spec.verification.methods: a {method.type} can't be named {name}; choose another name")
    return name


def weigh(spec: Spec, scores: Mapping[str, Floats], prompt: Ints, prompts: int) -> Floats:
    """[n] The weight of each sample from its scores [n] by method; 0 where a filter drops it or a score is missing.

    Under All every method filters by itself; under Mean and Weighted one weighting reads the mean of their ranks.
    """
    verification = verification_of(spec.dataset, spec.verification)
    methods = methods_of(spec)
    if verification.combine == "All":
        filters = [weighting.weights(_set(m.weighting), scores[name], prompt, prompts) for name, m in methods.items()]
        return weighting.combine_all(filters)
    return weighting.weights(_set(verification.weighting), ranked(spec, scores, prompt, prompts), prompt, prompts)


def ranked(spec: Spec, scores: Mapping[str, Floats], prompt: Ints, prompts: int) -> Floats:
    """[n] What samples of one prompt are ordered by, 0 to 1: the mean of the methods' ranks there, by their weight.

    It is what the one filter of Mean and Weighted cuts, and of a single method the order of its own score. Under All,
    where no single score is cut, every method counts the same. NaN where any method has no score.
    """
    methods = methods_of(spec)
    shares = [method.weight for method in methods.values()]  # all 1 but under Weighted
    return weighting.combine_ranks([scores[name] for name in methods], prompt, prompts, shares)


def _set(weighting: Weighting | None) -> Weighting:
    assert weighting is not None  # defaults fill in each method's, and rules demand the common one
    return weighting
