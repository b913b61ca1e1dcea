"""From a pydantic model to a structural schema, as `apiextensions.k8s.io/v1` asks for.

Structural means: every value has one type, written out in place. So references are inlined, an optional field is simply
one that is not required, and a union of types, which has no type of its own, is kept as it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from selfimprove.api.problems import without_nulls
from selfimprove.crd.words import describe

Schema = dict[str, Any]

PRESERVED = "x-kubernetes-preserve-unknown-fields"
_KEPT = ("minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "maxProperties")
_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_LONGEST = 253
"""Characters of a text that has no bound of its own: keys' values of maps, all of them names and labels."""
_LISTS: dict[str, Schema] = {
    "PodSettings.env": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "Execution.volumes": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "Status.conditions": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    "Lora.targetModules": {"x-kubernetes-list-type": "set"},
}
"""Lists whose entries have a key that is always there; methods have none (`name` is optional), so they are atomic."""
_WHOLE: Schema = {"x-kubernetes-map-type": "atomic"}
"""What one writer writes as a whole: the API server notes who owns it in one line, not in one for every number."""
_KEYED = ("Condition",)
"""Of a status all else may be written in parts: by others, before we do."""
_OPEN: dict[str, Schema] = {
    "Condition.type": {"type": "string", "maxLength": 316},
}
"""Fields that are wider in a cluster: anybody may add conditions of types of their own."""


def structural(model: type[BaseModel], *, written: bool) -> Schema:
    """The structural schema of a model.

    `written`: by people, so with defaults, patterns and words for all of it; else by us, from the very models.
    """
    schema = model.model_json_schema(by_alias=True)
    return _Inliner(schema.get("$defs", {}), written).object(schema, model.__name__, describe(model.__name__))


class _Inliner:
    """Walks a JSON schema with its definitions at hand; `owner` is the model that a field belongs to."""

    def __init__(self, definitions: Mapping[str, Schema], written: bool) -> None:
        self._definitions = definitions
        self._written = written

    def object(self, schema: Schema, owner: str, words: str) -> Schema:
        """A model with its fields."""
        result: Schema = {"description": words} if words else {}
        result["type"] = "object"
        if "required" in schema and (self._written or owner in _KEYED):
            result["required"] = schema["required"]
        result["properties"] = {name: self._field(each, owner, name) for name, each in schema["properties"].items()}
        return result | (_WHOLE if owner in _KEYED else {})

    def _field(self, schema: Schema, owner: str, name: str) -> Schema:
        place = f"{owner}.{name}"
        result = self._value(schema, describe(place)) | _LISTS.get(place, {})
        if place in _OPEN:
            result = dict(_OPEN[place])
        if self._written and schema.get("default") is not None:
            result["default"] = without_nulls(schema["default"])
        return result | (_WHOLE if owner == "Status" and result["type"] == "object" else {})

    def _value(self, schema: Schema, words: str = "") -> Schema:
        branches = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
        schema = branches[0]
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self.object(self._definitions[name], name, words or (describe(name) if self._written else ""))
        result: Schema = {"description": words} if words else {}
        if len(branches) > 1:
            return result | {PRESERVED: True}
        if schema["type"] == "object":
            return result | self._map(schema)
        if schema["type"] == "array":
            items = self._value(schema["items"])
            items.pop("description", None)
            return result | {"type": "array", "items": items} | _bounds(schema)
        scalar = _scalar(schema)
        if not self._written:
            scalar.pop("pattern", None)
        return result | scalar

    def _map(self, schema: Schema) -> Schema:
        free = schema.get("additionalProperties")
        if not isinstance(free, dict):
            return {"type": "object", PRESERVED: True}
        values = _without_words(self._value(free))
        return {"type": "object", "additionalProperties": values} | _bounds(schema)


def _without_words(schema: Schema) -> Schema:
    """What a map holds stands elsewhere too, with its words."""
    return {
        name: {field: _without_words(each) for field, each in value.items()}
        if name == "properties"
        else _without_words(value)
        if name == "items"
        else value
        for name, value in schema.items()
        if name != "description"
    }


def _scalar(schema: Schema) -> Schema:
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    result: Schema = {"type": schema["type"]}
    if choices:
        return result | {"enum": choices}
    if schema["type"] == "string":
        result["maxLength"] = _LONGEST
    bounds = _bounds(schema)
    if "pattern" in bounds:
        bounds.pop("minLength", None)
    return result | bounds


def _bounds(schema: Schema) -> Schema:
    """The bounds of a value; an exclusive one is a bound and a flag here."""
    result = {name: schema[name] for name in _KEPT if name in schema}
    for exclusive, bound in _EXCLUSIVE.items():
        if exclusive in schema:
            result |= {bound: schema[exclusive], exclusive: True}
    return result
