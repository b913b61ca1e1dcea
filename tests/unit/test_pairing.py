"""Which samples DPO compares: a kept one with one of its prompt that was dropped and scores strictly lower."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from selfimprove.api.selecting import Selection
from selfimprove.weighting import Bools, Floats
from selfimprove_workers.choosing import (
    DUPLICATE,
    KEPT,
    NO_SCORE,
    NOT_ACCEPTED,
    OVER_THE_CAP,
    TRUNCATED,
    UNBALANCED,
    UNPAIRED,
    Codes,
    Pool,
)
from selfimprove_workers.pairing import Pairs, pair

GUIDED = -np.inf
"""The merit of a guided sample: it has no score here."""
NO, YES = NOT_ACCEPTED, KEPT


def pool(
    reason: list[int], merit: list[float], prompt: list[int] | None = None, texts: list[int] | None = None
) -> Pool:
    """Samples of one prompt, or of several."""
    prompt = prompt or [0] * len(reason)
    return Pool(
        prompts=max(prompt, default=-1) + 1,
        prompt=np.array(prompt, dtype=np.int64),
        weight=np.array([float(code == KEPT) for code in reason]),
        reason=np.array(reason, dtype=np.int8),
        merit=np.array(merit, dtype=np.float64),
        fingerprint=None if texts is None else np.array(texts, dtype=np.uint64),
    )


def paired(
    some: Pool, *, accepted: list[bool] | None = None, seed: int = 0, **selection: object
) -> list[tuple[int, int]]:
    """(chosen, rejected) of every pair."""
    found, _, _ = decided(some, accepted=accepted, seed=seed, **selection)
    return list(zip(found.chosen.tolist(), found.rejected.tolist(), strict=True))


def decided(
    some: Pool, *, accepted: list[bool] | None = None, seed: int = 0, **selection: object
) -> tuple[Pairs, Floats, Codes]:
    passes: Bools = some.reason == KEPT if accepted is None else np.array(accepted)
    return pair(some, passes, Selection.model_validate(selection), seed)


def test_the_best_meets_the_worst_and_no_sample_is_in_two_pairs() -> None:
    assert paired(pool([YES, YES, NO, NO, NO], [0.8, 0.9, 0.1, 0.3, 0.2])) == [(1, 2), (0, 4)]


def test_samples_of_different_prompts_are_never_compared() -> None:
    assert paired(pool([YES, NO], [0.9, 0.1], prompt=[0, 1])) == []


def test_a_kept_sample_that_does_not_score_above_a_dropped_one_is_not_preferred_to_it() -> None:
    # As an ensemble's filters may do: kept by all of them, and no better than one that a single one dropped.
    assert paired(pool([YES, NO], [0.5, 0.5])) == []
    assert paired(pool([YES, NO], [0.4, 0.5])) == []


def test_a_sample_without_a_score_or_cut_by_length_takes_no_part() -> None:
    assert paired(pool([YES, NO_SCORE, TRUNCATED], [0.9, -np.inf, 0.1])) == []


def test_the_cap_keeps_the_widest_margins() -> None:
    some = pool([YES, YES, NO, NO], [0.9, 0.8, 0.1, 0.2])
    found, _, reason = decided(some, perPromptCap=1)
    assert (found.chosen.tolist(), found.rejected.tolist()) == ([0], [2])
    assert_array_equal(reason, [KEPT, OVER_THE_CAP, NO, NO])


def test_kept_samples_with_nobody_to_be_preferred_to_say_so() -> None:
    _, weight, reason = decided(pool([YES, YES, NO, YES], [0.9, 0.8, 0.1, 1.0], prompt=[0, 0, 0, 1]))
    assert_array_equal(reason, [KEPT, UNPAIRED, NO, UNPAIRED])
    assert_array_equal(weight, [1, 0, 0, 0])


def test_the_weights_of_a_prompts_pairs_sum_to_one_unless_nothing_is_normalised() -> None:
    some = pool([YES, YES, NO, NO, YES, NO], [1.0, 1, 0, 0, 1, 0], prompt=[0, 0, 0, 0, 1, 1])
    assert_allclose(decided(some)[1], [0.5, 0.5, 0, 0, 1, 0])
    assert_allclose(decided(some, normalise="None")[1], [1, 1, 0, 0, 1, 0])


def test_equal_texts_count_once_on_either_side_and_are_never_compared_with_each_other() -> None:
    some = pool([YES, YES, YES, NO, NO, NO], [0.9, 0.9, 0.8, 0.1, 0.1, 0.2], texts=[1, 1, 2, 3, 3, 2])
    found, _, reason = decided(some)
    assert (found.chosen.tolist(), found.rejected.tolist()) == ([0], [3])
    assert_array_equal(reason, [KEPT, DUPLICATE, UNPAIRED, NO, NO, NO])


def test_a_guided_sample_is_preferred_to_a_plain_one_that_no_absolute_rule_accepted() -> None:
    assert paired(pool([NO, YES], [0.1, GUIDED])) == [(1, 0)]
    # Dropped by a quantile, yet above the threshold that accepted the guided one: nobody can tell which is better.
    assert paired(pool([NO, YES], [0.9, GUIDED]), accepted=[True, True]) == []


def test_a_guided_sample_that_was_not_accepted_has_no_score_to_be_worse_by() -> None:
    assert paired(pool([YES, NO], [0.9, GUIDED])) == []


def test_balance_leaves_every_prompt_as_many_pairs_as_the_one_with_fewest() -> None:
    some = pool([YES, YES, NO, NO, YES, NO, YES], [0.9, 0.8, 0.1, 0.2, 0.9, 0.1, 1], prompt=[0, 0, 0, 0, 1, 1, 2])
    found, weight, reason = decided(some, balance=True)
    assert (found.chosen.tolist(), found.rejected.tolist()) == ([0, 4], [2, 5])
    assert_array_equal(reason, [KEPT, UNBALANCED, NO, NO, KEPT, NO, UNPAIRED])  # a prompt without any does not count
    assert_array_equal(weight, [1, 0, 0, 0, 1, 0, 0])


def replayed(some: Pool, prompt: list[int], texts: list[int] | None = None) -> Pool:
    """The pool and pairs of earlier iterations, each by the text that it prefers."""
    more = len(prompt)
    old = np.zeros(len(some.prompt)) if some.fingerprint is None else some.fingerprint
    return Pool(
        prompts=max(some.prompts, *(at + 1 for at in prompt)),
        prompt=np.concatenate([some.prompt, prompt]).astype(np.int64),
        weight=np.concatenate([some.weight, np.ones(more)]),
        reason=np.concatenate([some.reason, np.full(more, KEPT)]).astype(np.int8),
        merit=np.concatenate([some.merit, np.full(more, -np.inf)]),
        fingerprint=None if texts is None else np.concatenate([old, texts]).astype(np.uint64),
        replayed=more,
    )


def test_a_replayed_pair_trains_beside_the_new_ones_and_is_matched_with_nobody() -> None:
    found, weight, reason = decided(replayed(pool([YES, NO, NO], [0.9, 0.1, 0.2]), [0, 1]))
    assert (found.chosen.tolist(), found.rejected.tolist()) == ([0], [1])
    assert_array_equal(weight, [0.5, 0, 0, 0.5, 1])
    assert_array_equal(reason, [KEPT, NO, NO, KEPT, KEPT])


def test_a_replayed_pair_whose_preferred_text_is_preferred_anew_is_left_out() -> None:
    some = pool([YES, NO], [0.9, 0.1], texts=[1, 2])
    _, weight, reason = decided(replayed(some, [0, 0, 0], texts=[1, 3, 3]))
    assert_array_equal(weight, [0.5, 0, 0, 0.5, 0])
    assert_array_equal(reason[2:], [DUPLICATE, KEPT, DUPLICATE])


def test_a_replayed_pair_stays_where_its_text_is_kept_anew_but_preferred_to_none() -> None:
    _, weight, reason = decided(replayed(pool([YES], [0.9], texts=[1]), [0], texts=[1]))
    assert_array_equal(weight, [0, 1])
    assert_array_equal(reason, [UNPAIRED, KEPT])


def test_the_cap_and_the_balance_hold_for_old_and_new_pairs_together_and_old_ones_go_first() -> None:
    some = replayed(pool([YES, NO, YES, NO], [0.9, 0.1, 0.9, 0.1], prompt=[0, 0, 1, 1]), [0, 0])
    assert_array_equal(decided(some, perPromptCap=2, normalise="None")[1], [1, 0, 1, 0, 1, 0])
    assert_array_equal(decided(some, balance=True)[1], [1, 0, 1, 0, 0, 0])


def test_equals_are_drawn_by_lot_the_same_for_the_same_seed() -> None:
    some = pool([YES] * 32 + [NO] * 32, [1.0] * 32 + [0.0] * 32)
    first, again, other = (paired(some, seed=seed, perPromptCap=8) for seed in (0, 0, 1))
    assert first == again != other


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Samples of up to four prompts, each with any reason and score; those without a score say so."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 3),
                st.sampled_from([YES, NO, NO_SCORE, TRUNCATED]),
                st.sampled_from([0.0, 0.25, 0.5, 1.0]),
                st.integers(0, 5),
            ),
            max_size=24,
        )
    )
    prompt, reason, merit, texts = ([row[at] for row in rows] for at in range(4))
    merit = [-np.inf if code == NO_SCORE else score for code, score in zip(reason, merit, strict=True)]
    return pool(reason, merit, prompt, texts)


@given(pools(), st.integers(1, 3) | st.none(), st.booleans(), st.integers(0, 3))
def test_every_pair_is_of_one_prompt_and_its_kept_sample_scores_higher(
    some: Pool, cap: int | None, deduplicate: bool, seed: int
) -> None:
    found, weight, reason = decided(some, seed=seed, perPromptCap=cap, deduplicate=deduplicate)
    chosen, rejected = found.chosen, found.rejected
    assert_array_equal(some.prompt[chosen], some.prompt[rejected])
    assert (some.reason[chosen] == KEPT).all() and (some.reason[rejected] == NOT_ACCEPTED).all()
    assert (some.merit[chosen] > some.merit[rejected]).all()
    assert len(set(chosen.tolist()) | set(rejected.tolist())) == 2 * len(found)
    assert max(Counter(some.prompt[chosen].tolist()).values(), default=0) <= (cap or len(some.prompt))
    assert_array_equal(np.flatnonzero(weight), np.sort(chosen))
    assert_array_equal(np.flatnonzero(reason == KEPT), np.sort(chosen))
    assert_allclose(np.bincount(some.prompt[chosen], weight[chosen], some.prompts), _has_pair(some, found))
    assert_array_equal(reason[some.reason != KEPT], some.reason[some.reason != KEPT])


@given(pools(), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=8), st.booleans())
def test_old_pairs_change_no_new_one_and_are_balanced_with_them(
    some: Pool, old: list[tuple[int, int]], balance: bool
) -> None:
    alone = paired(some)
    both = replayed(some, [prompt for prompt, _ in old], [text for _, text in old])
    found, weight, _ = decided(both, balance=balance)
    together = list(zip(found.chosen.tolist(), found.rejected.tolist(), strict=True))
    assert together == alone if not balance else set(together) <= set(alone)
    counts = np.bincount(both.prompt[weight > 0], minlength=both.prompts)
    assert not balance or len(set(counts[counts > 0].tolist())) <= 1
    assert_allclose(np.bincount(both.prompt, weight, both.prompts), counts > 0)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=24), st.sampled_from([0.25, 0.5, 1.0]))
def test_under_a_cut_every_sample_of_the_rarer_kind_finds_a_partner(scores: list[float], cut: float) -> None:
    above = [score >= cut for score in scores]
    some = pool([YES if up else NO for up in above], scores)
    assert len(paired(some)) == min(sum(above), len(above) - sum(above))


def _has_pair(some: Pool, found: Pairs) -> Floats:
    return (np.bincount(some.prompt[found.chosen], minlength=some.prompts) > 0).astype(np.float64)
