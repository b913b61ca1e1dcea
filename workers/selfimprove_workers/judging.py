"""Scores to acceptance, as a spec's verification asks: the same in `resample`, `select` and `measure`.

Weights (`selfimprove.filtering`) come from every method's own weighting; acceptance only from rules that are absolute
(design section 2): a quantile keeps a share of every prompt, however bad all its samples are, and so accepts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from selfimprove.api.selecting import Method, Weighting
from selfimprove.api.spec import Spec
from selfimprove.filtering import GROUND_TRUTH, methods_of
from selfimprove.weighting import Bools, Floats, accepts

_CORRECT = Weighting(type="Threshold", threshold=1.0)


def absolute_rules(spec: Spec) -> dict[str, Weighting]:
    """The thresholds that make a sample accepted, by method name; empty when no rule of the spec is absolute.

    `resampling.acceptThreshold` stands in for the weighting of every method whose own is relative.
    """
    floor = spec.resampling.accept_threshold
    stand_in = None if floor is None else Weighting(type="Threshold", threshold=floor)
    rules = {name: _absolute(method) or stand_in for name, method in methods_of(spec).items()}
    return {name: rule for name, rule in rules.items() if rule}


def accepted(spec: Spec, scores: Mapping[str, Floats], truncated: Bools) -> Bools | None:
    """[n] Whether each sample passes every absolute rule that is set; None when none is.

    A sample cut by length never does, unless `selection.acceptTruncated`.
    """
    rules = absolute_rules(spec)
    if not rules:
        return None
    passes = np.ones(len(truncated), dtype=bool) if spec.selection.accept_truncated else ~truncated
    for name, rule in rules.items():
        passed = accepts(rule, scores[name])
        assert passed is not None  # no other rule is absolute
        passes &= passed
    return passes


def acceptance(spec: Spec, scores: Mapping[str, Floats], truncated: Bools) -> Floats | None:
    """[n] The same as measures read it, 1 or 0; NaN where the ground truth is a rule and no answer could be read."""
    passes = accepted(spec, scores, truncated)
    if passes is None:
        return None
    return np.where(unread(spec, scores), np.nan, passes)


def unread(spec: Spec, scores: Mapping[str, Floats]) -> Bools:
    """[n] Whether acceptance asks for the ground truth of a sample, and its prompt's answer can't be read."""
    found: Bools = np.isnan(scores[GROUND_TRUTH]) & (GROUND_TRUTH in absolute_rules(spec))
    return found


def missing(spec: Spec, scores: Mapping[str, Floats]) -> Bools:
    """[n] Whether any method that selects has no score for the sample."""
    absent: Bools = np.logical_or.reduce([np.isnan(scores[name]) for name in methods_of(spec)])
    return absent


def _absolute(method: Method) -> Weighting | None:
    if method.type == GROUND_TRUTH:
        return _CORRECT
    own = method.weighting
    return own if own and own.type == "Threshold" else None
