"""The places that a spec names to read from, each with its field: one list for whoever looks at them all."""

from __future__ import annotations

from collections.abc import Iterator

from selfimprove.api.selecting import OtherModel
from selfimprove.api.sound import known
from selfimprove.api.source import Dataset, HeldOut, Source, TestSet
from selfimprove.api.spec import Spec


def sources_of(spec: Spec) -> Iterator[tuple[str, Source | HeldOut | TestSet]]:
    """The model, the sets of prompts and the verifiers; a teacher, which may be a server, is none of them."""
    yield "model", spec.model
    yield from datasets_of(spec.dataset)
    yield from verifiers_of(spec)


def datasets_of(dataset: Dataset) -> Iterator[tuple[str, Dataset | HeldOut | TestSet]]:
    """The sources of prompts, the training one first."""
    yield "dataset", dataset
    if (held_out := known(dataset, "held_out")) is not None:
        yield "dataset.heldOut", held_out
    if (test := known(dataset, "test")) is not None:
        yield "dataset.test", test


def verifiers_of(spec: Spec) -> Iterator[tuple[str, OtherModel]]:
    """The models that verify in place of the run's own."""
    for index, method in enumerate(spec.methods):
        if (verifier := known(method, "verifier")) is not None:
            yield f"verification.methods[{index}].verifier", verifier
