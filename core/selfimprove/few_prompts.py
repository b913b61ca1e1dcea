"""The warning that intervals are of too few prompts to be relied on, the same for every command that shows any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from selfimprove.measures.bootstrap import FEW


def too_few(document: object) -> list[str]:
    """The warnings about the intervals in a document of figures (JSON values): one, of the fewest prompts, or none."""
    few = min(_counts(document), default=FEW)
    if few >= FEW:
        return []
    return [f"there are intervals of {few} prompts, and below {FEW} they are too narrow; n says of how many each is"]


def _counts(found: Any) -> Iterator[int]:
    """Of how many prompts each interval in a part of the document is."""
    if isinstance(found, Mapping) and found.keys() >= {"low", "n"}:  # a level or a score may be called low
        if found["low"] is not None:
            yield found["n"]
    elif isinstance(found, Mapping | list):
        for part in found.values() if isinstance(found, Mapping) else found:
            yield from _counts(part)
