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


def _under_dpo(field: str, read: Callable[[Spec], object], *built: object) -> Callable[[Spec], Found]:
    """A field that samples that train by themselves understand, and pairs of samples do not yet."""
    find = _value(field, read, *built)
    return lambda spec: find(spec) if spec.distillation.method == "DPO" else iter(())


TABLE: tuple[Unbuilt, ...] = (
    Unbuilt(
        _under_dpo("selection.balance", lambda s: s.selection.balance, False),
        "give false, or distillation.method SFT",
    ),
    Unbuilt(
        _under_dpo("selection.replay", lambda s: s.selection.replay, "None"),
        "give None, or distillation.method SFT",
    ),
    Unbuilt(_value("distillation.numNodes", lambda s: s.distillation.num_nodes, 1), "give 1"),
)
