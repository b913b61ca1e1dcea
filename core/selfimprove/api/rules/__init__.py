"""The rules between fields, as one table; each is a small function that names field, value and remedy."""

from __future__ import annotations

from collections.abc import Collection

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


def broken_rules(spec: Spec, unusable: Collection[str] = ()) -> list[Problem]:
    """Every problem between the fields of a spec, whose sections are valid but for the `unusable` ones."""
    return [
        Problem(f"spec.{problem.field}", problem.message)
        for rule in RULES
        if not rule.needs & set(unusable)
        for problem in rule.check(spec)
    ]
