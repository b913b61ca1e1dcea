"""The rules between fields, as one table; each is a small function that names field, value and remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from selfimprove.api.problem import Problem
from selfimprove.api.rules import (
    acceptance,
    amounts,
    data,
    guidance,
    gym,
    methods,
    placement,
    sampling,
    texts,
    training,
)
from selfimprove.api.rules.sampling import too_many_shards
from selfimprove.api.spec import Spec

__all__ = ["RULES", "broken_rules", "too_many_shards"]

RULES = (
    *data.RULES,
    *gym.RULES,
    *texts.RULES,
    *sampling.RULES,
    *methods.RULES,
    *acceptance.RULES,
    *guidance.RULES,
    *training.RULES,
    *placement.RULES,
    *amounts.RULES,
)


def broken_rules(spec: Spec, unusable: Collection[str] = (), whole: bool = True) -> list[Problem]:
    """Every problem between the fields of a spec, whose sections are there but for the `unusable` ones.

    `whole`: nothing is wrong with any field. Else the spec is without those that are, and a rule is heard up to where
    it asks for one of them.
    """
    return [
        Problem(f"spec.{problem.field}", problem.message)
        for rule in RULES
        if not rule.needs & set(unusable)
        for problem in (rule.check(spec) if whole else _heard(rule.check(spec)))
    ]


def _heard(problems: Iterator[Problem]) -> Iterator[Problem]:
    with suppress(AttributeError):
        yield from problems
