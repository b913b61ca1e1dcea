"""Weights and acceptance as a spec's verification asks for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from selfimprove.api.selecting import Verification
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove.filtering import methods_of, weigh
from selfimprove_workers.judging import absolute_rules, accepted, missing

NAN = float("nan")
MC = {"type": "MultipleChoice"}
GROUND_TRUTH = {"type": "GroundTruth"}
WHOLE = np.zeros(4, dtype=bool)


def spec(*methods: dict[str, Any], **settings: Any) -> Spec:
    return Spec.model_validate(
        {
            "model": {"uri": "file:///m"},
            "dataset": {"uri": "file:///d", "task": "Math", "fields": {"answer": "answer"}},
            "verification": {"methods": list(methods)} if methods else None,
            **settings,
        }
    )


def test_a_dataset_with_answers_is_judged_by_them_when_nothing_is_said() -> None:
    assert list(methods_of(spec())) == ["GroundTruth"]


def test_methods_are_known_by_their_names_and_the_truth_by_its_own() -> None:
    named = spec({**MC, "name": "judge"}, {**GROUND_TRUTH, "name": "gold"})
    assert list(methods_of(named)) == ["judge", "GroundTruth"]


def test_no_other_method_may_take_the_name_of_the_truth() -> None:
    with pytest.raises(UserError, match="a Likelihood can't be named GroundTruth"):
        methods_of(spec({"type": "Likelihood", "name": "GroundTruth"}))


def test_several_filters_meet_in_a_logical_and() -> None:
    scores = {"GroundTruth": np.array([1.0, 1, 0, NAN]), "MultipleChoice": np.array([0.9, 0.1, 0.95, 0.99])}
    both = spec(GROUND_TRUTH, {**MC, "weighting": {"type": "Threshold", "threshold": 0.5}})
    assert_array_equal(weigh(both, scores, np.zeros(4, np.int64), 1), [1, 0, 0, 0])
    assert_array_equal(missing(both, scores), [False, False, False, True])


def under(combine: str, *methods: dict[str, Any], **weighting: Any) -> Spec:
    return spec().model_copy(
        update={
            "verification": Verification.model_validate(
                {"methods": list(methods), "combine": combine, "weighting": weighting}
            )
        }
    )


def test_scores_of_two_scales_meet_in_their_ranks_under_mean() -> None:
    scores = {"MultipleChoice": np.array([0.2, 0.9, 0.4, 0.8]), "Likelihood": np.array([-9.0, -8.0, -2.0, -1.0])}
    best = under("Mean", MC, {"type": "Likelihood"}, type="TopK", k=1)
    assert_array_equal(weigh(best, scores, np.zeros(4, np.int64), 1), [0, 0, 0, 1])  # ranks 2/3 and 1
    assert_array_equal(missing(best, {**scores, "Likelihood": np.array([NAN, 1, 2, 3])}), [True, False, False, False])


def test_weighted_ranks_heed_one_method_more_than_another() -> None:
    scores = {"MultipleChoice": np.array([0.2, 0.9, 0.4, 0.8]), "Likelihood": np.array([-9.0, -8.0, -1.0, -2.0])}
    heeded = under("Weighted", {**MC, "weight": 9}, {"type": "Likelihood"}, type="TopK", k=1)
    assert_array_equal(weigh(heeded, scores, np.zeros(4, np.int64), 1), [0, 1, 0, 0])


def test_a_threshold_on_ranks_is_relative_and_accepts_nothing() -> None:
    ranked = under("Mean", MC, {"type": "Likelihood"}, type="Threshold", threshold=0.5)
    assert absolute_rules(ranked) == {}


def test_a_quantile_accepts_nothing() -> None:
    assert absolute_rules(spec(MC)) == {}
    assert accepted(spec(MC), {"MultipleChoice": np.ones(4)}, WHOLE) is None


def test_an_accept_threshold_stands_in_for_a_relative_weighting() -> None:
    floor = spec(MC, resampling={"acceptThreshold": 0.8})
    found = accepted(floor, {"MultipleChoice": np.array([0.7, 0.8, NAN, 0.9])}, WHOLE)
    assert_array_equal(found, [False, True, False, True])


def test_a_threshold_of_its_own_is_not_replaced_by_the_accept_threshold() -> None:
    own = spec({**MC, "weighting": {"type": "Threshold", "threshold": 0.95}}, resampling={"acceptThreshold": 0.1})
    assert_array_equal(accepted(own, {"MultipleChoice": np.array([0.9, 0.96])}, WHOLE[:2]), [False, True])


def test_every_absolute_rule_must_pass() -> None:
    both = spec(GROUND_TRUTH, {**MC, "weighting": {"type": "Threshold", "threshold": 0.5}})
    scores = {"GroundTruth": np.array([1.0, 1, 0, NAN]), "MultipleChoice": np.array([0.9, 0.1, 0.9, 0.9])}
    assert_array_equal(accepted(both, scores, WHOLE), [True, False, False, False])


def test_a_sample_cut_by_length_is_accepted_only_when_that_is_asked_for() -> None:
    scores, cut = {"GroundTruth": np.ones(2)}, np.array([True, False])
    assert_array_equal(accepted(spec(), scores, cut), [False, True])
    assert_array_equal(accepted(spec(selection={"acceptTruncated": True}), scores, cut), [True, True])
