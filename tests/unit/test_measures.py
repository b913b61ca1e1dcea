"""The measures by their identities, and what they are for input that has nothing to measure."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove.api.selecting import Weighting
from selfimprove.errors import FailedError
from selfimprove.measures import (
    Table,
    columns,
    held_out_measures,
    pass_at_k,
    prompt_measures,
    scaled_target,
    table_of,
    tail_prompts,
    training_measures,
)
from selfimprove.summaries import PromptMeasures
from selfimprove.weighting import weights

NAN = float("nan")
Samples = dict[str, list[int]]


def table(samples: dict[str, list[float]] | Samples, weight: dict[str, list[float]] | None = None) -> Table:
    """A table from each prompt's utilities, and its weights."""
    prompts = [prompt for prompt, values in samples.items() for _ in values]
    return table_of(
        prompts,
        [value for values in samples.values() for value in values],
        weight=None if weight is None else [value for prompt in samples for value in weight[prompt]],
    )


def weighted(weighting: Weighting, samples: Samples, scores: dict[str, list[float]]) -> Table:
    plain = table(samples)
    flat = np.array([score for prompt in samples for score in scores[prompt]], dtype=np.float64)
    found = weights(weighting, flat, plain.prompt, len(plain.ids))
    return table_of([plain.ids[i] for i in plain.prompt], plain.utility, weight=found)


def measured(of: Table) -> PromptMeasures:
    return prompt_measures(of, tail=(), seed=0, resamples=50)


def value(of: Table, name: str) -> float:
    found = getattr(measured(of), name)
    assert found is not None, f"{name} was not measured"
    return float(found.value)


def samples_strategy(most_prompts: int = 6) -> st.SearchStrategy[Samples]:
    one = st.lists(st.integers(0, 1), min_size=1, max_size=8)
    return st.lists(one, min_size=1, max_size=most_prompts).map(lambda found: {f"p{i}": u for i, u in enumerate(found)})


def like(samples: Samples, values: st.SearchStrategy[float], data: st.DataObject) -> dict[str, list[float]]:
    return {p: data.draw(st.lists(values, min_size=len(u), max_size=len(u))) for p, u in samples.items()}


def keep(utilities: list[int], right: int, wrong: int) -> list[float]:
    """Weights that keep so many of the right samples, which come first, and so many of the wrong ones after them."""
    n, correct = len(utilities), sum(utilities)
    return [float(i < right or correct <= i < correct + wrong) for i in range(n)]


