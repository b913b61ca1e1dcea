"""What an executor tells a worker to do: one document, in a pod's environment or on a process's standard input."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from selfimprove.api.base import Model
from selfimprove.api.execution import StepName
from selfimprove.api.spec import Metadata, Spec
from selfimprove.ledger import StepId
from selfimprove.loop import trains
from selfimprove.summaries import Summary

LOOKS: tuple[StepName, ...] = ("evaluate", "measure")
"""Steps that look at a model and make nothing of it."""
AT_FIRST: tuple[StepName, ...] = ("distill", *LOOKS)
"""Steps of iteration 0, the first where `selection.seedTraining` says so."""


class OrderedStep(Model):
    """One step to do."""

    iteration: Annotated[int, Field(ge=0)]
    step: StepName
    split: str = ""

    @model_validator(mode="after")
    def _is_a_step_of_the_loop(self) -> OrderedStep:
        """Iteration 0 and the test set look at a model; other steps would miss their input in an odd way there."""
        if self.split not in ("", "test"):
            raise PydanticCustomError("no_split", "split {split} is none; it is test or empty", {"split": self.split})
        if self.split and self.step not in LOOKS:
            raise PydanticCustomError("no_step", f"the test set has {' and '.join(LOOKS)} only, not {self.step}")
        if self.iteration == 0 and self.step not in AT_FIRST:
            raise PydanticCustomError("no_step", f"iteration 0 has {' and '.join(AT_FIRST)} only, not {self.step}")
        return self

    @property
    def id(self) -> StepId:
        """The step as the ledger knows it."""
        return StepId(self.iteration, self.step, self.split)


class Order(Model, extra="ignore"):
    """One shard of one step, or of several in a row on one loaded model.

    A worker of an older version passes over what it does not know: an installation may be upgraded during a run.
    """

    run_uri: Annotated[str, Field(alias="runURI")]
    spec: Spec
    """Resolved: a worker adds no default of its own."""
    steps: Annotated[list[OrderedStep], Field(min_length=1)]
    shard: Annotated[int, Field(ge=0)] = 0
    shards: Annotated[int, Field(ge=1)] = 1
    attempt: str
    """Unique among all attempts at this run: it names the folder that only this process writes to."""
    metadata: Metadata | None = None
    """Of the resource, where no `run.json` was written before the first step: the worker writes it."""

    @model_validator(mode="after")
    def _trains_m_0_only_when_asked(self) -> Order:
        """A checkpoint in iteration 0 would be nobody's M_0."""
        if StepId(0, "distill") in (step.id for step in self.steps) and not trains(self.spec, 0):
            raise PydanticCustomError("no_seed", "i000-distill needs selection.seedTraining References")
        return self


class Failure(Model):
    """How a step ended that did not end well."""

    step: str
    exit_code: int
    message: str
    prompts_done: int = 0
    """How far the order is in storage, in prompts of every step so far: an attempt that got further shows more."""


class Reply(Model):
    """What a serving worker answers to an order."""

    summaries: list[Summary] = []
    failure: Failure | None = None
