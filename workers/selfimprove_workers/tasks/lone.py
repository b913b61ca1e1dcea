"""A choice that stands on a line of its own, last or first, beside prose: `Magma cools and solidifies.`, then `B`.

The last line comes at the end of the reasoning, and so before the first one, which an explanation follows. Lines that
go through the choices (`A`, `B`, `C`) claim none, nor does a line that the one before it introduces as a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from selfimprove_workers.tasks.assertions import UNSAID
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.extract import declared

Reader = Callable[[str], str | None]
"""The label that a line is, None where it is anything more."""
MOST_LINES = 200
INTRODUCED_BY_FEW = 3
"""Words of a line without a full stop that only introduces the next: `Not this one`."""

LISTING = re.compile(r"\W*\w{1,2}(?:\W+(?:(?:and|or)\W+)?\w{1,2}){1,9}\W*", re.IGNORECASE)
"""A line of nothing but labels: `A, B or C`."""
TURN = re.compile(r"\W*(?:no|nope|not|wait|actually|sorry|oops|hm+)\b\s?[,.!—–…-]", re.IGNORECASE)
"""What takes the first line back, also where nothing clear takes its place."""


def last_alone(text: str, read: Reader) -> str | None:
    """The label that is the last line of a text of several."""
    lines = _lines(text)
    label = read(lines[-1]) if len(lines) > 1 else None
    if (
        label is None
        or _others(lines[1:-1], read) - {label}
        or _introduces_wrong(lines[-2])
        or LISTING.fullmatch(lines[-2])
    ):
        return None
    is_listed = read(lines[0]) not in (None, label) and (len(lines) == 2 or lines[-1] != read(lines[-1]))
    return None if is_listed else label


def first_alone(text: str, read: Reader) -> str | None:
    """The label that is the first line of a text of several, or the one that the next words correct it to."""
    lines = _lines(text)
    label = read(lines[0]) if len(lines) > 1 else None
    if label is None or _others(lines[1:], read) - {label} or LISTING.fullmatch(lines[1]):
        return None
    said = "\n".join([f"The answer is {label}.", *lines[1:]])
    found = declared(corrected(said))
    chosen = read(found.payload) if found else None
    return None if chosen == label and TURN.match(lines[1]) else chosen


def _lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines if len(lines) <= MOST_LINES else [lines[0], *lines[1 - MOST_LINES :]]


def _others(lines: list[str], read: Reader) -> set[str]:
    return {label for label in map(read, lines) if label is not None}


def _introduces_wrong(line: str) -> bool:
    """Whether a line says of the next that it is no answer: `The wrong ones are:`."""
    is_open = line.rstrip(" *_").endswith(":") or len(line.split()) <= INTRODUCED_BY_FEW
    return is_open and UNSAID.search(line) is not None
