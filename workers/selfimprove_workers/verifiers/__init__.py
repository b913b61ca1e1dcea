"""Verification methods, one file each, found by their name in the spec."""

from __future__ import annotations

from collections.abc import Callable

from selfimprove.api.selecting import Method, MethodType
from selfimprove.errors import UserError
from selfimprove_workers.verifiers.base import Verifier
from selfimprove_workers.verifiers.ground_truth import GroundTruth
from selfimprove_workers.verifiers.likelihood import Likelihood
from selfimprove_workers.verifiers.majority_vote import MajorityVote
from selfimprove_workers.verifiers.multiple_choice import MultipleChoice

VERIFIERS: dict[MethodType, Callable[[Method], Verifier]] = {
    "GroundTruth": GroundTruth,
    "Likelihood": Likelihood,
    "MajorityVote": MajorityVote,
    "MultipleChoice": MultipleChoice,
}


def verifier_for(method: Method) -> Verifier:
    """The method that a spec asks for. Raises `UserError` for one that is not built yet."""
    if method.type not in VERIFIERS:
        known = ", ".join(VERIFIERS)
        raise UserError(f"spec.verification.methods: type {method.type} is not available yet; use one of {known}")
    return VERIFIERS[method.type](method)
