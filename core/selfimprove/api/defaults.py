"""The defaults of verification: they depend on the method and on what the dataset has."""

from __future__ import annotations

from selfimprove.api.asking import LETTERS, RANGE
from selfimprove.api.selecting import Labels, Method, MethodType, Verification, Weighting
from selfimprove.api.source import Dataset

_CUTS: dict[MethodType, Weighting] = {
    "GroundTruth": Weighting(type="Threshold", threshold=1),
    "Likelihood": Weighting(type="Quantile", quantile=0.7),
    "MajorityVote": Weighting(type="Threshold", threshold=0.5),
    "MultipleChoice": Weighting(type="Quantile", quantile=0.7),
    "CoTScore": Weighting(type="Quantile", quantile=0.7),
    "CoTBinary": Weighting(type="Threshold", threshold=1),
    "Tournament": Weighting(type="TopK", k=1),
}
"""How each method's scores are cut: GSI's rule for the truth, Mind the Gap's (section 5) for a model's own scores."""
_SETTINGS: dict[MethodType, dict[str, object]] = {
    "Likelihood": {"reduction": "Mean"},
    "MultipleChoice": {"labels": Labels()},
    "CoTScore": {"range": list(RANGE)},
    "Tournament": {"labels": LETTERS},
}


def verification_of(dataset: Dataset, verification: Verification | None) -> Verification:
    """The verification of a run with nothing left open; giving it what it gave changes nothing."""
    verification = verification or _default(dataset)
    methods = [_method(method, verification.combine) for method in verification.methods]
    return verification.model_copy(update={"methods": methods})


def cuts_of(dataset: Dataset, verification: Verification | None) -> list[tuple[Method, Weighting | None]]:
    """The methods of a run as they are written down, each with what cuts its scores; None where nothing does."""
    verification = verification or _default(dataset)
    return [(method, _cut(method, verification.combine)) for method in verification.methods]


def _default(dataset: Dataset) -> Verification:
    answers = dataset.task == "Gym" or dataset.fields.answer is not None
    return Verification(methods=[Method(type="GroundTruth" if answers else "MultipleChoice")])


def _cut(method: Method, combine: str) -> Weighting | None:
    """Under Mean and Weighted only the common weighting is read, so a method gets none of its own."""
    return _CUTS[method.type] if combine == "All" and method.weighting is None else method.weighting


def _method(method: Method, combine: str) -> Method:
    update: dict[str, object] = {"name": method.name or method.type, "weighting": _cut(method, combine)}
    update |= {name: value for name, value in _SETTINGS.get(method.type, {}).items() if getattr(method, name) is None}
    return method.model_copy(update=update)
