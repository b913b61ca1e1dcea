"""Where models and datasets come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from selfimprove.api.base import URI, Column, Line, Model, Name, Pattern, Text


class Source(Model):
    """A place to read from: hf://, s3://, file://, gym:// or package://, a folder, a file or a glob."""

    uri: Annotated[URI, Field(examples=["hf://OWNER/NAME"])]
    revision: Line | None = None
    endpoint: URI | None = None
    credentials_secret_name: Name | None = None
    token_secret_name: Name | None = None


class ModelSource(Source):
    """A language model: a Hugging Face folder of safetensors, or a GGUF file."""

    chat_template: Text | None = None


class FieldMap(Model):
    """Which column of the dataset is what; dotted paths reach into structs."""

    id: Column | None = None
    prompt: Column = "prompt"
    answer: Column | None = None
    rationale: Column | None = None
    difficulty: Column | None = None
    choices: Column | None = None


class Shot(Model):
    """One worked example that stands before every prompt as an earlier turn."""

    prompt: Text
    completion: Text


class HeldOut(Model):
    """Prompts nobody trains on: a source of their own, or a fraction of the dataset by hash of the prompt."""

    uri: URI | None = None
    revision: Line | None = None
    endpoint: URI | None = None
    credentials_secret_name: Name | None = None
    token_secret_name: Name | None = None
    fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


class TestSet(Model):
    """Prompts that are used once, for the best checkpoint."""

    __test__ = False

    uri: URI
    revision: Line | None = None
    endpoint: URI | None = None
    credentials_secret_name: Name | None = None
    token_secret_name: Name | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


TaskName = Literal["Math", "Choice", "Exact", "Program", "Gym"]


class Dataset(Source):
    """The prompts, how their columns map, and the task that checks their answers."""

    uri: Annotated[URI, Field(examples=["hf://datasets/OWNER/NAME/PATH"])]
    task: TaskName
    fields: FieldMap = FieldMap()
    template: Text | None = None
    system: Text | None = None
    few_shot: Annotated[list[Shot], Field(max_length=64)] = []
    answer_pattern: Pattern | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    grading: Literal["Flexible", "Strict"] = "Flexible"
    held_out: HeldOut | None = None
    test: TestSet | None = None
