"""Verification methods, one file each, found by their name in the spec."""

from __future__ import annotations

from collections.abc import Callable

from selfimprove.api.selecting import Method, MethodType
from selfimprove_workers.verifiers.base import Verifier
from selfimprove_workers.verifiers.cot_binary import CoTBinary
from selfimprove_workers.verifiers.cot_score import CoTScore
from selfimprove_workers.verifiers.ground_truth import GroundTruth
from selfimprove_workers.verifiers.likelihood import Likelihood
from selfimprove_workers.verifiers.majority_vote import MajorityVote
from selfimprove_workers.verifiers.multiple_choice import MultipleChoice
from selfimprove_workers.verifiers.tournament import Tournament

VERIFIERS: dict[MethodType, Callable[[Method], Verifier]] = {
    "GroundTruth": GroundTruth,
    "Likelihood": Likelihood,
    "MajorityVote": MajorityVote,
    "MultipleChoice": MultipleChoice,
    "CoTScore": CoTScore,
    "CoTBinary": CoTBinary,
    "Tournament": Tournament,
}


def verifier_for(method: Method) -> Verifier:
    """The method that a spec asks for. Raises `UserError` for one that is set up wrongly."""
    return VERIFIERS[method.type](method)
