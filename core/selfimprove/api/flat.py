"""A spec as paths and plain values, to be compared and shown."""

from __future__ import annotations

from collections.abc import Iterator

from selfimprove.api.schema import dotted
from selfimprove.api.spec import Spec

Steps = tuple[str | int, ...]


def flat(spec: Spec) -> dict[str, object]:
    """Dotted path -> value for everything that is set, defaults included."""
    return {dotted(path): value for path, value in leaves(spec.to_json(), ("spec",))}


def leaves(value: object, path: Steps = ()) -> Iterator[tuple[Steps, object]]:
    """The values at the ends of a JSON object, with the way there; empty lists and objects count as values."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value
