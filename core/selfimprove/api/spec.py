"""`SelfImprovementRun.spec`: what a user writes (design section 3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from selfimprove.api.base import RUN_NAME, URI, Line, Model
from selfimprove.api.execution import Execution, Storage
from selfimprove.api.sampling import Evaluation, Generation
from selfimprove.api.selecting import Method, Resampling, Selection, Verification
from selfimprove.api.source import Dataset, ModelSource
from selfimprove.api.training import Distillation, Stopping

GROUP = "selfimprove.dev"
VERSION = "v1alpha1"
KIND = "SelfImprovementRun"
PLURAL = "selfimprovementruns"


class ResumeFrom(Model):
    """Another run whose committed steps are adopted up to an iteration."""

    uri: URI
    iteration: Annotated[int, Field(ge=0)]


class Spec(Model):
    """The whole of a run's settings. Only `model.uri`, `dataset.uri` and `dataset.task` are required."""

    model: ModelSource
    dataset: Dataset
    max_iterations: Annotated[int, Field(ge=1, le=1000)] = 3
    seed: Annotated[int, Field(ge=0, le=2**53)] = 0
    generation: Generation = Generation()
    evaluation: Evaluation = Evaluation()
    verification: Verification | None = None
    resampling: Resampling = Resampling()
    selection: Selection = Selection()
    distillation: Distillation = Distillation()
    stopping: Stopping = Stopping()
    storage: Storage = Storage()
    execution: Execution = Execution()
    resume_from: ResumeFrom | None = None
    suspend: bool = False

    @property
    def methods(self) -> list[Method]:
        """The verification methods that are written down; none before a run is resolved that leaves them out."""
        return self.verification.methods if self.verification else []


class Metadata(Model, extra="ignore"):
    """The part of Kubernetes' object metadata that the loop reads."""

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=RUN_NAME)]
    namespace: Line | None = None
    uid: Line | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class Run(Model, extra="ignore"):
    """A `SelfImprovementRun` as it stands in a file or in a cluster."""

    api_version: Literal["selfimprove.dev/v1alpha1"]
    kind: Literal["SelfImprovementRun"]
    metadata: Metadata
    spec: Spec
