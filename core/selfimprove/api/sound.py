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


def lacks(piece: Model) -> set[str]:
    """The fields that a piece is without, as YAML names them."""
    return {str(field.alias) for name, field in type(piece).model_fields.items() if name not in vars(piece)}


def _sound_field(model: type[Model], name: str, document: Mapping[str, Any]) -> Any:
    field = model.model_fields[name]
    key = str(field.alias)
    if key in document:
        return _sound(model, name, document[key])
    names = [str(each.alias) for each in model.model_fields.values()]
    misspelled = any(meant(other, names) == key for other in document if other not in names)
    return _WRONG if field.is_required() or misspelled else field.get_default(call_default_factory=True)


def _sound(model: type[Model], name: str, value: Any) -> Any:
    try:
        return _adapter(model, name).validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError:
        return _sound_inside(model.model_fields[name].annotation, value)


@cache
def _adapter(model: type[Model], name: str) -> TypeAdapter[Any]:
    """What reads one field by itself."""
    field = model.model_fields[name]
    kind: Any = field.annotation
    for bound in field.metadata:
        kind = Annotated[kind, bound]
    return TypeAdapter(kind)


def _sound_inside(annotation: Any, value: Any) -> Any:
    """The sound part of an object or of each object in a list; `_WRONG` where the mistake is no field's of theirs."""
    for kind in _kinds(annotation):
        if get_origin(kind) is list and isinstance(value, list):
            items = [_sound_inside(get_args(kind)[0], item) for item in value]
            return _WRONG if any(item is _WRONG for item in items) or all(map(_whole, items)) else items
        if isinstance(kind, type) and issubclass(kind, Model) and isinstance(value, dict):
            return sound_part(kind, value)
    return _WRONG


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


def _whole(piece: Model) -> bool:
    """Whether nothing is wrong with a piece: then it is the list, too long or too short, that is."""
    return not lacks(piece) and all(_whole(value) for value in vars(piece).values() if isinstance(value, Model))
