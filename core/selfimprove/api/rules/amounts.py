"""Rules about amounts as Kubernetes counts them: quantities, and seconds that fit its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from selfimprove.api.execution import PodSettings, Volume
from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.rules.placement import settings_of_steps, volumes_of
from selfimprove.api.schema import dotted
from selfimprove.api.sound import known
from selfimprove.api.spec import Spec

MOST_SECONDS = 2_147_483_647
"""Of a Job's fields, which are numbers of 32 bits."""
_QUANTITY = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
"""What Kubernetes takes for an amount of a resource (`resource.Quantity`), none of which is below 0."""


@each(settings_of_steps)
def resources(field: str, settings: PodSettings) -> Found:
    """An amount is a number, with a unit of Kubernetes' or none."""
    if settings.resources is not None:
        yield from _quantities(f"{field}.resources", settings.resources.to_json())


def size_of_the_cache(spec: Spec) -> Found:
    """The same of the cache's limit."""
    if spec.execution.cache is not None and spec.execution.cache.size_limit is not None:
        yield from _quantity("execution.cache.sizeLimit", spec.execution.cache.size_limit)


@each(volumes_of)
def sizes_of_volumes(field: str, volume: Volume) -> Found:
    """The same of what volumes hold or ask for."""
    if (limit := _inner(known(volume, "empty_dir")).get("sizeLimit")) is not None:
        yield from _quantity(f"{field}.emptyDir.sizeLimit", limit)
    claim = ("volumeClaimTemplate", "spec", "resources")
    yield from _quantities(f"{field}.ephemeral.{'.'.join(claim)}", _inner(known(volume, "ephemeral"), *claim))


def seconds(spec: Spec) -> Found:
    """Times are numbers that a Job can hold."""
    yield from _seconds("execution.pendingDeadlineSeconds", known(spec.execution, "pending_deadline_seconds"))
    yield from _seconds("execution.ttlSecondsAfterFinished", known(spec.execution, "ttl_seconds_after_finished"))
    for field, settings in settings_of_steps(spec):
        yield from _seconds(f"{field}.activeDeadlineSeconds", known(settings, "active_deadline_seconds"))


RULES: tuple[Rule, ...] = (resources, size_of_the_cache, sizes_of_volumes, seconds)


def _seconds(field: str, value: int | None) -> Iterator[Problem]:
    if value is not None and value > MOST_SECONDS:
        yield Problem(field, f"{value} is above {MOST_SECONDS}, the most that a Job takes; give less")


def _quantities(field: str, resources: object) -> Iterator[Problem]:
    for kind in ("requests", "limits"):
        for name, value in _inner(resources, kind).items():
            yield from _quantity(f"{field}.{dotted([kind, name])}", value)


def _quantity(field: str, value: object) -> Iterator[Problem]:
    if isinstance(value, bool) or not _QUANTITY.fullmatch(str(value)):
        yield Problem(field, f"{value} is no quantity; give a number from 0, as 2, 500m or 16Gi")


def _inner(value: object, *names: str) -> Mapping[str, Any]:
    """The map in a borrowed type; an empty one where something else stands, which a dry run tells of."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
