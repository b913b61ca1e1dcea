"""What is sound of a document with mistakes in it: the same pieces, without the fields that are wrong.

Such a field is not there at all, not even as its default: whoever reads it gets an `AttributeError`, and so never says
what is only true of a value that nobody gave.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from selfimprove.api.base import Model
from selfimprove.api.names import meant

M = TypeVar("M", bound=Model)
_WRONG = object()


def sound_part(model: type[M], document: Mapping[str, Any]) -> M:
    """The piece that a JSON object describes, as far as it does.

    Without fields that are wrong, or required and not given, or perhaps meant by a name that does not exist.
    """
    found = {name: _sound_field(model, name, document) for name in model.model_fields}
    right = {name: value for name, value in found.items() if value is not _WRONG}
    piece = cast(M, model.model_construct(**right))
    for name in found.keys() - right.keys():
        vars(piece).pop(name, None)
    return piece


def known(piece: Model, name: str) -> Any:
    """The value of a field; None where it is wrong, as where it is not given: for who speaks only of what is given."""
    return getattr(piece, name, None)


def _sound_field(model: type[Model], name: str, document: Mapping[str, Any]) -> Any:
    field = model.model_fields[name]
    key = str(field.alias)
    if key in document:
        return _sound(_adapter(model, name), field.annotation, document[key])
    names = [str(each.alias) for each in model.model_fields.values()]
    misspelled = any(meant(other, names) == key for other in document if other not in names)
    return _WRONG if field.is_required() or misspelled else field.get_default(call_default_factory=True)


def _sound(adapter: TypeAdapter[Any], annotation: Any, value: Any) -> Any:
    try:
        return adapter.validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError:
        return _sound_inside(annotation, value)


@cache
def _adapter(model: type[Model], name: str) -> TypeAdapter[Any]:
    """What reads one field by itself."""
    field = model.model_fields[name]
    kind: Any = field.annotation
    for bound in field.metadata:
        kind = Annotated[kind, bound]
    return TypeAdapter(kind)


_adapter_of = cache(TypeAdapter[Any])
"""What reads a type that no field bounds."""


def _sound_inside(annotation: Any, value: Any) -> Any:
    """The sound part of an object, or of each in a list or a map; `_WRONG` where the mistake is in none of them."""
    for kind in _kinds(annotation):
        if get_origin(kind) is list and isinstance(value, list):
            return _sound_items(get_args(kind)[0], value)
        if get_origin(kind) is dict and isinstance(value, dict):
            return _sound_entries(kind, value)
        if _is_model(kind) and isinstance(value, dict):
            return sound_part(kind, value)
    return _WRONG


def _sound_items(kind: Any, items: list[Any]) -> Any:
    """Objects, each in its place: of what is none at all no field is known. It may be the list that is too long."""
    if not _is_model(kind) or all(_is(kind, item) for item in items):
        return _WRONG
    return [sound_part(kind, item) if isinstance(item, dict) else _unknown(kind) for item in items]


def _sound_entries(kind: Any, entries: dict[str, Any]) -> Any:
    """The entries of right names, as far as they are sound. It may be the map that has too many."""
    names, values = get_args(kind)
    if all(_is(names, name) and _is(values, value) for name, value in entries.items()):
        return _WRONG
    found = {name: _sound(_adapter_of(values), values, value) for name, value in entries.items() if _is(names, name)}
    return {name: value for name, value in found.items() if value is not _WRONG}


def _unknown(model: type[M]) -> M:
    """A piece without any field."""
    piece = cast(M, model.model_construct())
    vars(piece).clear()
    return piece


def _is(kind: Any, value: Any) -> bool:
    """Whether nothing is wrong with a value of this type."""
    try:
        _adapter_of(kind).validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError:
        return False
    return True


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Model)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _kinds(each)
    elif origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    else:
        yield annotation
