"""What somebody who wrote a field that does not exist probably meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from pydantic.alias_generators import to_camel

from selfimprove.api.schema import Path, dotted, paths_of

_NOT_HERE = {
    "hostPath": "a run must not reach into its node; give persistentVolumeClaim, emptyDir, csi or ephemeral",
}
"""Fields that are left out on purpose, and what to do instead."""


def no_such_field(path: Path, siblings: Sequence[str]) -> str:
    """Says that the last step of a path is no field of ours, and the nearest one that is."""
    name = str(path[-1])
    if name in _NOT_HERE:
        return f"no such field: {_NOT_HERE[name]}"
    near = _nearest(name, siblings, 0.75) or _abbreviated(name, siblings)
    if near:
        return f"no such field; did you mean {near}?"
    elsewhere = [place for place in paths_of(to_camel(name)) if place != dotted(path)][:3]
    if elsewhere:
        return f"no such field; did you mean {' or '.join(elsewhere)}?"
    if near := meant(name, siblings):
        return f"no such field; did you mean {near}?"
    return f"no such field; there {'is' if len(siblings) == 1 else 'are'} {', '.join(siblings) or 'none'}"


def meant(name: str, siblings: Sequence[str]) -> str | None:
    """The field that a name which is none may stand for."""
    return _nearest(name, siblings, 0.6)


def _nearest(name: str, siblings: Sequence[str], cutoff: float) -> str | None:
    """By letters alone: case and underscores are what people get wrong."""
    by_letters = {_letters(sibling): sibling for sibling in siblings}
    found = get_close_matches(_letters(name), by_letters, n=1, cutoff=cutoff)
    return by_letters[found[0]] if found else None


def _abbreviated(name: str, siblings: Sequence[str]) -> str | None:
    """By the first letters of its words: `lr`."""
    return next((sibling for sibling in siblings if re.sub("(?<!^)[a-z]", "", sibling).lower() == name.lower()), None)


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
