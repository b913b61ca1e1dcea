"""The `SelfImprovementRun`: what a user writes, checked and completed, and what the system reports back.

Imports nothing but pydantic, PyYAML and the standard library, so that the command line starts at once and the operator
stays small.
"""

from __future__ import annotations

from selfimprove.api.built import check_built, unbuilt
from selfimprove.api.cautions import cautions
from selfimprove.api.immutable import below_reached, changed, changed_immutable, is_fixed
from selfimprove.api.manifest import Checkup, check_file, load_run, runs_in
from selfimprove.api.problem import Problem
from selfimprove.api.problems import problems
from selfimprove.api.resolve import Surroundings, resolve, resolved_defaults
from selfimprove.api.rules import too_many_shards
from selfimprove.api.sets import apply_sets
from selfimprove.api.spec import Run, Spec

__all__ = [
    "Checkup",
    "Problem",
    "Run",
    "Spec",
    "Surroundings",
    "apply_sets",
    "below_reached",
    "cautions",
    "changed",
    "changed_immutable",
    "check_built",
    "check_file",
    "is_fixed",
    "load_run",
    "problems",
    "resolve",
    "resolved_defaults",
    "runs_in",
    "too_many_shards",
    "unbuilt",
]