class TestGap:
    def test_is_what_filtering_adds_as_in_figure_2_of_mind_the_gap(self):
        """Three of five samples are right, 60%; of the three that the filter keeps two are, 66.7%."""
        of = table({"p": [1, 1, 1, 0, 0]}, {"p": [1, 1, 0, 1, 0]})
        assert value(of, "accuracy") == pytest.approx(0.6)
        assert value(of, "accuracy") + value(of, "gap") == pytest.approx(2 / 3)
        assert value(of, "gap") == pytest.approx(0.0667, abs=1e-4)

    @given(samples=samples_strategy(), data=st.data())
    def test_of_a_prompt_is_the_covariance_of_weight_and_utility_over_the_mean_weight(
        self, samples: Samples, data: st.DataObject
    ):
        weight = like(samples, st.floats(0.01, 10), data)
        gaps = columns(table(samples, weight))["gap"]
        for gap, prompt in zip(gaps, sorted(samples), strict=True):
            w, u = np.array(weight[prompt]), np.array(samples[prompt])
            assert gap == pytest.approx(np.mean((w - w.mean()) * (u - u.mean())) / w.mean(), abs=1e-9)

    @given(samples=samples_strategy(), data=st.data(), scale=st.floats(1e-200, 1e200))
    def test_does_not_depend_on_the_scale_of_the_weights(self, samples: Samples, data: st.DataObject, scale: float):
        weight = like(samples, st.sampled_from([0.0, 0.5, 1.0, 3.0]), data)
        scaled = {prompt: [scale * each for each in values] for prompt, values in weight.items()}
        one, other = columns(table(samples, weight)), columns(table(samples, scaled))
        assert np.allclose(one["gap"], other["gap"], atol=1e-12)

    @pytest.mark.parametrize(
        "weighting",
        [
            Weighting(type="Threshold", threshold=0.3),
            Weighting(type="Threshold", threshold=0.9),
            Weighting(type="Quantile", quantile=0.7),
            Weighting(type="Softmax", beta=0.1),
            Weighting(type="TopK", k=2),
        ],
        ids=lambda weighting: f"{weighting.type}{weighting.threshold or ''}",
    )
    @given(samples=samples_strategy())
    def test_of_constant_scores_is_exactly_zero(self, weighting: Weighting, samples: Samples):
        of = weighted(weighting, samples, {prompt: [0.3] * len(u) for prompt, u in samples.items()})
        assert value(of, "gap") == 0

    @given(samples=samples_strategy())
    def test_of_an_oracle_is_the_share_of_prompts_with_a_correct_sample_less_the_accuracy(self, samples: Samples):
        """A prompt without one keeps nothing, counts as gap 0, and has accuracy 0: both sides agree on it."""
        scores = {prompt: [float(each) for each in u] for prompt, u in samples.items()}
        of = weighted(Weighting(type="Threshold", threshold=1), samples, scores)
        solvable = np.mean([max(u) for u in samples.values()])
        assert value(of, "gap") == pytest.approx(solvable - value(of, "accuracy"))

    @given(samples=samples_strategy())
    def test_of_an_oracle_is_all_that_there_is_on_solvable_prompts(self, samples: Samples):
        scores = {prompt: [float(each) for each in u] for prompt, u in samples.items()}
        found = columns(weighted(Weighting(type="Threshold", threshold=1), samples, scores))
        open_and_solvable = (found["accuracy"] > 0) & (found["accuracy"] < 1)
        assert np.allclose(found["relative_gap"][open_and_solvable], 1)

    def test_of_scores_that_prefer_the_wrong_samples_is_negative(self):
        scores = {"p": [0.1, 0.2, 0.8, 0.9], "q": [0.3, 0.9, 0.8, 0.1]}
        of = weighted(Weighting(type="Quantile", quantile=0.5), {"p": [1, 1, 0, 0], "q": [1, 0, 0, 1]}, scores)
        assert value(of, "gap") == -0.5

    @given(samples=samples_strategy())
    def test_of_scores_that_turn_the_truth_round_is_negative_wherever_there_is_anything_to_choose(
        self, samples: Samples
    ):
        """The oracle's mirror: what it keeps is all wrong, so the gap is what the mixed prompts had."""
        scores = {prompt: [1.0 - each for each in u] for prompt, u in samples.items()}
        found = columns(weighted(Weighting(type="Threshold", threshold=1), samples, scores))
        mixed = (found["accuracy"] > 0) & (found["accuracy"] < 1)
        assert np.allclose(found["gap"], np.where(mixed, -found["accuracy"], 0))

    @pytest.mark.parametrize(
        ("easy", "hard", "gap", "relative"),
        [
            ((4, 1), (3, 2), 0.1, (-1 + 0.3 / 0.7) / 2),
            ((9, 0), (0, 7), -0.1, (1 - 0.3 / 0.7) / 2),
        ],
        ids=["gap up, relative gap down", "gap down, relative gap up"],
    )
    def test_can_have_the_other_sign_than_the_relative_gap(
        self, easy: tuple[int, int], hard: tuple[int, int], gap: float, relative: float
    ):
        """As for Qwen-2 on Sudoku (Table 2: 0.14 and -0.61, -0.07 and 0.01): a ratio weighs what is nearly solved.

        Nine of ten samples of the easy prompt are right and three of the hard one; of each (right, wrong) are kept.
        """
        samples = {"easy": [1] * 9 + [0], "hard": [1] * 3 + [0] * 7}
        kept = {"easy": easy, "hard": hard}
        weight = {p: keep(samples[p], *kept[p]) for p in samples}
        of = table(samples, weight)
        assert value(of, "gap") == pytest.approx(gap)
        assert value(of, "relative_gap") == pytest.approx(relative)

    def test_is_averaged_over_prompts_however_many_samples_they_have(self):
        of = table({"p": [1, 0], "q": [0] * 100}, {"p": [1.0, 0.0], "q": [1.0] * 100})
        assert value(of, "gap") == 0.25

    def test_leaves_out_prompts_that_are_all_correct_from_the_relative_one_and_counts_them(self):
        of = table({"p": [1, 0], "q": [1, 1]}, {"p": [1, 0], "q": [1, 1]})
        assert measured(of).relative_gap_skipped == 1
        assert value(of, "relative_gap") == 1

    def test_is_zero_for_a_prompt_whose_filter_is_empty_and_the_prompt_is_counted(self):
        of = table({"p": [1, 0], "q": [1, 0]}, {"p": [0, 0], "q": [1, 0]})
        assert columns(of)["gap"].tolist() == [0, 0.5]
        assert measured(of).empty_filter_rate == 0.5

    def test_of_tiny_weights_does_not_vanish(self):
        assert value(table({"p": [1, 0]}, {"p": [3e-320, 1e-320]}), "gap") == pytest.approx(0.25, abs=1e-3)


