"""Weights and acceptance as a spec's verification asks for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from selfimprove.api.selecting import Verification
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove.filtering import methods_of, ranked, weigh
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


def test_samples_are_ordered_by_the_very_score_that_a_common_filter_cuts() -> None:
    """The first has the highest of both scores over all prompts, and the lowest of the one that counts of its own."""
    scores = {"MultipleChoice": np.array([0.9, 0.8, 0.1, 0.2]), "Likelihood": np.array([-2.0, -1.0, -8.0, -9.0])}
    prompt = np.array([0, 0, 1, 1])
    heeded = under("Weighted", MC, {"type": "Likelihood", "weight": 3}, type="Threshold", threshold=0.5)
    assert_allclose(ranked(heeded, scores, prompt, 2), [0.25, 0.75, 0.75, 0.25])
    assert_array_equal(weigh(heeded, scores, prompt, 2), [0, 1, 1, 0])


def test_one_method_orders_by_its_own_score_and_ensembles_of_filters_by_the_mean_of_ranks() -> None:
    scores = {"MultipleChoice": np.array([0.2, 0.9, NAN]), "Likelihood": np.array([-1.0, -1.0, -3.0])}
    assert_array_equal(ranked(spec(MC), scores, np.zeros(3, np.int64), 1), [0, 1, NAN])
    both = spec(MC, {"type": "Likelihood"})
    assert_array_equal(ranked(both, scores, np.zeros(3, np.int64), 1), [0.375, 0.875, NAN])


def test_ranks_that_tie_do_so_as_floats_too() -> None:
    """Of six samples the mean of 1/5 and 2/5 is 0.30000000000000004 to a float, and that of 0 and 3/5 is 0.3."""
    scores = {"MultipleChoice": np.array([1.0, 0, 2, 3, 4, 5]), "Likelihood": np.array([2.0, 3, 0, 1, 4, 5])}
    even = under("Mean", MC, {"type": "Likelihood"}, type="Quantile", quantile=0.6)
    assert_array_equal(ranked(even, scores, np.zeros(6, np.int64), 1)[:2], [0.3, 0.3])


def test_a_rank_right_at_the_threshold_is_kept() -> None:
    """Three times 3/5 and once 1/5 are 0.49999999999999994 to a float, a quarter of it."""
    scores = {"MultipleChoice": np.array([3.0, 0, 1, 2, 4, 5]), "Likelihood": np.array([1.0, 0, 2, 3, 4, 5])}
    heeded = under("Weighted", {**MC, "weight": 3}, {"type": "Likelihood"}, type="Threshold", threshold=0.5)
    assert_array_equal(weigh(heeded, scores, np.zeros(6, np.int64), 1), [1, 0, 0, 0, 1, 1])


CUTS = (
    {"type": "Threshold", "threshold": 0.5},
    {"type": "Quantile", "quantile": 0.6},
    {"type": "TopK", "k": 2},
)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20),
    st.sampled_from([("Mean", 1.0), ("Weighted", 0.01), ("Weighted", 0.3), ("Weighted", 7.0)]),
    st.sampled_from(CUTS),
)
def test_what_a_common_filter_keeps_stands_above_what_it_drops_in_every_prompt(
    samples: list[tuple[int, int, int]], share: tuple[str, float], cut: dict[str, Any]
) -> None:
    prompt, one, other = (np.array(each) for each in zip(*samples, strict=True))
    scores = {"MultipleChoice": one.astype(float), "Likelihood": other.astype(float)}
    combined = under(share[0], {**MC, "weight": share[1]}, {"type": "Likelihood"}, **cut)
    order, kept = ranked(combined, scores, prompt, 3), weigh(combined, scores, prompt, 3) > 0
    for each in np.unique(prompt):
        of = prompt == each
        assert order[of & kept].min(initial=2) > order[of & ~kept].max(initial=-1)


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
