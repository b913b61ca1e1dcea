"""What the resource already allows and the code can't do yet: refused before anything runs, one line each.

A table that shrinks as the work goes on; when a row's feature is built, the row goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from selfimprove.api.problem import Problem
from selfimprove.api.problems import Checked, check
from selfimprove.api.rules.base import heard
from selfimprove.api.spec import Spec

Values = Iterator[tuple[str, str]]
"""Fields (relative to `spec`) and the values found there."""


@dataclass(frozen=True)
class Unbuilt:
    """Where a spec asks for something that is not built yet, and what to give instead."""

    find: Callable[[Spec], Values]
    remedy: str

    def problems(self, spec: Spec) -> Iterator[Problem]:
        """Every such place."""
        for field, value in self.find(spec):
            yield Problem(f"spec.{field}", f"{value} is valid but not built yet; {self.remedy}")


def check_built(document: object) -> Checked:
    """What `check` finds, and every valid value beside it that is not built yet."""
    run, problems, spec = check(document)
    found = problems + (unbuilt(spec, whole=run is not None) if spec else [])
    return Checked(None if found else run, found, spec)


def unbuilt(spec: Spec, whole: bool = True) -> list[Problem]:
    """Every valid value that is not built yet. `whole`: nothing is wrong with any field by itself."""
    return [problem for row in TABLE for problem in heard(row.problems(spec), whole)]


def _value(field: str, read: Callable[[Spec], object], *built: object) -> Callable[[Spec], Values]:
    """A single field whose value is none of those that are built."""

    def find(spec: Spec) -> Values:
        value = read(spec)
        if value not in built:
            yield field, str(value).lower() if isinstance(value, bool) else str(value)

    return find


TABLE: tuple[Unbuilt, ...] = (
    Unbuilt(_value("distillation.numNodes", lambda s: s.distillation.num_nodes, 1), "give 1"),
)
