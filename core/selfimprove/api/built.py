"""What the resource already allows and the code can't do yet: refused before anything runs, one line each.

A table that shrinks as the work goes on; when a row's feature is built, the row goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from selfimprove.api.problem import Problem
from selfimprove.api.spec import Spec

Found = Iterator[tuple[str, str]]
"""Fields (relative to `spec`) and the values found there."""


@dataclass(frozen=True)
class Unbuilt:
    """Where a spec asks for something that is not built yet, and what to give instead."""

    find: Callable[[Spec], Found]
    remedy: str


def unbuilt(spec: Spec) -> list[Problem]:
    """Every valid value that is not built yet."""
    return [
        Problem(f"spec.{field}", f"{value} is valid but not built yet; {row.remedy}")
        for row in TABLE
        for field, value in row.find(spec)
    ]


def _value(field: str, read: Callable[[Spec], object], *built: object) -> Callable[[Spec], Found]:
    """A single field whose value is none of those that are built."""

    def find(spec: Spec) -> Found:
        value = read(spec)
        if value not in built:
            yield field, str(value).lower() if isinstance(value, bool) else str(value)

    return find


TABLE: tuple[Unbuilt, ...] = (
    Unbuilt(_value("distillation.numNodes", lambda s: s.distillation.num_nodes, 1), "give 1"),
)
