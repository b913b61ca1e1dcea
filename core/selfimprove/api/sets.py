"""`--set PATH=VALUE`: one field of a manifest changed from the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from selfimprove.api.kubeyaml import documents
from selfimprove.api.messages import show
from selfimprove.api.names import no_such_field
from selfimprove.api.schema import dotted, fields_at, schema_at
from selfimprove.errors import UserError

_ROOTS = ("apiVersion", "kind", "metadata", "spec")
_STEP = re.compile(r"\[([^\]]*)\]|\.?([^.\[\]]+)")

Steps = list[str | int]


def apply_sets(document: Mapping[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    """A copy of a manifest with each `PATH=VALUE` in it, later ones over earlier ones.

    PATH is dotted, with or without `spec.` in front, lists by `[0]` or `.0` (the next free number adds an entry), keys
    with dots in `[...]`. VALUE is YAML; what is no YAML is text, and nothing at all takes the field away, so that its
    default counts. Raises `UserError` for a path that is none, in the words of `problems`.
    """
    changed: dict[str, Any] = deepcopy(dict(document))
    for each in sets:
        path, equals, value = each.partition("=")
        if not equals or not path.strip():
            raise UserError(f"--set {each}: is no PATH=VALUE; give one, as spec.maxIterations=5")
        _put(changed, _steps(path.strip(), each), _value(value))
    return changed


def _steps(path: str, whole: str) -> Steps:
    found = list(_STEP.finditer(path))
    if not found or "".join(match[0] for match in found) != path:
        raise UserError(f"--set {whole}: {path} is no path; give one, as spec.verification.methods[0].type")
    steps: Steps = [match[1] if match[1] is not None else match[2] for match in found]
    if steps[0] not in _ROOTS:
        steps.insert(0, "spec")
    for depth in range(1, len(steps)):
        if str(steps[depth]).isdecimal() and (schema_at(steps[:depth]) or {}).get("type") == "array":
            steps[depth] = int(steps[depth])
    _check(steps)
    return steps


def _check(steps: Steps) -> None:
    """Raises `UserError` at the first step that leads nowhere."""
    for depth in range(1, len(steps) + 1):
        if steps[0] == "metadata" or schema_at(steps[:depth]) is not None:
            continue
        here = schema_at(steps[: depth - 1]) or {}
        if here.get("type") == "array":
            message = f"{dotted(steps[: depth - 1])} is a list; give the number of an entry, as [0]"
        elif here.get("type") == "object":
            message = no_such_field(steps[:depth], fields_at(steps[: depth - 1]))
        else:
            message = f"no such field; {dotted(steps[: depth - 1])} has none inside"
        raise UserError(f"{dotted(steps[:depth])}: {message}")


def _value(text: str) -> Any:
    """YAML where it is YAML that says something; a pattern that begins with # or [ is text."""
    if not text.strip():
        return None
    try:
        values = documents(text, "--set")
    except UserError:
        return text
    return values[0] if len(values) == 1 else None if text.strip() in ("~", "null") else text


def _put(document: dict[str, Any], steps: Steps, value: Any) -> None:
    here: Any = document
    for depth, step in enumerate(steps[:-1]):
        here = _inside(here, step, steps[: depth + 1], [] if isinstance(steps[depth + 1], int) else {})
    last = steps[-1]
    if isinstance(here, list):
        _inside(here, last, steps, value)
        here[int(last)] = value
    elif value is None:
        here.pop(last, None)
    else:
        here[last] = value


def _inside(here: Any, step: str | int, path: Steps, fresh: Any) -> Any:
    """What stands at a step, made where nothing does."""
    if isinstance(step, int):
        if step > len(here):
            count = "is 1 entry" if len(here) == 1 else f"are {len(here)} entries"
            raise UserError(f"{dotted(path)}: there {count}; give at most [{len(here)}] to add one")
        if step == len(here):
            here.append(fresh)
        return here[step]
    if here.get(step) is None:
        here[step] = fresh
    if not isinstance(here[step], type(fresh)):
        raise UserError(f"{dotted(path)}: is {show(here[step])}, so nothing inside it can be set; mend it first")
    return here[step]
