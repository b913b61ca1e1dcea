"""How unequally prompts are served, how difficult they are, and by how much a tail rises when nothing changed."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.measures import (
    Difficulty,
    Table,
    control_line,
    counts_of,
    difficulty_of,
    divergence,
    gini,
    hard_share,
    hard_share_change,
    levels_of,
    rate_estimate,
    spread_of,
    table_of,
)
from selfimprove.measures.difficulty import steps_of
from selfimprove.measures.spread import edges
from selfimprove.measures.table import Floats, Ints
from selfimprove.telemetry import QUANTILES, Yield

SEED = 3
NAN = float("nan")
counts = st.lists(st.integers(0, 20), min_size=1, max_size=30).map(lambda found: np.array(found, dtype=np.int64))
positive = counts.filter(lambda found: bool(found.any()))


def ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def rates(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def table(utilities: list[list[int]]) -> Table:
    ids = [f"p{i:03d}" for i, u in enumerate(utilities) for _ in u]
    return table_of(ids, [float(each) for row in utilities for each in row])


def levels(*names: str | None) -> Difficulty:
    found = difficulty_of(names, [None] * len(names), np.full(len(names), NAN))
    assert found is not None
    return found


class TestConcentration:
    @given(st.integers(1, 9), st.integers(1, 40))
    def test_equal_counts_have_neither_gini_nor_divergence(self, count: int, prompts: int):
        found = counts_of(np.full(prompts, count, dtype=np.int64))
        assert (found.gini, found.divergence) == (0, 0)

    @given(st.integers(1, 9), st.integers(2, 40))
    def test_where_one_prompt_has_all_both_are_at_their_most(self, count: int, prompts: int):
        found = counts_of(ints(count, *[0] * (prompts - 1)))
        assert found.gini == pytest.approx((prompts - 1) / prompts)
        assert found.divergence == pytest.approx(log2(prompts))

    @given(positive)
    def test_both_stay_within_their_bounds_and_no_order_of_prompts_matters(self, found: Ints):
        one, other = counts_of(found), counts_of(found[::-1])
        assert one.gini is not None and one.divergence is not None and other.divergence is not None
        assert 0 <= one.gini < 1
        assert 0 <= one.divergence <= log2(len(found)) + 1e-9
        assert (other.gini, other.divergence) == (pytest.approx(one.gini), pytest.approx(one.divergence))

    @given(positive, st.integers(2, 5))
    def test_more_of_the_same_is_as_unequal(self, found: Ints, times: int):
        assert gini(found * times) == pytest.approx(gini(found))
        assert divergence(found * times, found) == pytest.approx(0, abs=1e-12)

    @given(counts)
    def test_every_prompt_stands_in_the_histogram_once(self, found: Ints):
        histogram = counts_of(found).histogram
        assert sum(histogram) == len(found)
        assert sum(i * prompts for i, prompts in enumerate(histogram)) == found.sum()

    def test_nothing_is_neither_equal_nor_unequal(self):
        assert counts_of(ints(0, 0)).to_json() == {"histogram": [2]}

    def test_a_divergence_from_what_lacks_something_is_refused(self):
        with pytest.raises(ValueError, match="reference: has none of what counts has"):
            divergence(ints(1, 1), ints(1, 0))
        with pytest.raises(ValueError, match="nothing was counted"):
            divergence(ints(0, 0), ints(1, 1))


class TestDifficulty:
    def test_levels_with_a_number_go_by_it(self):
        found = levels("Level 10", "Level 2", None, "Level 1")
        assert found.names == ("Level 1", "Level 2", "Level 10")
        assert found.level.tolist() == [2, 1, -1, 0]

    def test_words_go_by_how_often_the_base_model_is_right(self):
        found = difficulty_of(["hard", "easy", "hard", "medium"], [None] * 4, rates(0, 0.9, 0.2, 0.5))
        assert found is not None
        assert (found.basis, found.names, found.hard) == ("Dataset", ("easy", "medium", "hard"), ("hard",))

    def test_words_of_which_nothing_is_known_have_no_hard_ones(self):
        found = levels("algebra", "geometry")
        assert (found.hard, found.is_hard.tolist()) == ((), [False, False])

    def test_the_hard_levels_hold_at_most_half_of_the_prompts_but_there_is_always_one(self):
        math = levels(*["1"] * 75, *["2"] * 179, *["3"] * 211, *["4"] * 225, *["5"] * 306)
        assert math.hard == ("5",)
        assert levels(*"1122334455").hard == ("4", "5")
        assert levels(*"12222").hard == ("2",)

    def test_without_levels_the_steps_of_the_reference_tell(self):
        found = difficulty_of([None] * 3, ["a\nb\n\nc", "a\nb", None], rates(1, 0, 0.5))
        assert found is not None
        assert (found.basis, found.names, found.level.tolist()) == ("ReferenceSteps", ("2", "3"), [1, 0, -1])

    def test_references_of_one_line_have_sentences_for_steps(self):
        assert steps_of(["He has 3.5. So 7! Done", "One", None]).tolist() == [3, 1, 0]

    def test_the_line_of_the_answer_is_no_step(self):
        assert steps_of(["a\nb\n#### 72", "a\nb", "#### 72"]).tolist() == [2, 2, 1]
        assert steps_of(["One. Two.\n#### 72", "One.\n#### 1,000\n"]).tolist() == [2, 1]

    def test_many_numbers_are_joined_into_bands_of_equal_prompts(self):
        found = levels(*map(str, range(100)))
        assert found.names == ("0 to 19", "20 to 39", "40 to 59", "60 to 79", "80 to 99")
        assert found.prompts.tolist() == [20] * 5

    def test_without_either_the_quintiles_of_the_base_models_pass_rate_tell(self):
        found = difficulty_of([None] * 6, [None] * 6, rates(0, 0, 0.25, 0.5, 1, NAN))
        assert found is not None
        assert found.basis == "PassRate"
        assert found.names == ("100%", "50%", "25%", "0%")
        assert found.level.tolist() == [3, 3, 2, 1, 0, -1]

    def test_where_nothing_tells_prompts_apart_there_are_no_levels(self):
        assert difficulty_of(["1", "1"], ["a", "b"], rates(0.5, 0.5)) is None
        assert difficulty_of([None], [None], rates(NAN)) is None

    @given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
    def test_levels_hold_every_prompt_once_easier_ones_first(self, found: list[float]):
        rate = np.array(found)
        by_rate = difficulty_of([None] * len(rate), [None] * len(rate), rate)
        if by_rate is None:
            return
        assert by_rate.prompts.sum() == len(rate)
        assert (by_rate.prompts > 0).all()
        means = [rate[by_rate.level == i].mean() for i in range(len(by_rate.names))]
        assert means == sorted(means, reverse=True)
        assert 2 <= len(by_rate.names) <= 5


class TestShares:
    @given(positive, st.data())
    def test_the_shares_of_all_levels_sum_to_one(self, examples: Ints, data: st.DataObject):
        names = data.draw(st.lists(st.sampled_from("123"), min_size=len(examples), max_size=len(examples)))
        found = difficulty_of(names, [None] * len(names), np.full(len(names), NAN))
        if found is not None:
            assert (found.count(examples) / examples.sum()).sum() == pytest.approx(1)

    @given(positive, st.data())
    def test_the_hard_share_is_what_counting_gives_within_its_interval(self, examples: Ints, data: st.DataObject):
        names = data.draw(st.lists(st.sampled_from("12"), min_size=len(examples), max_size=len(examples)))
        if len(set(names)) < 2:
            return
        found = levels(*names)
        share = hard_share(found, examples, seed=SEED, resamples=100)
        assert share is not None
        assert share.value == pytest.approx(examples[np.array(names) == "2"].sum() / examples.sum(), abs=1e-9)
        if share.low is not None and share.high is not None:
            assert 0 <= share.low <= share.high <= 1

    @given(positive)
    def test_the_same_examples_are_no_change(self, examples: Ints):
        found = levels(*["1", "2"] * len(examples))
        change = hard_share_change(found, np.tile(examples, 2), np.tile(examples, 2), seed=SEED, resamples=100)
        if 2 * np.count_nonzero(examples) < 5:
            assert change is None
            return
        assert change is not None and change.low is not None and change.high is not None
        assert change.value == 0
        assert change.low <= 0 <= change.high

    def test_a_share_that_shrinks_on_many_prompts_is_told_from_chance_and_on_four_it_is_not(self):
        found = levels(*["1"] * 50, *["2"] * 50)
        then = np.full(100, 4)
        fewer = hard_share_change(found, np.repeat([4, 1], 50), then, seed=SEED)
        one_lost = hard_share_change(found, np.r_[[4] * 96, [0] * 4], then, seed=SEED)
        assert fewer is not None and fewer.high is not None and one_lost is not None and one_lost.high is not None
        assert fewer.value == pytest.approx(0.2 - 0.5)
        assert fewer.high < 0 <= one_lost.high

    @pytest.mark.parametrize("prompts", [40, 160, 500])
    def test_prompts_without_examples_make_no_share_surer(self, prompts: int):
        few = np.zeros(prompts, dtype=np.int64)
        few[:20] = 1
        found = levels(*["1"] * 20, *["2"] * (prompts - 20))
        share = hard_share(found, few, seed=SEED)
        assert share is not None and share.high is not None
        assert share.value == 0
        assert 0.15 < share.high < 0.2  # of 20 of a kind: 1 - 0.025^(1/20) = 0.168
        one, three = np.eye(prompts, dtype=np.int64)[-1], np.r_[[1] * 3, [0] * (prompts - 3)]
        assert hard_share_change(found, three, one, seed=SEED) is None
        assert hard_share_change(found, np.ones(prompts, dtype=np.int64), one, seed=SEED) is None

    @pytest.mark.parametrize("examples", [5, 8, 15])
    def test_a_few_examples_of_many_prompts_alarm_as_seldom(self, examples: int):
        """A one-sided 97.5% bound; 10 of 400 are expected, and 20 are three standard deviations more."""
        random = np.random.default_rng(7)
        found = levels(*["1"] * 96, *["2"] * 64)
        alarms = 0
        for seed in range(400):
            then, now = ((random.random(160) < examples / 160).astype(np.int64) for _ in range(2))
            change = hard_share_change(found, now, then, seed=seed, resamples=200)
            alarms += change is not None and change.high is not None and change.high < 0
        assert alarms <= 20

    def test_of_a_model_that_did_not_change_one_draw_in_forty_looks_surely_narrower(self):
        """A one-sided 97.5% bound; 25 of 1,000 are expected, and 40 are three standard deviations more."""
        random = np.random.default_rng(4)
        found = levels(*["1"] * 75, *["2"] * 25)
        alarms = 0
        for seed in range(1000):
            chance = np.clip(random.beta(0.7, 1.0, 100) - 0.2 * found.is_hard, 0, 1)
            then, now = (random.binomial(8, chance) for _ in range(2))
            change = hard_share_change(found, now, then, seed=seed, resamples=100)
            alarms += change is not None and change.high is not None and change.high < 0
        assert alarms <= 40

    def test_nothing_kept_and_levels_without_order_have_no_hard_share(self):
        assert hard_share(levels("1", "2"), ints(0, 0), seed=SEED) is None
        assert hard_share(levels("algebra", "geometry"), ints(1, 2), seed=SEED) is None

    def test_coverage_is_told_by_level(self):
        found = levels_of(levels("1", "1", "2"), table([[1, 0], [0, 0], [0, 0]]), seed=SEED, resamples=100)
        assert [each.value if each else None for each in found.coverage] == [0.5, 0]
        assert (found.names, found.hard, found.prompts) == (["1", "2"], ["2"], [2, 1])

    def test_a_prompt_whose_answer_cannot_be_read_is_none_that_the_examples_are_compared_with(self):
        drawn = table_of(["a", "b", "c"], [1, 0, None], accepted=[1.0, 0.0, None])
        found = levels_of(levels("1", "2", "2"), drawn, seed=SEED, resamples=100)
        assert found.prompts == [1, 1]
        drawn = table_of(["a", "b", "c"], [1, 0, None])  # no rule is absolute: it may train as any other
        assert levels_of(levels("1", "2", "2"), drawn, seed=SEED, resamples=100).prompts == [1, 2]


class TestSpread:
    @given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=50))
    def test_every_value_lies_in_one_bin_and_quantiles_ascend(self, values: list[float]):
        found = spread_of(np.array(values))
        assert found is not None
        assert sum(found.histogram) == found.samples == len(values)
        assert found.quantiles == sorted(found.quantiles)
        assert len(found.quantiles) == len(QUANTILES)
        assert edges(found)[0] <= min(values) * (1 + 1e-9)
        assert edges(found)[-1] >= max(values) * (1 - 1e-9)

    def test_an_unknown_value_and_an_empty_text_are_left_out(self):
        found = spread_of(np.array([NAN, 0.0, 2.0]))
        assert found is not None
        assert (found.samples, found.mean) == (1, 2)
        assert spread_of(np.array([NAN, 0.0])) is None


class TestControl:
    def test_equals_the_mean_over_every_way_to_part_the_samples(self):
        samples = [1, 0, 0, 0]
        found = control_line(table([samples, samples]), 2, seed=SEED)
        assert found is not None
        assert (found.samples, found.target) == (2, 1)
        # Tail in the first draw: it has none of two. So the right one is in the second, always.
        assert (found.chosen.value, found.again.value, found.rise.value) == (0, 1, 1)

    def test_of_a_model_that_is_always_or_never_right_nothing_rises(self):
        found = control_line(table([[0] * 4, [0] * 4, [1] * 4]), 2, seed=SEED)
        assert found is not None
        assert (found.chosen.value, found.again.value, found.rise.value) == (0, 0, 0)

    def test_a_tail_of_chance_rises_by_what_a_second_real_draw_of_the_model_shows(self):
        random = np.random.default_rng(0)
        chance = random.beta(0.5, 1.5, 4000)
        drawn = (random.random((4000, 8)) < chance[:, None]).astype(int)
        found = control_line(table(drawn.tolist()), 4, seed=SEED, resamples=100)
        fresh = (random.random((4000, 8)) < chance[:, None]).astype(int)
        tail = fresh[:, :4].sum(axis=1) < 2
        before, after = (half[tail].any(axis=1).mean() for half in (fresh[:, :4], fresh[:, 4:]))
        assert found is not None
        assert found.rise.value == pytest.approx(after - before, abs=0.02)
        assert found.rise.value > 0.03

    @pytest.mark.parametrize("utilities", [[[1], [0]], [[1, 1], [1, 1]]])
    def test_needs_two_samples_a_prompt_and_a_tail(self, utilities: list[list[int]]):
        assert control_line(table(utilities), 1, seed=SEED) is None

    def test_needs_to_know_what_is_right(self):
        assert control_line(table_of(["a", "a"]), 1, seed=SEED) is None


class TestRate:
    def test_is_the_ratio_of_the_sums_and_its_interval_covers_the_truth_about_as_often_as_it_says(self):
        random = np.random.default_rng(1)
        covered = 0
        for _ in range(200):
            spent = random.integers(20, 200, 60) / 1000
            won = random.poisson(5 * spent)
            found = rate_estimate(won, spent, 9, seed=SEED, resamples=400)
            assert found is not None and found.low is not None and found.high is not None
            assert found.value == pytest.approx(won.sum() / spent.sum())
            covered += found.low <= 5 <= found.high
        assert 0.9 <= covered / 200 <= 0.99

    def test_of_prompts_that_won_nothing_it_may_still_be_more_than_nothing(self):
        found = rate_estimate(np.zeros(20, np.int64), np.full(20, 0.1), 1, seed=SEED)
        assert found is not None
        assert (found.value, found.low) == (0, 0)
        assert found.high == pytest.approx(10 * (1 - 0.025 ** (1 / 20)))  # were a share of the prompts to win one each

    def test_of_one_prompt_it_has_no_interval_and_of_nothing_spent_there_is_none(self):
        found = rate_estimate(np.array([1]), np.array([0.5]), 1, seed=SEED)
        assert found is not None
        assert (found.value, found.low, found.high) == (2, None, None)
        assert rate_estimate(np.array([0]), np.array([0.0]), 1, seed=SEED) is None

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 99)), min_size=2, max_size=12))
    def test_holds_its_value_and_never_falls_below_nothing(self, rows: list[tuple[int, int]]):
        won, spent = np.array(rows).T
        found = rate_estimate(won, spent, 4, seed=SEED, resamples=50)
        assert found is not None and found.low is not None and found.high is not None
        assert found.low >= 0
        assert found.n == len(rows)


def test_a_yield_is_accepted_samples_for_a_thousand_tokens_and_nothing_for_none():
    assert Yield(strategy="", round=0, tried=10, accepted=3, tokens=600).per_thousand == 5
    assert Yield(strategy="", round=0, tried=0, accepted=0, tokens=0).per_thousand == 0
