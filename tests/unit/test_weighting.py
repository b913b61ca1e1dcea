"""What each weighting keeps, and that a missing score is never taken for a low one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from selfimprove.api.selecting import Weighting
from selfimprove.weighting import accepts, cap, combine_all, missing, normalise, weights

NAN = float("nan")
THRESHOLD = Weighting(type="Threshold", threshold=0.5)
QUANTILE = Weighting(type="Quantile", quantile=0.7)
SOFTMAX = Weighting(type="Softmax", beta=0.5)
TOP_2 = Weighting(type="TopK", k=2)
ALL = [THRESHOLD, QUANTILE, SOFTMAX, TOP_2]


def of_one_prompt(weighting: Weighting, *scores: float) -> list[float]:
    array = np.array(scores)
    return weights(weighting, array, np.zeros(len(array), dtype=np.int64), 1).tolist()


def test_a_threshold_keeps_scores_at_or_above_it():
    assert of_one_prompt(THRESHOLD, 0.49, 0.5, 0.9) == [0, 1, 1]


def test_a_threshold_is_the_same_for_every_prompt_and_may_keep_nothing():
    kept = weights(THRESHOLD, np.array([0.9, 0.1, 0.2]), np.array([0, 1, 1]), 2)
    assert kept.tolist() == [1, 0, 0]


def test_a_quantile_of_seven_tenths_keeps_the_best_three_of_eight():
    assert of_one_prompt(QUANTILE, 1, 2, 3, 4, 5, 6, 7, 8) == [0, 0, 0, 0, 0, 1, 1, 1]


def test_a_quantile_keeps_all_that_tie_at_the_cut():
    assert of_one_prompt(QUANTILE, 1, 1, 9, 9, 9, 9, 9, 9) == [0, 0, 1, 1, 1, 1, 1, 1]


def test_a_quantile_is_of_each_prompt_s_own_scores():
    kept = weights(QUANTILE, np.array([1.0, 100.0, 2.0, 200.0]), np.array([0, 1, 0, 1]), 2)
    assert kept.tolist() == [0, 0, 1, 1]


def test_a_quantile_of_zero_keeps_every_known_score():
    assert of_one_prompt(Weighting(type="Quantile", quantile=0.0), 3, NAN, 1) == [1, 0, 1]


def test_a_softmax_weighs_by_the_exponential_of_the_score():
    found = of_one_prompt(SOFTMAX, 1.0, 2.0)
    assert found[0] / found[1] == pytest.approx(np.exp(-1.0 / 0.5))


def test_a_softmax_survives_scores_whose_exponential_would_not():
    assert of_one_prompt(SOFTMAX, -2000.0, -2000.0, -9000.0) == [1, 1, 0]
    assert of_one_prompt(SOFTMAX, -np.inf, 0.0) == [0, 1]
    assert of_one_prompt(SOFTMAX, -np.inf, -np.inf) == [1, 1]


def test_top_k_keeps_the_k_highest():
    assert of_one_prompt(TOP_2, 1, 4, 3, 2) == [0, 1, 1, 0]


def test_top_k_lets_ties_share_the_places_that_are_left():
    assert of_one_prompt(TOP_2, 9, 5, 5, 5, 1) == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])


def test_top_k_keeps_all_of_a_prompt_with_fewer_samples():
    assert of_one_prompt(TOP_2, 7.0) == [1]


@pytest.mark.parametrize("weighting", ALL, ids=lambda weighting: weighting.type)
def test_a_missing_score_weighs_nothing_and_changes_no_other_weight(weighting: Weighting):
    with_missing = of_one_prompt(weighting, 0.2, NAN, 0.9, 0.6, NAN)
    assert with_missing == [*of_one_prompt(weighting, 0.2, 0.9, 0.6)[:1], 0, *with_missing[2:4], 0]
    assert with_missing[2:4] == of_one_prompt(weighting, 0.2, 0.9, 0.6)[1:]


@pytest.mark.parametrize("weighting", ALL, ids=lambda weighting: weighting.type)
def test_a_prompt_whose_scores_are_all_missing_keeps_nothing_and_hurts_no_other(weighting: Weighting):
    scores, prompt = np.array([NAN, 0.9, NAN, 0.1]), np.array([0, 1, 0, 1])
    alone = weights(weighting, np.array([0.9, 0.1]), np.array([0, 0]), 1)
    assert weights(weighting, scores, prompt, 2).tolist() == [0, alone[0], 0, alone[1]]


@pytest.mark.parametrize("weighting", ALL, ids=lambda weighting: weighting.type)
def test_no_samples_have_no_weights(weighting: Weighting):
    assert weights(weighting, np.empty(0), np.empty(0, dtype=np.int64), 0).shape == (0,)


@pytest.mark.parametrize("kind", ["Threshold", "Quantile", "Softmax", "TopK"])
def test_a_weighting_without_its_parameter_is_refused(kind: str):
    with pytest.raises(ValueError, match="it is not set, and this weighting needs it"):
        weights(Weighting.model_validate({"type": kind}), np.array([1.0]), np.array([0]), 1)


some_scores = arrays(np.float64, st.integers(1, 30), elements=st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0, NAN]))


@pytest.mark.parametrize("weighting", ALL, ids=lambda weighting: weighting.type)
@given(scores=some_scores, data=st.data())
def test_the_order_of_samples_changes_no_weight(weighting: Weighting, scores: np.ndarray, data: st.DataObject):
    prompt = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores))))
    order = np.array(data.draw(st.permutations(range(len(scores)))))
    straight = weights(weighting, scores, prompt, 4)
    assert np.allclose(weights(weighting, scores[order], prompt[order], 4), straight[order], atol=1e-12)


@pytest.mark.parametrize("weighting", [QUANTILE, SOFTMAX, TOP_2], ids=lambda weighting: weighting.type)
@given(scores=some_scores, data=st.data())
def test_a_relative_weighting_is_that_of_each_prompt_alone(
    weighting: Weighting, scores: np.ndarray, data: st.DataObject
):
    prompt = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores))))
    together = weights(weighting, scores, prompt, 4)
    for x in range(4):
        mine = prompt == x
        assert np.allclose(together[mine], of_one_prompt(weighting, *scores[mine]), atol=1e-12)


@given(
    scores=arrays(np.float64, st.integers(1, 40), elements=st.floats(-5, 5), unique=True),
    quantile=st.floats(0, 0.99),
)
def test_a_quantile_keeps_what_numpy_s_own_quantile_keeps(scores: np.ndarray, quantile: float):
    place = quantile * (len(scores) - 1)
    cut = np.sort(scores)[int(np.ceil(place - 1e-9))]
    kept = np.array(of_one_prompt(Weighting(type="Quantile", quantile=quantile), *scores)) == 1
    assert (kept == (scores >= cut)).all()
    if abs(place - round(place)) > 1e-6:
        assert (kept == (scores >= np.quantile(scores, quantile))).all()


@given(scores=some_scores, k=st.integers(1, 40))
def test_top_k_gives_away_k_places_or_as_many_as_there_are_scores(scores: np.ndarray, k: int):
    known = int((~np.isnan(scores)).sum())
    assert sum(of_one_prompt(Weighting(type="TopK", k=k), *scores)) == pytest.approx(min(k, known))


def test_only_a_threshold_accepts_and_a_missing_score_is_not_accepted():
    scores = np.array([0.4, 0.5, NAN])
    passed = accepts(THRESHOLD, scores)
    assert passed is not None
    assert passed.tolist() == [False, True, False]
    assert [accepts(each, scores) for each in (QUANTILE, SOFTMAX, TOP_2)] == [None, None, None]


def test_filters_together_are_their_logical_and():
    first, second = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
    assert combine_all([first, second]).tolist() == [1, 0, 0, 0]


@given(filters=arrays(np.float64, st.integers(0, 20), elements=st.sampled_from([0.0, 0.25, 1.0])))
def test_the_and_of_one_method_is_that_method(filters: np.ndarray):
    assert (combine_all([filters]) == filters).all()


def test_normalised_weights_sum_to_one_in_every_prompt_that_keeps_something():
    weight = normalise(np.array([2.0, 0.0, 6.0, 0.0]), np.array([0, 1, 0, 1]), 2)
    assert weight.tolist() == [0.25, 0, 0.75, 0]


def test_a_cap_keeps_the_heaviest_of_each_prompt():
    weight = cap(np.array([0.1, 0.9, 0.5, 0.7]), np.array([0, 0, 0, 1]), 2, np.arange(4))
    assert weight.tolist() == [0, 0.9, 0.5, 0.7]


def test_a_cap_chooses_among_equals_by_the_given_order():
    weight = cap(np.ones(4), np.zeros(4, dtype=np.int64), 2, np.array([3, 1, 2, 0]))
    assert weight.tolist() == [0, 1, 0, 1]


def test_missing_scores_are_counted():
    assert missing(np.array([0.0, NAN, 1.0, NAN])) == 2
