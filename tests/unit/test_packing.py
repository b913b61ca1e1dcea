"""Packing: every sequence once, no row too long, and as few rows as first-fit or fewer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.training.packing import pack

CAPACITY = 64
lengths_lists = st.lists(st.integers(1, CAPACITY), max_size=200)


@given(lengths_lists)
def test_every_sequence_lies_in_exactly_one_row(lengths: list[int]) -> None:
    rows = pack(lengths, CAPACITY)
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))


@given(lengths_lists)
def test_no_row_is_longer_than_the_capacity_and_none_is_empty(lengths: list[int]) -> None:
    for row in pack(lengths, CAPACITY):
        assert 1 <= sum(lengths[index] for index in row) <= CAPACITY


@given(lengths_lists)
def test_the_same_lengths_give_the_same_rows(lengths: list[int]) -> None:
    assert pack(lengths, CAPACITY) == pack(list(lengths), CAPACITY)


@given(lengths_lists)
def test_it_never_needs_more_rows_than_first_fit(lengths: list[int]) -> None:
    rooms: list[int] = []
    for length in lengths:
        fitting = [row for row, room in enumerate(rooms) if room >= length]
        if fitting:
            rooms[fitting[0]] -= length
        else:
            rooms.append(CAPACITY - length)
    assert len(pack(lengths, CAPACITY)) <= len(rooms)


@given(lengths_lists)
def test_no_two_rows_would_fit_into_one(lengths: list[int]) -> None:
    fills = sorted(sum(lengths[index] for index in row) for row in pack(lengths, CAPACITY))
    assert len(fills) < 2 or fills[0] + fills[1] > CAPACITY


def test_perfect_partners_share_rows() -> None:
    rows = pack([40, 24, 50, 14, 64], 64)
    assert sorted(sorted(row) for row in rows) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("length", [0, 65])
def test_a_length_that_no_row_takes_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"sequence 1 has {length} tokens"):
        pack([3, length], 64)
