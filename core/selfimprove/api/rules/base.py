"""How a rule between fields is written down: what it reads, and the problems it finds.

A rule never asks which fields the user wrote and which are defaults: a cluster fills defaults in before anybody sees
the object, and the same file must mean the same there.

Of a spec with mistakes in it a rule is heard up to where it asks for a field that is wrong. So that this silences
nothing that does not hang on that field, a rule yields what it finds of each item as an iterator of its own, which is
heard by itself: `yield` in place of `yield from`, or `each`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from typing import TypeAlias, TypeVar

from selfimprove.api.problem import Problem
from selfimprove.api.spec import Spec

Found: TypeAlias = "Iterator[Problem | Found]"
"""Problems, their fields relative to `spec`, and iterators of such that are heard by themselves."""
Rule = Callable[[Spec], Found]

T = TypeVar("T")


def each(items: Callable[[Spec], Iterable[tuple[str, T]]]) -> Callable[[Callable[[str, T], Found]], Rule]:
    """Make a rule of what is asked of every item by itself. `items`: those of a spec, with their fields."""

    def rule_of(check: Callable[[str, T], Found]) -> Rule:
        @wraps(check)
        def rule(spec: Spec) -> Found:
            for field, item in items(spec):
                yield check(field, item)

        return rule

    return rule_of


def heard(found: Found, whole: bool) -> Iterator[Problem]:
    """The problems that are found; where the spec is not `whole`, up to where a field is asked for that is wrong."""
    with suppress(*() if whole else (AttributeError,)):
        for one in found:
            if isinstance(one, Problem):
                yield one
            else:
                yield from heard(one, whole)
