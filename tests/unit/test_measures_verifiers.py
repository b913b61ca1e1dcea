"""What verifiers are worth: identities, brute force, and intervals that hold."""

from __future__ import annotations

from itertools import product
from math import isnan

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfimprove.measures.ranking import mid_ranks, relative_ranks
from selfimprove.measures.verifiers import auroc, brier, calibration_error, not_probabilities, pearson, spearman
from selfimprove.weighting import combine_ranks

ONE = np.zeros(4, dtype=np.int64)
NAN = float("nan")

scored = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.25, 0.5, 1.0, NAN]), st.sampled_from([0.0, 1.0, NAN])),
    min_size=1,
    max_size=30,
)


@given(scored)
def test_auroc_is_the_share_of_pairs_in_order_ties_half(rows: list[tuple[int, float, float]]) -> None:
    prompt, score, utility = (np.array(column) for column in zip(*rows, strict=True))
    found = auroc(score, utility, prompt, 4)
    for place in range(4):
        mine = [(s, u) for p, s, u in rows if p == place and not isnan(s) and not isnan(u)]
        right, wrong = [s for s, u in mine if u == 1], [s for s, u in mine if u == 0]
        pairs = [(a > b) + 0.5 * (a == b) for a, b in product(right, wrong)]
        assert found[place] == pytest.approx(np.mean(pairs)) if pairs else isnan(found[place])


@given(scored)
def test_auroc_and_spearman_ask_for_no_scale(rows: list[tuple[int, float, float]]) -> None:
    prompt, score, utility = (np.array(column) for column in zip(*rows, strict=True))
    stretched = np.exp(3 * score) + 7
    np.testing.assert_allclose(auroc(score, utility, prompt, 4), auroc(stretched, utility, prompt, 4))
    other = np.arange(len(score), dtype=np.float64)
    np.testing.assert_allclose(spearman(score, other, prompt, 4), spearman(stretched, other, prompt, 4))


def test_a_verifier_that_only_knows_easy_prompts_is_at_chance() -> None:
    prompt = np.repeat([0, 1], 4)
    utility = np.array([1, 1, 1, 0, 0, 0, 0, 1.0])
    easy = np.array([0.9] * 4 + [0.1] * 4)
    assert auroc(easy, utility, prompt, 2).tolist() == [0.5, 0.5]


@given(
    st.lists(st.floats(-5, 5).map(lambda value: round(value, 3)), min_size=3, max_size=12), st.integers(0, 2**32 - 1)
)
def test_pearson_is_numpys_within_a_prompt(values: list[float], seed: int) -> None:
    one, other = np.array(values), np.random.default_rng(seed).normal(size=len(values))
    (found,) = pearson(one, other, np.zeros(len(values), dtype=np.int64), 1)
    if isnan(found):
        assert len(set(values)) == 1
    else:
        assert found == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-6)


def test_scores_that_do_not_vary_have_no_correlation_not_one_of_0() -> None:
    assert isnan(pearson(np.full(4, 0.1), np.arange(4.0), ONE, 1)[0])
    assert isnan(auroc(np.arange(4.0), np.ones(4), ONE, 1)[0])


def test_a_score_that_is_sure_and_right_is_calibrated_and_one_that_is_sure_and_wrong_is_not() -> None:
    utility = np.array([1.0, 0.0, 1.0, 0.0])
    prompt = np.array([0, 0, 1, 1])
    right = calibration_error(utility, utility, prompt)
    wrong = calibration_error(1 - utility, utility, prompt)
    assert right is not None and wrong is not None
    assert (right.value, wrong.value) == (0.0, 1.0)
    assert brier(utility, utility, prompt, 2).tolist() == [0.0, 0.0]
    assert brier(1 - utility, utility, prompt, 2).tolist() == [1.0, 1.0]


probabilities = st.one_of(st.floats(0, 1), st.integers(0, 15).map(lambda edge: edge / 15), st.just(NAN))


