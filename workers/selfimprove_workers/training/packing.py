"""Fills rows of a fixed length with sequences of many lengths, so that next to nothing is spent on padding.

Best-fit decreasing: the longest sequence first, each into the fullest row that still takes it. Pure arithmetic on
lengths; what a row means is the batch's affair.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence


def pack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Rows of indices into `lengths`: each exactly once, no row over `capacity` tokens, the same for the same lengths.

    Never more rows than first-fit in the given order needs (best-fit decreasing alone is not always that good). Raises
    `ValueError` for a length outside 1 to `capacity`.
    """
    for index, length in enumerate(lengths):
        if not 1 <= length <= capacity:
            raise ValueError(f"sequence {index} has {length} tokens; a row takes 1 to {capacity}")
    return min(best_fit_decreasing(lengths, capacity), first_fit(lengths, capacity), key=len)


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Longest first, into the row with the least room that is enough."""
    rows: list[list[int]] = []
    rooms: list[tuple[int, int]] = []  # (room left, row), ascending: the best fit is the first that is large enough
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        place = bisect_left(rooms, (lengths[index], -1))
        room, row = rooms.pop(place) if place < len(rooms) else (capacity, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(index)
        insort(rooms, (room - lengths[index], row))
    return rows


def first_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """In the given order, into the first row that has room."""
    rows: list[list[int]] = []
    rooms: list[int] = []
    for index, length in enumerate(lengths):
        row = next((r for r, room in enumerate(rooms) if room >= length), len(rows))
        if row == len(rows):
            rows.append([])
            rooms.append(capacity)
        rows[row].append(index)
        rooms[row] -= length
    return rows
