"""Samples of anybody's, scored by any model: what a worker process is asked for, since the core knows no model library.

    {"question": "What is 3 + 4?", "response": "It is 7.", "prompt": "p1", "sample": 0, "utility": 1}

`question` and `response` are read; in place of a question, `messages` may hold the whole chat. All else passes through,
and `scores`, the label `mass`, the `critiques` and `scoredBy` (what exactly made a score) are added to.
"""

from __future__ import annotations

import re

from selfimprove.api.base import Model
from selfimprove.api.execution import Storage
from selfimprove.api.sampling import Generation
from selfimprove.api.selecting import Method
from selfimprove.api.source import ModelSource
from selfimprove.worker_process import have_done


class ScoredFile(Model):
    """A file to score, and where the result goes."""

    samples: str
    output: str
    """Of the same format or the other; may be `samples` itself."""


class Places(Model):
    """What the YAML of a matrix calls what messages name as fields of a run."""

    model: str
    methods: dict[str, str]
    """By the method's name."""
    generation: str


class ScoringOrder(Model):
    """Files to score by one model; without files it is only looked whether the model can be asked so."""

    model: ModelSource
    methods: list[Method]
    """With every default in them, and distinct names."""
    files: list[ScoredFile]
    generation: Generation = Generation()
    """Which engine, and how critiques are drawn."""
    storage: Storage = Storage()
    """The S3 server that the model may be on."""
    seed: int = 0
    places: Places | None = None
    """Where a matrix asks; else `selfimprove verify` does, whose options messages name."""


def score_samples(order: ScoringOrder) -> None:
    """Have it done, from wherever an earlier attempt stopped; the worker says on standard error how far it is.

    Raises `SelfImproveError` with the worker's exit code, after it has said why.
    """
    outputs = ", ".join(file.output for file in order.files)
    failure = f"{outputs}: not all is scored; mend what the lines above name, and the same command scores what is left"
    if not order.files:
        failure = "nothing was sampled; mend what the lines above name, and give the same command again"
    have_done("score-samples", order.model_dump_json(by_alias=True), failure)


def as_asked(message: str, places: Places | None) -> str:
    """A message that names a field of a run, with what whoever asked calls it."""
    if places is None:
        return as_option(message)
    message = re.sub(r"^spec\.model(\.\w+)?: ", lambda _: f"{places.model}: ", message)
    message = re.sub(r"^spec\.generation(?=[.:])", lambda _: places.generation, message)
    return re.sub(
        r"^spec\.verification\.methods\[([^\]]*)\]",
        lambda found: places.methods.get(found[1], found[0]),
        message,
    )


def as_option(message: str) -> str:
    """A message that names a field of a run, with the option of `selfimprove verify` that stands for it."""
    message = re.sub(r"^spec\.model(\.uri)?:", "MODEL:", message)
    found = re.match(
        r"spec\.(?:verification\.methods\[([^\]]*)\]|generation(?:\.engineArgs)?|model)\.(\w+)(?:\.\w+)*: ", message
    )
    if found is None:
        return message
    name, field = found.groups()
    words = "method" if field in ("type", "name") else dashed(field)
    whose = f" of {name}" if name and not name.isdigit() else ""
    return f"--{words}{whose}: {message[found.end() :]}"


def dashed(field: str) -> str:
    """A field's name as an option has it: `min-mass` for `minMass`."""
    return re.sub(r"([A-Z])", lambda m: f"-{m[0].lower()}", field)
