"""Rules about the pods that steps run in. What borrows a Kubernetes type is checked by the cluster's own dry run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfimprove.api.base import OBJECT_NAME, PATTERNS
from selfimprove.api.execution import EnvVar, PodSettings, Volume
from selfimprove.api.problem import Problem
from selfimprove.api.reserved import OWN_VARIABLES, OWN_VOLUMES, is_taken
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.sound import known
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
_HOST = r"(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?)(:[0-9]+)?"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = rf"({_HOST}/)?{_PART}(/{_PART})*(:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(@[a-z0-9]+:[0-9a-f]{{32,}})?"
"""A reference as the registries' own grammar has it (distribution/reference), a little wider in its host."""


def volumes_of(spec: Spec) -> Iterator[tuple[str, Volume]]:
    """The volumes, with their fields."""
    for index, volume in enumerate(spec.execution.volumes):
        yield f"execution.volumes[{index}]", volume


def settings_of_steps(spec: Spec) -> Iterator[tuple[str, PodSettings]]:
    """All pod settings of a spec, with their fields."""
    if (defaults := known(spec.execution, "defaults")) is not None:
        yield "execution.defaults", defaults
    for name, settings in spec.execution.steps.items():
        yield f"execution.steps.{name}", settings


@each(volumes_of)
def volume_sources(field: str, volume: Volume) -> Found:
    """A volume is one thing."""
    given = [name for attribute, name in _SOURCES.items() if getattr(volume, attribute) is not None]
    if not given:
        yield Problem(field, f"has no source; give one of {', '.join(_SOURCES.values())}")
    elif len(given) > 1:
        yield Problem(field, f"has {' and '.join(given)}; keep one")


def volume_places(spec: Spec) -> Found:
    """Volumes have names and places of their own."""
    earlier: list[Volume] = []
    for field, volume in volumes_of(spec):
        yield _mount_path(f"{field}.mountPath", volume)
        yield _volume_name(f"{field}.name", volume)
        yield _taken_name(f"{field}.name", volume, earlier)
        yield _taken_path(f"{field}.mountPath", volume, earlier)
        earlier.append(volume)


def cache(spec: Spec) -> Found:
    """The cache is a claim that stays or a folder that goes with the pod."""
    kept = spec.execution.cache
    if kept is not None and (kept.persistent_volume_claim_name is None) == (kept.size_limit is None):
        has = "both persistentVolumeClaimName and sizeLimit; keep one"
        if kept.size_limit is None:
            has = "neither persistentVolumeClaimName nor sizeLimit; give one, or remove it"
        yield Problem("execution.cache", f"has {has}")


@each(settings_of_steps)
def environment(field: str, settings: PodSettings) -> Found:
    """A variable has a name, given once, and one value."""
    seen: set[str] = set()
    for index, variable in enumerate(settings.env or []):
        yield _variable(f"{field}.env[{index}].name", variable, seen)
        yield _one_value(f"{field}.env[{index}]", variable)


def priority_needs_a_queue(spec: Spec) -> Found:
    """A workload priority is Kueue's, who is asked by a queue's name."""
    priority = spec.execution.workload_priority_class_name
    if priority is not None and spec.execution.queue_name is None:
        yield Problem("execution.workloadPriorityClassName", f"{priority} is read by Kueue only; give queueName too")


def queue(spec: Spec) -> Found:
    """A queue's name becomes a label."""
    name = spec.execution.queue_name
    if name is not None and not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?", name):
        yield Problem(
            "execution.queueName",
            f"{name or 'empty text'} names no queue; give at most 63 {PATTERNS[OBJECT_NAME]}",
        )


def images(spec: Spec) -> Found:
    """An image is named as registries name theirs."""
    for name, image in spec.execution.images.to_json().items():
        if not re.fullmatch(_IMAGE, str(image)):
            yield Problem(
                f"execution.images.{name}",
                f"{image or 'empty text'} names no image; give REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST, "
                "NAME in lower case",
            )


RULES: tuple[Rule, ...] = (
    volume_sources,
    volume_places,
    cache,
    environment,
    priority_needs_a_queue,
    queue,
    images,
)


def _mount_path(field: str, volume: Volume) -> Found:
    if not re.fullmatch(r"/[^:]+", volume.mount_path):
        yield Problem(field, f"{volume.mount_path} is no absolute path; give one below /, without a colon")
    elif is_taken(volume.mount_path):
        yield Problem(field, f"{volume.mount_path} would hide what workers need there; give another, as /data")


def _volume_name(field: str, volume: Volume) -> Found:
    if volume.name.startswith(OWN_VOLUMES) or not re.fullmatch(r"[a-z0-9-]{1,63}", volume.name):
        yield Problem(
            field,
            f"{volume.name} can't name a volume; give at most 63 lower-case letters, digits and -, "
            f"not beginning with {OWN_VOLUMES}",
        )


def _taken_name(field: str, volume: Volume, earlier: list[Volume]) -> Found:
    if any(known(other, "name") == volume.name for other in earlier):
        yield Problem(field, f"{volume.name} is the name of another volume; give another one")


def _taken_path(field: str, volume: Volume, earlier: list[Volume]) -> Found:
    if other := next((other for other in earlier if known(other, "mount_path") == volume.mount_path), None):
        yield Problem(field, f"{volume.mount_path} is taken by volume {other.name}; give another one")


def _variable(field: str, variable: EnvVar, seen: set[str]) -> Found:
    """`seen`: names of the variables before it, to which its own is added."""
    if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", variable.name):
        yield Problem(field, f"{variable.name} is no name of a variable; give letters, digits and _")
    if variable.name in OWN_VARIABLES:
        yield Problem(field, f"{variable.name} is the worker's own and would not be heeded; remove it")
    if variable.name in seen:
        yield Problem(field, f"{variable.name} is there twice; keep one")
    seen.add(variable.name)


def _one_value(field: str, variable: EnvVar) -> Found:
    if variable.value is not None and variable.value_from is not None:
        yield Problem(field, "has both value and valueFrom; keep one")