@given(st.lists(st.tuples(probabilities, st.sampled_from([0.0, 1.0, NAN])), min_size=1, max_size=40))
@example([(1.0, 0.0), (0.95, 1.0), (14 / 15, 1.0)])  # 1 is of the top bin, not of one by itself
def test_the_calibration_error_is_the_gap_of_each_fifteenth_weighted_by_its_samples(
    rows: list[tuple[float, float]],
) -> None:
    score, utility = (np.array(column) for column in zip(*rows, strict=True))
    known = [(s, u) for s, u in rows if not isnan(s) and not isnan(u)]
    error = 0.0
    for bin in range(15):
        mine = [(s, u) for s, u in known if bin <= s * 15 < bin + 1 or (bin == 14 and s == 1)]
        if mine:
            confidence, right = np.mean([s for s, _ in mine]), np.mean([u for _, u in mine])
            error += len(mine) / len(known) * abs(confidence - right)
    found = calibration_error(score, utility, np.arange(len(rows)))
    if found is None:
        assert not known
    else:
        assert (found.value, found.n) == (pytest.approx(error, abs=1e-12), len(known))


def test_the_calibration_error_claims_no_interval_since_chance_makes_a_calibrated_score_look_off() -> None:
    random, prompt = np.random.default_rng(3), np.repeat(np.arange(60), 8)
    score = random.random(480)
    found = calibration_error(score, (random.random(480) < score).astype(np.float64), prompt)
    assert found is not None
    assert (found.low, found.high, found.n) == (None, None, 60)
    assert 0.02 < found.value < 0.08


def test_calibration_is_asked_of_probabilities_only() -> None:
    assert not_probabilities(np.array([0.0, 1.0, NAN])) is None
    assert not_probabilities(np.array([0.5, 7.0])) == "7 is no probability, which goes from 0 to 1"
    assert not_probabilities(np.array([NAN])) == "every score is missing"


@given(st.integers(2, 12), st.floats(1e-3, 1e3))
def test_equal_scores_do_not_vary_whatever_rounding_leaves_of_them(samples: int, value: float) -> None:
    """A mean of equal numbers need not be that number: 3 x 0.1 / 3 is above 0.1."""
    place = np.zeros(samples, dtype=np.int64)
    assert isnan(pearson(np.full(samples, value), np.arange(float(samples)), place, 1)[0])


def test_scores_that_differ_by_little_still_vary() -> None:
    little = 1 + np.array([0, 1, 2, 3]) * 1e-5
    assert pearson(little, np.arange(4.0), ONE, 1)[0] == pytest.approx(1, abs=1e-6)


def test_equal_values_share_the_mean_of_their_places() -> None:
    assert mid_ranks(np.array([3.0, 1.0, 3.0, 2.0]), ONE).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_ranks_go_from_0_to_1_within_a_prompt_and_a_missing_score_has_none() -> None:
    prompt = np.array([0, 1, 0, 1, 0, 2])
    found = relative_ranks(np.array([5.0, 1.0, 9.0, NAN, 7.0, 3.0]), prompt, 3)
    assert found[[0, 2, 4]].tolist() == [0.0, 1.0, 0.5]
    assert (found[1], found[5]) == (0.5, 0.5)
    assert isnan(found[3])


def test_scores_of_two_scales_meet_in_their_ranks() -> None:
    probability, marks = np.array([0.2, 0.9, 0.4, 0.1]), np.array([4.0, 10.0, 9.0, 1.0])
    assert combine_ranks([probability, marks], ONE, 1).tolist() == pytest.approx([1 / 3, 1.0, 2 / 3, 0.0])
    assert isnan(combine_ranks([probability, np.array([NAN, 1, 2, 3])], ONE, 1)[0])
    assert combine_ranks([probability, -probability], ONE, 1, [3, 1])[1] == 0.75


def test_auroc_s_interval_covers_the_truth_in_92_to_98_percent_of_worlds() -> None:
    from selfimprove.measures import estimates

    random, hits, worlds = np.random.default_rng(5), 0, 300
    prompt = np.repeat(np.arange(60), 8)
    for world in range(worlds):
        utility = (random.random(480) < 0.5).astype(np.float64)
        score = random.normal(size=480) + utility  # AUROC = Phi(1 / sqrt 2) = 0.7602
        found = estimates({"auroc": auroc(score, utility, prompt, 60)}, seed=world, resamples=500)["auroc"]
        hits += (found.low or 0) <= 0.76025 <= (found.high or 1)
    assert 0.92 <= hits / worlds <= 0.98