def test_keep_rate_is_the_share_of_samples_with_any_weight_by_prompt():
    of = table({"p": [1, 0], "q": [1, 0, 0, 0]}, {"p": [0.1, 0], "q": [1, 1, 1, 1]})
    assert value(of, "keep_rate") == 0.75


class TestPassAtK:
    @given(correct=st.integers(0, 7), n=st.integers(1, 7))
    def test_is_the_share_of_all_draws_of_k_that_hold_a_correct_one(self, correct: int, n: int):
        u = [1] * min(correct, n) + [0] * (n - min(correct, n))
        for k, found in pass_at_k(table({"p": u}), ks=range(1, n + 1)).items():
            draws = [max(draw) for draw in combinations(u, k)]
            assert found[0] == pytest.approx(np.mean(draws))

    def test_of_one_is_the_accuracy_and_of_all_is_the_coverage(self):
        of = table({"p": [1, 0, 0, 0], "q": [0, 0, 0, 0], "r": [1, 1, 1, 1]})
        found = measured(of)
        assert found.pass_at_k is not None
        assert list(found.pass_at_k) == ["1", "2", "4"]
        assert found.pass_at_k["1"].value == pytest.approx(value(of, "accuracy"))
        assert found.pass_at_k["4"].value == pytest.approx(value(of, "coverage"))

    def test_goes_up_in_powers_of_two_as_far_as_there_are_samples(self):
        assert list(pass_at_k(table({"p": [1] * 7}))) == [1, 2, 4]
        assert list(pass_at_k(table({"p": [1] * 128})))[-1] == 128

    def test_leaves_out_a_prompt_with_fewer_than_k_samples(self):
        found = measured(table({"p": [1, 0], "q": [1]})).pass_at_k
        assert found is not None
        assert (found["1"].n, found["2"].n) == (2, 1)

    def test_of_more_than_there_are_is_not_given(self):
        assert pass_at_k(table({"p": [1, 0]}), ks=[1, 3]).keys() == {1}


