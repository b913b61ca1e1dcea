"""What becomes of samples between their filters and the training set."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from selfimprove.api.selecting import Selection
from selfimprove_workers.choosing import (
    COPY,
    DUPLICATE,
    KEPT,
    NO_SCORE,
    NOT_ACCEPTED,
    OVER_THE_CAP,
    TRUNCATED,
    UNBALANCED,
    Pool,
    choose,
    plain_reasons,
)


def pool(
    prompt: list[int],
    weight: list[float] | None = None,
    reason: list[int] | None = None,
    merit: list[float] | None = None,
    texts: list[int] | None = None,
) -> Pool:
    n = len(prompt)
    return Pool(
        prompts=max(prompt, default=-1) + 1,
        prompt=np.array(prompt, dtype=np.int64),
        weight=np.array(weight or [1.0] * n, dtype=np.float64),
        reason=np.array(reason or [KEPT] * n, dtype=np.int8),
        merit=np.array(merit or [0.0] * n, dtype=np.float64),
        fingerprint=None if texts is None else np.array(texts, dtype=np.uint64),
    )


def test_the_weights_of_a_prompt_sum_to_one_however_many_are_kept() -> None:
    weight, _ = choose(pool([0, 0, 0, 1]), Selection(), seed=0)
    assert_allclose(weight, [1 / 3, 1 / 3, 1 / 3, 1])


def test_weights_stay_as_they_are_when_nothing_is_normalised() -> None:
    weight, _ = choose(pool([0, 0, 1], [0.5, 1.0, 1.0]), Selection(normalise="None"), seed=0)
    assert_array_equal(weight, [0.5, 1.0, 1.0])


def test_a_prompt_whose_filter_is_empty_gives_nothing() -> None:
    weight, reason = choose(pool([0, 0], [0.0, 0.0], [NOT_ACCEPTED, NOT_ACCEPTED]), Selection(), seed=0)
    assert_array_equal(weight, [0, 0])
    assert_array_equal(reason, [NOT_ACCEPTED, NOT_ACCEPTED])


def test_equal_texts_within_a_prompt_are_kept_once_and_across_prompts_both() -> None:
    _, reason = choose(pool([0, 0, 1], texts=[7, 7, 7]), Selection(), seed=0)
    assert_array_equal(reason, [KEPT, DUPLICATE, KEPT])


def test_a_dropped_sample_makes_no_duplicate_of_a_kept_one() -> None:
    _, reason = choose(pool([0, 0], reason=[NOT_ACCEPTED, KEPT], texts=[7, 7]), Selection(), seed=0)
    assert_array_equal(reason, [NOT_ACCEPTED, KEPT])


def test_duplicates_stay_when_that_is_asked_for() -> None:
    _, reason = choose(pool([0, 0], texts=[7, 7]), Selection(deduplicate=False), seed=0)
    assert_array_equal(reason, [KEPT, KEPT])


def test_the_cap_keeps_the_highest_scores_of_each_prompt() -> None:
    _, reason = choose(pool([0, 0, 0, 1], merit=[0.1, 0.9, 0.5, 0.0]), Selection(per_prompt_cap=2), seed=0)
    assert_array_equal(reason, [OVER_THE_CAP, KEPT, KEPT, KEPT])


def test_the_cap_comes_after_duplicates_so_that_they_take_no_place() -> None:
    capped = Selection(per_prompt_cap=1)
    _, reason = choose(pool([0, 0, 0], merit=[0.9, 0.9, 0.1], texts=[1, 1, 2]), capped, seed=0)
    assert_array_equal(reason, [KEPT, DUPLICATE, OVER_THE_CAP])


def test_balance_keeps_of_every_prompt_as_many_as_the_one_with_the_fewest_has() -> None:
    many = pool([0, 0, 0, 1, 1, 2], reason=[KEPT, KEPT, KEPT, KEPT, KEPT, NOT_ACCEPTED], merit=[1, 3, 2, 0, 0, 9])
    weight, reason = choose(many, Selection(balance=True), seed=0)
    assert_array_equal(reason, [UNBALANCED, KEPT, KEPT, KEPT, KEPT, NOT_ACCEPTED])
    assert_allclose(weight, [0, 0.5, 0.5, 0.5, 0.5, 0])


def test_balance_comes_after_the_cap() -> None:
    _, reason = choose(pool([0, 0, 0, 1, 1]), Selection(balance=True, per_prompt_cap=2), seed=0)
    assert np.bincount(reason, minlength=11)[[KEPT, OVER_THE_CAP, UNBALANCED]].tolist() == [4, 1, 0]


def test_balance_of_nothing_is_nothing() -> None:
    assert choose(pool([]), Selection(balance=True), seed=0)[0].tolist() == []
    assert choose(pool([0], reason=[NOT_ACCEPTED]), Selection(balance=True), seed=0)[0].tolist() == [0]


def test_ties_under_the_cap_are_drawn_by_lot_the_same_for_the_same_seed() -> None:
    many, capped = pool([0] * 64), Selection(per_prompt_cap=8)
    drawn = {seed: np.flatnonzero(choose(many, capped, seed)[1] == KEPT).tolist() for seed in (0, 1)}
    assert drawn[0] == np.flatnonzero(choose(many, capped, 0)[1] == KEPT).tolist()
    assert drawn[0] != drawn[1]
    assert len(drawn[0]) == 8


def test_guided_samples_without_a_score_give_way_to_scored_ones_of_equal_weight() -> None:
    _, reason = choose(pool([0, 0, 0], merit=[0.2, -np.inf, 0.1]), Selection(per_prompt_cap=2), seed=0)
    assert_array_equal(reason, [KEPT, OVER_THE_CAP, KEPT])


def test_each_sample_says_the_first_thing_that_is_wrong_with_it() -> None:
    truncated, absent = np.array([True, False, False, False]), np.array([True, True, False, False])
    reason = plain_reasons(np.array([1.0, 0, 0, 1]), truncated, absent, Selection())
    assert_array_equal(reason, [TRUNCATED, NO_SCORE, NOT_ACCEPTED, KEPT])


def test_a_sample_cut_by_length_may_be_let_in() -> None:
    reason = plain_reasons(np.ones(1), np.ones(1, bool), np.zeros(1, bool), Selection(accept_truncated=True))
    assert_array_equal(reason, [KEPT])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.floats(0.01, 1),
            st.sampled_from([KEPT, NOT_ACCEPTED, TRUNCATED, NO_SCORE, COPY]),
            st.integers(0, 3),
        ),
        max_size=40,
    ),
    st.integers(1, 4),
    st.booleans(),
)
def test_whatever_comes_in_the_rules_hold(samples: list[tuple[int, float, int, int]], cap: int, balance: bool) -> None:
    prompts, weights, reasons, texts = (list(each) for each in zip(*samples, strict=True)) if samples else ([],) * 4
    given_in = pool(prompts, weights, reasons, texts=texts)
    weight, reason = choose(given_in, Selection(per_prompt_cap=cap, balance=balance), seed=3)
    assert_array_equal(weight > 0, reason == KEPT)
    assert_array_equal(reason[given_in.reason != KEPT], given_in.reason[given_in.reason != KEPT])
    for prompt in set(prompts):
        kept = np.flatnonzero((given_in.prompt == prompt) & (weight > 0))
        assert len(kept) <= cap
        assert len({texts[at] for at in kept}) == len(kept)
        had = (given_in.prompt == prompt) & (given_in.reason == KEPT)
        assert len(kept) > 0 or not had.any()
        assert not len(kept) or abs(weight[kept].sum() - 1) < 1e-9
    if balance:
        assert len(set(np.bincount(given_in.prompt[weight > 0]).tolist()) - {0}) <= 1
