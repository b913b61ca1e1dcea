"""Rules about verification methods: each one by itself, and how they stand together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.rules.data import source_problems
from selfimprove.api.selecting import Method, MethodType, OtherModel, Weighting, WeightingType
from selfimprove.api.sound import known
from selfimprove.api.sources import verifiers_of
from selfimprove.api.spec import Spec
from selfimprove.api.uris import MODEL_SCHEMES

PARAMETER: dict[WeightingType, str] = {"Threshold": "threshold", "Quantile": "quantile", "Softmax": "beta", "TopK": "k"}
RELATIVE: tuple[WeightingType, ...] = ("Quantile", "TopK", "Softmax")
"""Weightings that compare a prompt's samples with one another and accept none by itself."""
JUDGES: tuple[MethodType, ...] = tuple(kind for kind in get_args(MethodType) if kind != "GroundTruth")
"""Methods that need no task: what scores any samples, without a run."""
_ASKS: tuple[MethodType, ...] = ("MultipleChoice", "CoTScore", "CoTBinary", "Tournament")
_BY_A_MODEL: tuple[MethodType, ...] = ("Likelihood", *_ASKS)
READ_BY: dict[str, tuple[str, tuple[MethodType, ...]]] = {
    "template": ("template", _ASKS),
    "verifier": ("verifier", _BY_A_MODEL),
    "votes": ("votes", ("CoTScore", "CoTBinary", "Tournament")),
    "range": ("range", ("CoTScore",)),
    "min_mass": ("minMass", ("MultipleChoice",)),
    "labels": ("labels", ("MultipleChoice", "Tournament")),
    "reduction": ("reduction", ("Likelihood",)),
}
"""Settings that only some methods read."""


def methods_of(spec: Spec) -> list[tuple[str, Method]]:
    """The methods that are written down, with their fields."""
    return [(f"verification.methods[{index}]", method) for index, method in enumerate(spec.methods)]


def common_weighting(spec: Spec) -> Weighting | None:
    """The one weighting that cuts the combined ranks; None under All."""
    verification = spec.verification
    return verification.weighting if verification and verification.combine != "All" else None


def weighting_parameters(spec: Spec) -> Found:
    """A weighting has the parameter of its type and no other."""
    for field, method in methods_of(spec):
        yield _parameters(f"{field}.weighting", known(method, "weighting"))
    if spec.verification:
        yield _parameters("verification.weighting", spec.verification.weighting)


@each(methods_of)
def settings_of_the_method(field: str, method: Method) -> Found:
    """A method has only the settings it reads."""
    for attribute, (name, types) in READ_BY.items():
        unset = 1 if attribute == "votes" else None
        if known(method, attribute) not in (unset, None) and method.type not in types:
            yield Problem(
                f"{field}.{name}", f"{method.type} does not read it; remove it ({' and '.join(types)} may have it)"
            )


def names(spec: Spec) -> Found:
    """Names tell the scores of methods apart; those of the types are kept for what they say."""
    seen: dict[str, str] = {}
    for field, method in methods_of(spec):
        yield _name(field, method, seen)


def combination(spec: Spec) -> Found:
    """All needs each method's own filter, the other two one weighting for the ranks they make."""
    verification = spec.verification
    if verification is None:
        return
    combine, common = verification.combine, verification.weighting
    if combine == "All" and common is not None:
        yield Problem(
            "verification.weighting",
            "combine All weighs by each method's own weighting; remove it, or give combine Mean",
        )
    if combine != "All" and common is None:
        yield Problem("verification.weighting", f"missing; combine {combine} needs one for the combined ranks")


def weights(spec: Spec) -> Found:
    """Only combine Weighted counts some methods for more than others."""
    for field, method in methods_of(spec):
        if known(method, "weight") not in (1, None) and spec.verification and spec.verification.combine != "Weighted":
            yield Problem(f"{field}.weight", f"{method.weight:g} is read by combine Weighted only; remove it")


@each(methods_of)
def scoring_range(field: str, method: Method) -> Found:
    """A range of scores goes up."""
    if method.range is not None and not goes_up(method.range):
        yield Problem(f"{field}.range", f"{method.range} does not go up; give the lowest score first, as [1, 10]")


