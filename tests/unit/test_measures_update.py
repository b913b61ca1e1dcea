"""What training made of the gap, and how diverse answers are: exact on small cases, honest about what is unknown."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.errors import FailedError
from selfimprove.measures import (
    Table,
    answer_diversity,
    columns,
    pass_at_k_change,
    prompt_measures,
    table_of,
    update_measures,
)
from selfimprove.measures.diversity import answer_columns
from selfimprove.summaries import Estimate

SEED = 3
Utilities = list[list[int]]


def table(utilities: Utilities, weights: list[list[float]] | None = None, strict: Utilities | None = None) -> Table:
    ids = [f"p{i:03d}" for i, u in enumerate(utilities) for _ in u]

    def flat(values: list[list[float]] | Utilities | None) -> list[float] | None:
        return None if values is None else [float(each) for row in values for each in row]

    return table_of(ids, flat(utilities), strict_utility=flat(strict), weight=flat(weights))


def value(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


two_models = st.integers(2, 8).flatmap(
    lambda n: st.tuples(*[st.lists(st.lists(st.integers(0, 1), min_size=4, max_size=4), min_size=n, max_size=n)] * 2)
)


class TestUpdate:
    @given(models=two_models, data=st.data())
    def test_loses_what_was_predicted_less_what_was_gained(
        self, models: tuple[Utilities, Utilities], data: st.DataObject
    ):
        before, after = models
        weight = [data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4)) for _ in before]
        previous, current = table(before, weight), table(after)
        found = update_measures(current, previous, 1, seed=SEED, resamples=100)
        assert value(found.predicted_gap) == pytest.approx(columns(previous)["gap"].mean())
        assert value(found.realised_gain) == pytest.approx(np.mean(after) - np.mean(before))
        assert value(found.eps_update) == pytest.approx(value(found.predicted_gap) - value(found.realised_gain))

    def test_promises_the_very_gap_that_the_model_before_was_measured_by(self):
        previous = table([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1]], [[1, 0, 0, 0]] * 3)
        measured = prompt_measures(previous, tail=(), seed=SEED)
        assert update_measures(table([[1]] * 3), previous, 0, seed=SEED).predicted_gap == measured.gap

    def test_that_reaches_the_reweighted_distribution_loses_nothing(self):
        """60% right, two thirds after filtering (Figure 2), and two thirds right after training."""
        previous = table([[1, 1, 1, 0, 0]] * 3, [[1, 1, 0, 1, 0]] * 3)
        found = update_measures(table([[1, 1, 0]] * 3), previous, 0, seed=SEED)
        assert value(found.predicted_gap) == pytest.approx(2 / 3 - 0.6)
        assert value(found.eps_update) == pytest.approx(0, abs=1e-12)

    def test_that_only_learned_the_format_gains_by_the_strict_check_alone(self):
        answers = [[1, 0, 1, 0]] * 3
        previous = table(answers, [[1.0] * 4] * 3, strict=[[0, 0, 0, 0]] * 3)
        found = update_measures(table(answers, strict=answers), previous, 0, seed=SEED)
        assert (value(found.realised_gain), value(found.strict_realised_gain)) == (0, 0.5)

    def test_of_unweighed_samples_promises_nothing_and_says_so(self):
        found = update_measures(table([[1, 0]] * 3), table([[0, 0]] * 3), 0, seed=SEED)
        assert (found.predicted_gap, found.eps_update) == (None, None)
        assert value(found.realised_gain) == 0.5
        assert found.reason is not None
        assert found.reason.startswith("nothing weighs")

    def test_without_answers_is_unknown_and_says_so(self):
        blank = table_of(["a", "a", "b"], weight=[1.0, 0.0, 1.0])
        found = update_measures(blank, blank, 0, seed=SEED)
        assert found.realised_gain is None
        assert found.reason is not None
        assert found.reason.startswith("no held-out prompt has an answer")

    def test_of_other_prompts_is_refused(self):
        with pytest.raises(FailedError, match="only under one model"):
            update_measures(table([[1]] * 3), table([[1]] * 4), 0, seed=SEED)


class TestAnswers:
    def test_are_counted_and_their_entropy_is_in_bits(self):
        answer, prompt = np.array([0, 0, 1, 2, 5, 5, -1, -1]), np.array([0, 0, 0, 0, 1, 1, 1, 2])
        found = answer_columns(answer, prompt, 3)
        assert found["answered"].tolist() == pytest.approx([1, 2 / 3, 0])
        assert found["distinct_answers"].tolist()[:2] == [3, 1]
        assert found["entropy"].tolist()[:2] == [1.5, 0]
        assert np.isnan([found["distinct_answers"][2], found["entropy"][2]]).all()

    @given(st.lists(st.integers(-1, 5), min_size=1, max_size=20))
    def test_have_an_entropy_between_none_and_that_of_as_many_equal_shares(self, answers: list[int]):
        found = answer_columns(np.array(answers), np.zeros(len(answers), np.int64), 1)
        if max(answers) < 0:
            assert np.isnan(found["entropy"][0])
        else:
            distinct = len(set(answers) - {-1})
            assert found["distinct_answers"][0] == distinct
            assert -1e-12 <= found["entropy"][0] <= log2(distinct) + 1e-12

    def test_that_nobody_gave_have_no_diversity_not_one_of_0(self):
        assert answer_diversity(np.array([-1, -1]), np.array([0, 1]), 2, seed=SEED) is None

    def test_come_with_intervals(self):
        found = answer_diversity(np.arange(12) % 5, np.repeat(np.arange(4), 3), 4, seed=SEED)
        assert found is not None
        assert found.distinct_answers is not None
        assert found.distinct_answers.value == 3
        assert found.distinct_answers.low is not None and found.distinct_answers.low >= 1


def test_effective_diversity_can_rise_at_small_k_and_fall_at_large_k():
    """What iterations do (Mind the Gap, section 5): the common answer gets commoner, the rare right one dies out."""
    before = [[1, 1, 0, 0]] * 5 + [[1, 0, 0, 0]] * 5
    after = [[1, 1, 1, 1]] * 5 + [[0, 0, 0, 0]] * 5
    found = pass_at_k_change(table(after), table(before), seed=SEED)
    assert found is not None
    assert list(found) == ["1", "2", "4"]
    assert found["1"].value == pytest.approx(0.125)
    assert found["4"].value == pytest.approx(-0.5)


def test_effective_diversity_is_compared_where_both_models_have_it():
    assert list(pass_at_k_change(table([[1, 0, 0, 0]] * 3), table([[1, 0]] * 3), seed=SEED) or {}) == ["1", "2"]
    assert pass_at_k_change(table_of(["a", "b"]), table_of(["a", "b"]), seed=SEED) is None
