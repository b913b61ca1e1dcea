"""The rules between fields, as one table; each is a small function that names field, value and remedy."""

from __future__ import annotations

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
from selfimprove.api.rules.base import Rule, heard
from selfimprove.api.rules.sampling import too_many_shards
from selfimprove.api.spec import Spec

__all__ = ["RULES", "broken_rules", "too_many_shards"]

RULES: tuple[Rule, ...] = (
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


def broken_rules(spec: Spec, whole: bool = True) -> list[Problem]:
    """Every problem between the fields of a spec. `whole`: nothing is wrong with any field by itself."""
    return [Problem(f"spec.{problem.field}", problem.message) for rule in RULES for problem in heard(rule(spec), whole)]
