"""The defaults that depend on something, filled in once, so that steps read one finished spec and people can see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from selfimprove.api.base import Model
from selfimprove.api.defaults import verification_of
from selfimprove.api.flat import leaves
from selfimprove.api.sampling import Evaluation, Generation
from selfimprove.api.schema import dotted, schema_at
from selfimprove.api.selecting import Method, Verification
from selfimprove.api.source import Dataset, FieldMap, HeldOut
from selfimprove.api.spec import Spec

HELD_OUT = HeldOut(fraction=0.1, limit=500)
GYM_PROMPT = "question"
"""The column that every item of a reasoning-gym dataset asks its question in."""


@dataclass(frozen=True)
class Surroundings:
    """What a default may depend on outside of the spec: one machine has other places than a cluster."""

    storage_uri: str = "./runs"


def resolve(spec: Spec, *, surroundings: Surroundings) -> Spec:
    """The spec with every dependent default in it. Resolving again changes nothing."""
    return spec.model_copy(
        update={
            "dataset": _dataset(spec.dataset),
            "evaluation": _evaluation(spec.evaluation, spec.generation),
            "verification": _verification(verification_of(spec.dataset, spec.verification), spec.generation),
            "storage": spec.storage.model_copy(update={"uri": spec.storage.uri or surroundings.storage_uri}),
        }
    )


def resolved_defaults(before: Spec, after: Spec) -> dict[str, object]:
    """What resolving added or changed: dotted path -> value, as `plan` shows it and `status.resolved` keeps it.

    Defaults that are constants stand in the schema and are not repeated here.
    """
    written = dict(leaves(before.to_json(), ("spec",)))
    return {
        dotted(path): value
        for path, value in leaves(after.to_json(), ("spec",))
        if value != (written[path] if path in written else (schema_at(path) or {}).get("default"))
    }


def _dataset(dataset: Dataset) -> Dataset:
    """Held-out prompts for a run that names none; a Gym item's own column for a prompt that is not mapped.

    Judged by the value, not by whether it was written down: a cluster fills in the constant default before we see it.
    """
    fields = dataset.fields
    if dataset.task == "Gym" and fields.prompt == FieldMap().prompt:
        fields = fields.model_copy(update={"prompt": GYM_PROMPT})
    return dataset.model_copy(update={"fields": fields, "held_out": dataset.held_out or HELD_OUT})


def _evaluation(evaluation: Evaluation, generation: Generation) -> Evaluation:
    """What is not said of evaluation is as in generation."""
    names = ("top_p", "top_k", "max_tokens", "stop")
    return evaluation.model_copy(update=_inherited(evaluation, generation, names))


def _inherited(settings: Model, generation: Generation, names: Iterable[str]) -> dict[str, object]:
    """What settings leave to `generation`, as it is there."""
    return {name: getattr(generation, name) for name in names if getattr(settings, name) is None}


def _verification(verification: Verification, generation: Generation) -> Verification:
    """A verifier runs as generation does where it says nothing of its engine, or nothing of its settings."""
    return verification.model_copy(update={"methods": [_method(each, generation) for each in verification.methods]})


def _method(method: Method, generation: Generation) -> Method:
    """`engineArgs` are one engine's for one model, and taken whole or not at all."""
    verifier = method.verifier
    if verifier is None:
        return method
    update = _inherited(verifier, generation, ("engine", "engine_args"))
    return method.model_copy(update={"verifier": verifier.model_copy(update=update)})
