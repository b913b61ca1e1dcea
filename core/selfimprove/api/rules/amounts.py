"""Rules about amounts as Kubernetes counts them: quantities, and seconds that fit its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Rule, rule
from selfimprove.api.rules.placement import settings_of_steps
from selfimprove.api.schema import dotted
from selfimprove.api.spec import Spec

MOST_SECONDS = 2_147_483_647
"""Of a Job's fields, which are numbers of 32 bits."""
_QUANTITY = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
"""What Kubernetes takes for an amount of a resource (`resource.Quantity`), none of which is below 0."""


@rule("execution")
def quantities(spec: Spec) -> Iterator[Problem]:
    """An amount is a number, with a unit of Kubernetes' or none."""
    for path, value in _quantities(spec):
        if isinstance(value, bool) or not _QUANTITY.fullmatch(str(value)):
            yield Problem(dotted(path), f"{value} is no quantity; give a number from 0, as 2, 500m or 16Gi")


@rule("execution")
def seconds(spec: Spec) -> Iterator[Problem]:
    """Times are numbers that a Job can hold."""
    execution = spec.execution
    given = {
        "pendingDeadlineSeconds": execution.pending_deadline_seconds,
        "ttlSecondsAfterFinished": execution.ttl_seconds_after_finished,
    }
    given |= {
        f"{name}.activeDeadlineSeconds": settings.active_deadline_seconds
        for name, settings in settings_of_steps(spec).items()
        if settings.active_deadline_seconds is not None
    }
    for name, value in given.items():
        if value > MOST_SECONDS:
            yield Problem(f"execution.{name}", f"{value} is above {MOST_SECONDS}, the most that a Job takes; give less")


RULES: tuple[Rule, ...] = (quantities, seconds)

Found = Iterator[tuple[list[str | int], Any]]


def _quantities(spec: Spec) -> Found:
    """Every amount of a spec, with the way there."""
    execution = spec.execution
    for name, settings in settings_of_steps(spec).items():
        if settings.resources is not None:
            yield from _of_resources(["execution", *name.split("."), "resources"], settings.resources.to_json())
    if execution.cache is not None and execution.cache.size_limit is not None:
        yield ["execution", "cache", "sizeLimit"], execution.cache.size_limit
    for index, volume in enumerate(execution.volumes):
        here: list[str | int] = ["execution", "volumes", index]
        if (limit := (volume.empty_dir or {}).get("sizeLimit")) is not None:
            yield [*here, "emptyDir", "sizeLimit"], limit
        claim = ("volumeClaimTemplate", "spec", "resources")
        yield from _of_resources([*here, "ephemeral", *claim], _inner(volume.ephemeral, *claim))


def _of_resources(path: list[str | int], resources: object) -> Found:
    for kind in ("requests", "limits"):
        for name, value in _inner(resources, kind).items():
            yield [*path, kind, name], value


def _inner(value: object, *names: str) -> Mapping[str, Any]:
    """The map in a borrowed type; an empty one where something else stands, which a dry run tells of."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
