"""Which leftover parts make up the beginning of a step: for any attempts that died anywhere."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.artifacts.chain import Found, Header, header_of, longest_chain, totals

PROMPTS = 12


def part(attempt: int, index: int, first: int, end: int) -> Found:
    return Found(f"s/attempt-{attempt}/part-{index:05d}.parquet", Header("d", index, first, end - first, end - first))


@st.composite
def leftovers(draw: st.DrawFn) -> list[Found]:
    """Parts of several attempts, each cut where it liked, each starting anywhere; any of them may be gone."""
    found = []
    for attempt in range(draw(st.integers(1, 4))):
        cuts = sorted(draw(st.sets(st.integers(0, PROMPTS), min_size=1)))
        parts = [part(attempt, index, *cut) for index, cut in enumerate(pairwise(cuts))]
        found += [each for each in parts if draw(st.booleans())]
    return found


def furthest(found: list[Found]) -> int:
    """The last prompt that can be reached without a break, by trying every way."""
    reached = {0}
    for _ in found:
        reached |= {each.header.end for each in found if each.header.first in reached}
    return max(reached)


@given(leftovers())
def test_a_chain_covers_prompts_from_the_first_on_without_gap_or_overlap(found: list[Found]) -> None:
    position = 0
    for each in longest_chain(found):
        assert each.header.first == position
        position = each.header.end


@given(leftovers())
def test_no_other_choice_of_parts_reaches_further(found: list[Found]) -> None:
    chain = longest_chain(found)

    assert (chain[-1].header.end if chain else 0) == furthest(found)


@given(leftovers().flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_every_attempt_finds_the_same_chain_in_whatever_order_parts_are_listed(
    listings: tuple[list[Found], list[Found]],
) -> None:
    assert longest_chain(listings[0]) == longest_chain(listings[1])


def test_of_equally_long_chains_the_one_with_fewer_parts_is_taken() -> None:
    whole, halves = part(2, 0, 0, 10), [part(1, 0, 0, 5), part(1, 1, 5, 10)]

    assert longest_chain([*halves, whole]) == [whole]


def test_parts_of_different_attempts_join_where_their_borders_meet() -> None:
    ours, other, beyond_a_gap = part(1, 0, 0, 4), part(2, 1, 4, 9), part(3, 0, 10, 12)

    assert longest_chain([beyond_a_gap, other, ours]) == [ours, other]


counts = st.dictionaries(st.sampled_from(["tokens", "drawn"]), st.integers(0, 10**6))


@given(st.integers(0, 99), st.integers(0, 10**6), st.integers(1, 1000), st.integers(0, 10**5), counts)
def test_a_header_survives_the_metadata(
    index: int, first: int, prompts: int, rows: int, counts: dict[str, int]
) -> None:
    header = Header("digest", index, first, prompts, rows, counts)

    assert header_of({key.encode(): text.encode() for key, text in header.to_metadata().items()}) == header


def test_a_header_with_one_figure_changed_is_refused() -> None:
    [(key, text)] = Header("digest", 0, 0, 5, 5).to_metadata().items()
    changed = {**json.loads(text), "prompts": 6}

    with pytest.raises(ValueError, match="damaged part header"):
        header_of({key.encode(): json.dumps(changed).encode()})


def test_a_parquet_file_of_someone_else_has_no_header() -> None:
    with pytest.raises(ValueError, match="no part header"):
        header_of(None)


def test_totals_add_up_over_parts_that_count_different_things() -> None:
    headers = [Header("d", 0, 0, 1, 1, {"tokens": 3}), Header("d", 1, 1, 1, 1, {"tokens": 4, "drawn": 1})]

    assert totals(headers) == {"tokens": 7, "drawn": 1}
