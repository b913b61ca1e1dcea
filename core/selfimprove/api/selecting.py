"""From samples to training data: verification, weighting, resampling, selection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from selfimprove.api.base import URI, Line, MethodName, Model, Name, Text, Token
from selfimprove.api.sampling import EngineArgs, EngineName
from selfimprove.api.source import ModelSource

WeightingType = Literal["Threshold", "Quantile", "Softmax", "TopK"]
MethodType = Literal[
    "GroundTruth", "Likelihood", "MajorityVote", "MultipleChoice", "CoTScore", "CoTBinary", "Tournament"
]
StrategyName = Literal["None", "BruteForce", "AnswerDriven", "RationaleDriven", "Interactive", "StateReset", "Adaptive"]


class Weighting(Model):
    """Score to weight (Mind the Gap, Examples 2.1 and 2.2): a cut that is absolute or per prompt, or a softmax."""

    type: WeightingType
    threshold: float | None = None
    quantile: Annotated[float, Field(ge=0, lt=1)] | None = None
    beta: Annotated[float, Field(gt=0)] | None = None
    k: Annotated[int, Field(ge=1)] | None = None


class Labels(Model):
    """The two words whose next-token probabilities are compared: right or wrong, or which of two is better."""

    positive: Token = "Yes"
    negative: Token = "No"


class OtherModel(ModelSource):
    """A model that is not the run's own, and the engine that it runs in: where that is not set, as in `generation`."""

    engine: EngineName | None = None
    engine_args: EngineArgs | None = None


_ENGINE = {"verifier": {"engine", "engine_args"}}


class Method(Model):
    """One verification method: what gives each sample a score, and how that score becomes a weight."""

    type: MethodType
    name: MethodName | None = None
    """Unique among the methods; the type where it is not given."""
    weighting: Weighting | None = None
    weight: Annotated[float, Field(gt=0)] = 1.0
    verifier: OtherModel | None = None
    template: Text | None = None
    votes: Annotated[int, Field(ge=1, le=64)] = 1
    range: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    min_mass: Annotated[float, Field(ge=0, le=1)] | None = None
    labels: Labels | None = None
    reduction: Literal["Mean", "Sum"] | None = None

    def recipe(self) -> dict[str, object]:
        """What of it a manifest is known by: no more of the verifier's engine than of generation's."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=_ENGINE)


class Verification(Model):
    """The methods, and how their filters meet."""

    methods: Annotated[list[Method], Field(min_length=1, max_length=8)]
    combine: Literal["All", "Mean", "Weighted"] = "All"
    weighting: Weighting | None = None

    def recipe(self) -> dict[str, object]:
        """What of it a manifest is known by; see `Method.recipe`."""
        return self.to_json() | {"methods": [method.recipe() for method in self.methods]}


class Teacher(Model):
    """Who writes the critiques of Interactive guidance: a model, or an OpenAI-style endpoint."""

    uri: URI | None = None
    api_url: Annotated[URI | None, Field(alias="apiURL")] = None
    model: Line | None = None
    parallelism: Annotated[int, Field(ge=1, le=1024)] = 16
    deadline_seconds: Annotated[int, Field(ge=1)] = 600
    credentials_secret_name: Name | None = None


class Resampling(Model):
    """Re-sampling of the tail (Socratic-Guided Sampling, arXiv 2411.00750): prompts with too few accepted samples."""

    strategy: StrategyName = "None"
    target: Annotated[int, Field(ge=1)] = 4
    accept_threshold: float | None = None
    samples_per_round: Annotated[int, Field(ge=1, le=1024)] = 1
    max_rounds: Annotated[int, Field(ge=1, le=1024)] = 8
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """What guided samples of one iteration may cost, all prompts together."""
    schedule: Literal["Lines", "Tokens", "Paper"] | None = None
    teacher: Teacher | None = None
    template: Text | None = None
    """What the student is shown (`hinting.STUDENT`): the name of one of ours, or a text."""
    critique_template: Text | None = None
    """What the teacher is asked."""
    leak_probe: bool = False


class Selection(Model):
    """Which of the kept samples become training examples."""

    per_prompt_cap: Annotated[int, Field(ge=1)] | None = None
    balance: bool = False
    deduplicate: bool = True
    accept_truncated: bool = False
    replay: Literal["None", "Previous", "All"] = "None"
    seed_training: Literal["None", "References"] = "None"
    normalise: Literal["Prompt", "None"] = "Prompt"
