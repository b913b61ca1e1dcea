"""Rules about the pods that steps run in. What borrows a Kubernetes type is checked by the cluster's own dry run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfimprove.api.execution import PodSettings, Volume
from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Rule, rule
from selfimprove.api.spec import Spec

_SOURCES = {
    "persistent_volume_claim": "persistentVolumeClaim",
    "config_map": "configMap",
    "secret": "secret",
    "empty_dir": "emptyDir",
    "csi": "csi",
    "ephemeral": "ephemeral",
    "projected": "projected",
}


@rule("execution")
def volume_sources(spec: Spec) -> Iterator[Problem]:
    """A volume is one thing."""
    for index, volume in enumerate(spec.execution.volumes):
        given = [name for attribute, name in _SOURCES.items() if getattr(volume, attribute) is not None]
        if not given:
            yield Problem(
                f"execution.volumes[{index}]",
                f"{volume.name} has no source; give one of {', '.join(_SOURCES.values())}",
            )
        elif len(given) > 1:
            yield Problem(f"execution.volumes[{index}]", f"{volume.name} has {' and '.join(given)}; keep one")


@rule("execution")
def volume_places(spec: Spec) -> Iterator[Problem]:
    """Volumes have names and places of their own."""
    volumes = spec.execution.volumes
    for index, volume in enumerate(volumes):
        field = f"execution.volumes[{index}]"
        if not re.fullmatch(r"/[^:]+", volume.mount_path):
            yield Problem(
                f"{field}.mountPath", f"{volume.mount_path} is no absolute path; give one below /, without a colon"
            )
        yield from _taken(field, volume, volumes[:index])


@rule("execution")
def cache(spec: Spec) -> Iterator[Problem]:
    """The cache is a claim that stays or a folder that goes with the pod."""
    kept = spec.execution.cache
    if kept is not None and (kept.persistent_volume_claim_name is None) == (kept.size_limit is None):
        has = "both persistentVolumeClaimName and sizeLimit; keep one"
        if kept.size_limit is None:
            has = "neither persistentVolumeClaimName nor sizeLimit; give one, or remove it"
        yield Problem("execution.cache", f"has {has}")


@rule("execution")
def environment(spec: Spec) -> Iterator[Problem]:
    """A variable has a name, given once, and one value."""
    pods: dict[str, PodSettings] = {"defaults": spec.execution.defaults}
    pods |= {f"steps.{name}": settings for name, settings in spec.execution.steps.items()}
    for name, settings in pods.items():
        seen: set[str] = set()
        for index, variable in enumerate(settings.env or []):
            field = f"execution.{name}.env[{index}]"
            if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", variable.name):
                yield Problem(f"{field}.name", f"{variable.name} is no name of a variable; give letters, digits and _")
            if variable.name in seen:
                yield Problem(f"{field}.name", f"{variable.name} is there twice; keep one")
            seen.add(variable.name)
            if variable.value is not None and variable.value_from is not None:
                yield Problem(field, f"{variable.name} has both value and valueFrom; keep one")


@rule("execution")
def priority_needs_a_queue(spec: Spec) -> Iterator[Problem]:
    """A workload priority is Kueue's, who is asked by a queue's name."""
    priority = spec.execution.workload_priority_class_name
    if priority is not None and spec.execution.queue_name is None:
        yield Problem("execution.workloadPriorityClassName", f"{priority} is read by Kueue only; give queueName too")


RULES: tuple[Rule, ...] = (volume_sources, volume_places, cache, environment, priority_needs_a_queue)


def _taken(field: str, volume: Volume, earlier: list[Volume]) -> Iterator[Problem]:
    for other in earlier:
        if other.name == volume.name:
            yield Problem(f"{field}.name", f"{volume.name} is the name of another volume; give another one")
        if other.mount_path == volume.mount_path:
            yield Problem(
                f"{field}.mountPath", f"{volume.mount_path} is taken by volume {other.name}; give another one"
            )