class TestTail:
    def test_holds_the_prompts_with_fewer_correct_samples_than_the_target(self):
        of = table({"p": [1, 1, 0], "q": [1, 0, 0], "r": [0, 0, 0]})
        assert tail_prompts(of, 2) == {"q", "r"}

    def test_goes_by_acceptance_where_no_answer_is_known(self):
        of = table_of(["p", "p", "q", "q"], accepted=[True, False, False, False])
        assert tail_prompts(of, 1) == {"q"}
        assert value(of, "coverage") == 0.5

    def test_goes_by_utility_where_both_are_known(self):
        of = table_of(["p", "q"], [1, 0], accepted=[False, True])
        assert tail_prompts(of, 1) == {"q"}

    def test_is_not_known_where_no_rule_can_tell_as_when_no_answer_can_be_read(self):
        unread = table_of(["p", "p", "q"], [NAN, NAN, NAN], weight=[0, 0, 0], accepted=[NAN, None, NAN])
        found = training_measures(unread, tail=None, target=4, seed=0)
        assert (found.coverage, found.tail_coverage, found.tail_prompts) == (None, None, None)
        assert tail_prompts(unread, 4) == frozenset()

    def test_leaves_out_the_prompts_that_no_rule_can_tell_of(self):
        of = table_of(["p", "p", "q"], accepted=[1, 0, NAN])
        assert value(of, "coverage") == 1
        assert tail_prompts(of, 4) == {"p"}

    def test_is_not_known_without_answers_and_without_an_absolute_rule(self):
        found = training_measures(table_of(["p", "q"], weight=[1.0, 0.0]), tail=None, target=4, seed=0)
        assert (found.coverage, found.tail_coverage, found.tail_prompts) == (None, None, None)

    def test_coverage_is_over_the_fixed_set_of_iteration_1(self):
        first = table({"p": [0, 0], "q": [0, 1], "r": [1, 1]})
        later = table({"p": [1, 0], "q": [0, 0], "r": [0, 0]})
        tail = tail_prompts(first, 2)
        assert tail == {"p", "q"}
        found = training_measures(later, tail=tail, target=2, seed=0)
        assert found.tail_coverage is not None
        assert (found.tail_coverage.value, found.tail_coverage.n, found.tail_prompts) == (0.5, 2, 2)

    def test_of_iteration_1_is_its_own(self):
        found = training_measures(table({"p": [0, 0], "q": [0, 1], "r": [1, 1]}), tail=None, target=2, seed=0)
        assert found.tail_coverage is not None
        assert (found.tail_coverage.value, found.tail_prompts) == (0.5, 2)

    def test_of_nobody_is_counted_and_has_no_coverage(self):
        found = training_measures(table({"p": [1, 1]}), tail=None, target=1, seed=0)
        assert (found.tail_coverage, found.tail_prompts) == (None, 0)

    @pytest.mark.parametrize(
        ("target", "samples", "reference", "scaled"), [(4, 4, 8, 2), (4, 8, 8, 4), (4, 1, 8, 1), (3, 4, 8, 2)]
    )
    def test_s_target_is_scaled_to_the_samples_that_a_prompt_gets(
        self, target: int, samples: int, reference: int, scaled: int
    ):
        assert scaled_target(target, samples=samples, reference=reference) == scaled


class TestUnknown:
    def test_samples_of_unknown_utility_are_left_out(self):
        of = table({"p": [1, NAN, 0, NAN], "q": [1, 1, 1, 1]})
        assert columns(of)["accuracy"].tolist() == [0.5, 1]
        of = table({"p": [1, NAN, 0]}, {"p": [1, 5, 1]})
        assert value(of, "gap") == 0

    def test_a_prompt_of_unknown_utility_is_left_out(self):
        of = table({"p": [NAN, NAN], "q": [1, 0]})
        found = measured(of)
        assert found.accuracy is not None
        assert (found.accuracy.value, found.accuracy.n, found.prompts, found.samples) == (0.5, 1, 2, 4)
        assert tail_prompts(of, 2) == {"q"}

    def test_without_utility_only_what_needs_none_is_measured(self):
        found = measured(table_of(["p", "p"], weight=[1, 0]))
        assert found.keep_rate is not None
        assert found.model_dump(include={"accuracy", "gap", "relative_gap", "relative_gap_skipped", "pass_at_k"}) == {
            "accuracy": None,
            "gap": None,
            "relative_gap": None,
            "relative_gap_skipped": None,
            "pass_at_k": None,
        }

    def test_without_weights_there_is_no_gap(self):
        found = measured(table({"p": [1, 0]}))
        assert (found.gap, found.keep_rate, found.empty_filter_rate) == (None, None, None)

    def test_without_samples_nothing_is_measured(self):
        found = measured(table_of([]))
        assert found == PromptMeasures(prompts=0, samples=0)

    def test_one_prompt_has_values_and_no_interval(self):
        found = measured(table({"p": [1, 0]}))
        assert found.accuracy is not None
        assert (found.accuracy.value, found.accuracy.low, found.accuracy.high) == (0.5, None, None)


def test_strict_grading_is_measured_beside_the_flexible_one():
    of = table_of(["p", "p", "q", "q"], [1, 1, 1, 0], strict_utility=[0, 0, 1, 0])
    assert (value(of, "accuracy"), value(of, "strict_accuracy")) == (0.75, 0.25)


