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
    if verification is None:
        answers = dataset.task == "Gym" or dataset.fields.answer is not None
        verification = Verification(methods=[Method(type="GroundTruth" if answers else "MultipleChoice")])
    own = verification.combine == "All"
    methods = [_method(method, own) for method in verification.methods]
    return verification.model_copy(update={"methods": methods})


def _method(method: Method, own_weighting: bool) -> Method:
    """Under Mean and Weighted only the common weighting is read, so a method gets none of its own."""
    update: dict[str, object] = {"name": method.name or method.type}
    if own_weighting and method.weighting is None:
        update["weighting"] = _CUTS[method.type]
    update |= {name: value for name, value in _SETTINGS.get(method.type, {}).items() if getattr(method, name) is None}
    return method.model_copy(update=update)
