"""What `kubectl explain` says of each field: of a model its own docstring, of a field the line in `fields.yaml`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel

from selfimprove.api.base import Model

_ASIDE = re.compile(r"\s*\(design section [^)]*\)")
"""Points into a document that a user of `kubectl explain` does not have at hand."""


def describe(place: str) -> str:
    """The description of a model (`Generation`) or of a field (`Generation.topP`); empty where none is needed."""
    return _words().get(place, "")


def field_words() -> dict[str, str]:
    """Every line of `fields.yaml`, by model and field."""
    table: dict[str, dict[str, Any]] = yaml.safe_load(
        files("selfimprove.crd").joinpath("fields.yaml").read_text(encoding="utf-8")
    )
    return {f"{model}.{field}": str(words) for model, fields in table.items() for field, words in fields.items()}


@cache
def _words() -> dict[str, str]:
    models = {model.__name__: _docstring(model) for model in _descendants(Model)}
    return models | field_words()


def _docstring(model: type[BaseModel]) -> str:
    return " ".join(_ASIDE.sub("", model.__doc__ or "").split())


def _descendants(model: type[BaseModel]) -> list[type[BaseModel]]:
    below = model.__subclasses__()
    return below + [each for child in below for each in _descendants(child)]