@each(methods_of)
def labels(field: str, method: Method) -> Found:
    """Two labels that can be told apart."""
    if method.labels is None:
        return
    positive, negative = method.labels.positive.strip(), method.labels.negative.strip()
    if not positive or not negative:
        yield Problem(f"{field}.labels", "a label is empty; give two words")
    elif positive.lower() == negative.lower():
        yield Problem(f"{field}.labels", f"{positive} and {negative} can't be told apart; give two different words")


@each(verifiers_of)
def verifier_sources(field: str, verifier: OtherModel) -> Found:
    """A verifier is read from a place that can hold a model."""
    yield from source_problems(field, verifier, MODEL_SCHEMES)


def ranks_of_one_prompt(spec: Spec) -> Found:
    """Ranks are among the samples of one prompt, so there must be several, and more than are kept."""
    samples = spec.generation.samples_per_prompt
    if samples == 1 and spec.verification and spec.verification.combine != "All":
        yield Problem(
            "verification.combine",
            f"{spec.verification.combine} ranks the samples of a prompt, and there is 1; "
            "give more generation.samplesPerPrompt",
        )
    common = common_weighting(spec)
    if samples > 1 and common and common.type == "TopK" and common.k is not None and common.k >= samples:
        yield Problem("verification.weighting.k", f"{common.k} keeps all {samples} samples of a prompt; give less")


def something_to_rank(spec: Spec) -> Found:
    """The same of each method's own weighting, and of votes."""
    samples = spec.generation.samples_per_prompt
    for field, method in methods_of(spec):
        yield _something_to_weigh(f"{field}.weighting", known(method, "weighting"), samples)
        if samples == 1 and known(method, "type") in ("MajorityVote", "Tournament"):
            yield Problem(
                f"{field}.type",
                f"{method.type} needs several samples of a prompt, and there is 1; "
                "give more generation.samplesPerPrompt",
            )


def goes_up(scores: Sequence[float]) -> bool:
    """Whether a range has its lowest score first: rules about its ends have nothing to say of another."""
    return scores[0] < scores[1]


RULES: tuple[Rule, ...] = (
    weighting_parameters,
    settings_of_the_method,
    names,
    combination,
    weights,
    scoring_range,
    labels,
    verifier_sources,
    ranks_of_one_prompt,
    something_to_rank,
)


def _parameters(field: str, weighting: Weighting | None) -> Found:
    for kind, name in PARAMETER.items():
        if weighting is not None:
            yield _parameter(field, weighting, kind, name)


def _parameter(field: str, weighting: Weighting, kind: WeightingType, name: str) -> Found:
    value = getattr(weighting, name)
    if kind == weighting.type and value is None:
        yield Problem(f"{field}.{name}", f"missing; a {weighting.type} weighting needs it")
    elif kind != weighting.type and value is not None:
        yield Problem(f"{field}.{name}", f"{value:g} belongs to a {kind} weighting, not to {weighting.type}; remove it")


def _name(field: str, method: Method, seen: dict[str, str]) -> Found:
    """`seen`: names of the methods before it and their fields, to which its own is added where it is known."""
    name = method.name or method.type
    if name in seen:
        yield Problem(f"{field}.name", f"{name} is the name of {seen[name]} too; give another one")
    seen.setdefault(name, field)
    if name != method.type and name in get_args(MethodType):
        yield Problem(f"{field}.name", f"{name} is the name of another type than {method.type}; give another one")
    elif name != method.type == "GroundTruth":
        yield Problem(
            f"{field}.name", f"{name} can't rename GroundTruth, whose verdicts are kept under that; remove it"
        )


def _something_to_weigh(field: str, weighting: Weighting | None, samples: int) -> Found:
    if samples == 1 and weighting and weighting.type in RELATIVE:
        yield Problem(
            f"{field}.type",
            f"{weighting.type} compares the samples of a prompt, and there is 1; give more generation.samplesPerPrompt",
        )
    elif weighting and weighting.type == "TopK" and weighting.k is not None and weighting.k >= samples:
        yield Problem(f"{field}.k", f"{weighting.k} keeps all {samples} samples of a prompt; give less")
