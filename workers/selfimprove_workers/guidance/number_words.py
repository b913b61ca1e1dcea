"""Numbers that a text writes in words: `forty-two`, `a dozen`, `two and a half`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfimprove_workers.tasks.numbers import SCALES, Quantity, read_quantity
from selfimprove_workers.tasks.units import PARTS, WORD_NUMBERS

_DOZEN = "dozen"
_MOST_WORDS = 16
"""Of one number. More in a row ("a a a a ...") are none, and would take long to try."""
_WORD = f"(?:{'|'.join([*WORD_NUMBERS, *SCALES, *PARTS, _DOZEN, 'an?', 'and', 'minus', 'negative'])})"
_RUN = re.compile(rf"(?<![\w-])\b{_WORD}\b(?:[\s-]+{_WORD}\b)*(?!-\w)", re.IGNORECASE)


def spoken_numbers(text: str) -> Iterator[tuple[int, int, Quantity]]:
    """Where each number in words begins and ends, and what it is; the longest one where one holds another."""
    for run in _RUN.finditer(text):
        words = [found.span() for found in re.finditer(r"\w[\w-]*", run[0])]  # forty-two is no forty
        at = 0
        while at < len(words):
            ends = range(min(len(words), at + _MOST_WORDS), at, -1)
            parts = ((end, run[0][words[at][0] : words[end - 1][1]]) for end in ends)
            end, quantity = next(((end, found) for end, part in parts if (found := _read(part))), (at + 1, None))
            if quantity is not None:
                yield run.start() + words[at][0], run.start() + words[end - 1][1], quantity
            at = end


def _read(text: str) -> Quantity | None:
    """All of a text as one number."""
    *before, last = text.casefold().split()
    if last != _DOZEN:
        return read_quantity(" ".join([*before, last]))
    if before in ([], ["a"]):
        return Quantity(12)
    many = read_quantity(" ".join(before[:-1] if before[-1] == "a" else before))  # half a dozen
    return many._replace(value=12 * many.value) if many else None
