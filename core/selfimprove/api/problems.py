"""From a manifest to every problem in it, one exact line each: field, value, what is wrong, what to give instead.

A person mends a file once, not once a message: so all problems are found in one go, also those between fields, as far
as the fields they read are valid themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from selfimprove.api.halves import without_halves
from selfimprove.api.messages import message_of
from selfimprove.api.names import no_such_field
from selfimprove.api.problem import Problem
from selfimprove.api.rules import broken_rules
from selfimprove.api.schema import dotted
from selfimprove.api.sound import sound_part
from selfimprove.api.spec import Run, Spec

__all__ = ["Checked", "Problem", "check", "problems"]

Loc = tuple[str | int, ...]
_TOP = ("apiVersion", "kind", "metadata", "spec", "status")


class Checked(NamedTuple):
    """A manifest that was looked at: the run where it is valid, else None and why."""

    run: Run | None
    problems: list[Problem]
    spec: Spec | None
    """What is sound of its spec: all of it, or without the fields that are wrong; None where it has no spec at all."""


def problems(document: object) -> list[Problem]:
    """Everything that is wrong with a manifest, in the order of its fields, rules between fields last."""
    return check(document).problems


def check(document: object) -> Checked:
    """Parse a manifest, already read as JSON values, and find all its problems. Keys that are null count as absent."""
    if not isinstance(document, dict):
        return Checked(None, [Problem("", "a manifest is a map with apiVersion, kind, metadata and spec")], None)
    manifest, found = without_halves(dict(without_nulls(document)))
    found += [Problem(name, no_such_field((name,), _TOP)) for name in manifest if name not in _TOP]
    run, errors = _parse(manifest)
    found += [Problem(dotted(loc), message_of(error, loc)) for loc, error in _by_place(manifest, errors).items()]
    spec = run.spec if run else _sound_spec(manifest)
    if spec is not None:
        found += broken_rules(spec, whole=run is not None)
    return Checked(None if found else run, found, spec)


def without_nulls(value: Any) -> Any:
    """The value without the keys whose value is null: an API server drops them too, before it fills in defaults."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _parse(document: Mapping[str, Any]) -> tuple[Run | None, list[Any]]:
    """Strictly, and by the names in the schema only: what a cluster would refuse is not accepted here either."""
    try:
        text = json.dumps(document)
        return Run.model_validate_json(text, strict=True, by_alias=True, by_name=False), []
    except ValidationError as error:
        return None, list(error.errors(include_url=False))


def _by_place(document: Mapping[str, Any], errors: list[Any]) -> dict[Loc, Any]:
    """The first error of each place in the document: the branches of a union all complain at one."""
    places: dict[Loc, Any] = {}
    for error in errors:
        places.setdefault(_place(document, error), error)
    return places


def _place(document: Mapping[str, Any], error: Any) -> Loc:
    loc: Loc = tuple(step for step in error["loc"] if step != "[key]")
    if error["type"] == "missing":
        return loc
    value: Any = document
    for depth, step in enumerate(loc):
        inside = step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int)
        if not inside:
            return loc[:depth]
        value = value[step]
    return loc


def _sound_spec(document: Mapping[str, Any]) -> Spec | None:
    wanted = document.get("spec")
    return sound_part(Spec, wanted) if isinstance(wanted, dict) else None
