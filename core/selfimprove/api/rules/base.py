"""How a rule between fields is written down: what it reads, and the problems it finds.

A rule never asks which fields the user wrote and which are defaults: a cluster fills defaults in before anybody sees
the object, and the same file must mean the same there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from selfimprove.api.problem import Problem
from selfimprove.api.spec import Spec

Check = Callable[[Spec], Iterator[Problem]]
"""Gives the problems it finds; their fields are relative to `spec`."""


@dataclass(frozen=True)
class Rule:
    """A check, and the sections of the spec that must be valid for it to make sense."""

    needs: frozenset[str]
    check: Check


def rule(*needs: str) -> Callable[[Check], Rule]:
    """Make a rule of a function. `needs`: sections of the spec as YAML names them."""
    return lambda check: Rule(frozenset(needs), check)