@given(samples=samples_strategy(), data=st.data())
@settings(max_examples=40)
def test_the_order_of_samples_changes_nothing(samples: Samples, data: st.DataObject):
    rows = [(prompt, u) for prompt, values in samples.items() for u in values]
    mixed = data.draw(st.permutations(rows))
    one = table_of([prompt for prompt, _ in rows], [u for _, u in rows])
    other = table_of([prompt for prompt, _ in mixed], [u for _, u in mixed])
    assert measured(one) == measured(other)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"utility": [1]}, r"utility: \(1,\) values for 2 samples"),
        ({"utility": [1, 0.5]}, "utility: 0.5 is neither 0 nor 1; use NaN for unknown"),
        ({"strict_utility": [1, 2]}, "strict_utility: 2 is neither 0 nor 1"),
        ({"utility": [1, float("inf")]}, "utility: inf is neither 0 nor 1"),
        ({"weight": [1, -1]}, "weight: a weight is negative or infinite"),
        ({"weight": [1, float("inf")]}, "weight: a weight is negative or infinite"),
        ({"accepted": [True]}, "accepted: "),
        ({"accepted": [1, 0.5]}, "accepted: 0.5 is neither 0 nor 1"),
    ],
)
def test_a_table_of_nonsense_is_refused(fields: dict[str, list[float]], message: str):
    with pytest.raises(ValueError, match=message):
        table_of(["p", "q"], **fields)


class TestHeldOut:
    baseline = table({"p": [0, 0], "q": [1, 0], "r": [1, 1]})
    first = table({"p": [0, 1], "q": [1, 0], "r": [1, 1]})
    second = table({"p": [0, 0], "q": [1, 1], "r": [1, 1]})

    def test_of_the_base_model_compares_with_nothing(self):
        found = held_out_measures(self.baseline, iteration=0, baseline=None, first=None, best=None, target=1, seed=0)
        assert found.held_out.accuracy is not None
        assert found.held_out.accuracy.value == 0.5
        assert found.held_out.tail_prompts == 1
        assert (found.versus_baseline, found.versus_best, found.tail_change) == (None, None, None)

    def test_of_a_later_model_compares_with_the_base_the_best_and_the_first(self):
        found = held_out_measures(
            self.second,
            iteration=2,
            baseline=self.baseline,
            first=self.first,
            best=(1, self.first),
            target=2,
            seed=0,
        )
        assert found.versus_baseline is not None
        assert found.versus_best is not None
        assert found.tail_change is not None
        assert (found.versus_baseline.iteration, found.versus_baseline.value) == (0, pytest.approx(1 / 6))
        assert (found.versus_best.iteration, found.versus_best.value) == (1, pytest.approx(0))
        assert (found.tail_change.value, found.tail_change.n) == (-0.5, 2)

    def test_fixes_the_tail_on_the_base_model(self):
        found = held_out_measures(
            self.second, iteration=1, baseline=self.baseline, first=None, best=None, target=1, seed=0
        )
        assert found.held_out.tail_coverage is not None
        assert (found.held_out.tail_coverage.value, found.held_out.tail_prompts) == (0, 1)

    def test_compares_strict_grading_where_both_models_have_it(self):
        strict = [table_of(["p", "q"], [1, 1], strict_utility=values) for values in ([0, 0], [1, 0])]
        found = held_out_measures(
            strict[1], iteration=1, baseline=strict[0], first=None, best=(0, strict[0]), target=1, seed=0
        )
        assert found.strict_versus_baseline is not None
        assert found.strict_versus_baseline.value == 0.5
        assert found.versus_baseline is not None
        assert found.versus_baseline.value == 0

    def test_has_no_strict_comparison_without_strict_grades(self):
        found = held_out_measures(
            self.second, iteration=1, baseline=self.baseline, first=None, best=None, target=1, seed=0
        )
        assert found.strict_versus_baseline is None

    def test_refuses_models_that_answered_different_prompts(self):
        other = table({"p": [0, 0], "x": [1, 0], "r": [1, 1]})
        with pytest.raises(FailedError, match="3 and 3 prompts, and 2 of them only under one model, as q"):
            held_out_measures(self.second, iteration=1, baseline=other, first=None, best=None, target=1, seed=0)

    def test_has_no_difference_between_models_without_answers(self):
        blind = table_of(["p", "q"])
        found = held_out_measures(blind, iteration=1, baseline=blind, first=None, best=(0, blind), target=1, seed=0)
        assert (found.versus_baseline, found.versus_best) == (None, None)
