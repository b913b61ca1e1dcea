"""Which field of a run a part of its Jobs was made from, so that whoever wrote the field is told its own name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_snake

from selfimprove.api.execution import PodSettings
from selfimprove.api.flat import leaves
from selfimprove.api.installation import Defaults
from selfimprove.api.schema import dotted
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove_operator.pods import image_field

_SETTINGS = "affinity|tolerations|nodeSelector|runtimeClassName|priorityClassName"
_WORKER = r"containers(?:\[0\])?"
_SECRET_FIELDS = ("credentialsSecretName", "tokenSecretName", "secretName")


@dataclass(frozen=True)
class Origins:
    """Of the Job of a step. `spec`: resolved, with the installation's defaults in it."""

    spec: Spec
    defaults: Defaults
    step: StepId
    namespace: str

    def setting(self, name: str) -> str:
        """The field that gives the step's pods a setting (`nodeSelector`), or would; a value of the chart is said to be
        one.
        """
        given = (field for field, layer in self._layers.items() if _has(layer, name))
        return f"{next(given, 'spec.execution.defaults')}.{name}"

    def to_give(self, name: str) -> str:
        """The field of the run that decides on a setting of the step's pods, whoever gave it."""
        found = self.setting(name)
        return found if found.startswith("spec.") else f"spec.execution.defaults.{name}"

    def placement(self) -> str:
        """The fields that say which nodes take the step's pods."""
        given = [name for name in ("nodeSelector", "affinity") if self._gives(name)]
        return " and ".join(map(self.to_give, given or ["nodeSelector"]))

    def image(self) -> str:
        """The field that names the step's image."""
        return f"spec.execution.images.{image_field(self.spec, self.step)}"

    def secret(self, name: str) -> str:
        """The fields that name a Secret, or where variables are given if none does."""
        named = [path for path, value in leaves(self.spec.to_json(), ("spec",)) if value == name]
        fields = [dotted(path) for path in named if path[-1] in _SECRET_FIELDS]
        return " and ".join(fields) or self.to_give("env")

    def variable(self, name: str) -> str | None:
        """The entry of an `env` that gives the step's pods a variable, the uppermost layer's; None where none does."""
        layers = {f"{field}.env": layer.env for field, layer in self._layers.items()}
        for field, given in {**layers, "the chart's defaults.env": self.defaults.env}.items():
            for index, each in enumerate(given or []):
                if each.name == name:
                    return f"{field}[{index}]"
        return None

    def claim(self, name: str) -> str:
        """The field that names a PersistentVolumeClaim."""
        for index, volume in enumerate(self.spec.execution.volumes):
            if (volume.persistent_volume_claim or {}).get("claimName") == name:
                return f"spec.execution.volumes[{index}].persistentVolumeClaim.claimName"
        cache = self.spec.execution.cache
        of_cache = cache is not None and cache.persistent_volume_claim_name == name
        return "spec.execution.cache.persistentVolumeClaimName" if of_cache else "spec.execution.volumes"

    def field(self, path: str, job: Mapping[str, Any]) -> str:
        """The field that a path of a Job (`spec.template.spec.affinity.nodeAffinity`) comes from.

        A path that comes from none stays what it is.
        """
        pod = job["spec"]["template"]["spec"]
        inner = path.removeprefix("spec.template.spec.")
        if found := re.fullmatch(rf"{_WORKER}\.resources(.*)", inner):
            return self._resource(found[1]) + _plain(found[1])
        if found := re.fullmatch(rf"({_SETTINGS})(.*)", inner):
            return self.setting(found[1]) + _plain(found[2])
        if found := re.fullmatch(rf"{_WORKER}\.env\[(\d+)\](.*)", inner):
            return self._variable(_entry(pod["containers"][0]["env"], found[1]), found[2])
        if re.fullmatch(rf"{_WORKER}\.env\b.*", inner):
            return self.setting("env")
        if found := re.fullmatch(r"volumes\[(\d+)\](.*)", inner):
            return self._volume(_entry(pod["volumes"], found[1]).get("name", ""), found[2])
        if found := re.fullmatch(rf"{_WORKER}\.volumeMounts\[(\d+)\](.*)", inner):
            mount = _entry(pod["containers"][0]["volumeMounts"], found[1])
            return self._volume(mount.get("name", ""), found[2])
        if re.fullmatch(rf"{_WORKER}\.image", inner):
            return self.image()
        if inner.startswith("imagePullSecrets") and not self.spec.execution.image_pull_secrets:
            return f"the chart's defaults.{inner}"
        if re.fullmatch(r"serviceAccountName|imagePullSecrets.*|volumes\..*", inner):
            return f"spec.execution.{inner}"
        return self.setting(path.removeprefix("spec.")) if path == "spec.activeDeadlineSeconds" else path

    def _resource(self, rest: str) -> str:
        """The resources that `rest` lies in (`.requests[cpu]`): those of the layer that gave the amount."""
        found = re.match(r"\.(requests|limits)\[([^\]]+)\]", rest)
        if found:
            for field, layer in self._layers.items():
                if layer.resources is not None and found[2] in getattr(layer.resources, found[1]):
                    return f"{field}.resources"
        return self.setting("resources")

    @property
    def _layers(self) -> dict[str, PodSettings]:
        """What the settings of the step's pods are merged from, the uppermost first."""
        execution, step = self.spec.execution, self.step.step
        return {
            f"spec.execution.steps.{step}": execution.steps.get(step, PodSettings()),
            "spec.execution.defaults": execution.defaults,
            "the chart's defaults.execution": self.defaults.execution,
        }

    def _gives(self, name: str) -> bool:
        return any(_has(layer, name) for layer in self._layers.values())

    def _variable(self, variable: Mapping[str, Any], rest: str) -> str:
        """A variable's field: of an `env`, else the one that names its Secret."""
        reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        found = self.variable(str(variable.get("name")))
        return f"{found}{rest}" if found else self.secret(str(reference.get("name")))

    def _volume(self, name: str, rest: str) -> str:
        """A volume's field, by its name; ours come from the cache's or from nothing that a user wrote."""
        for index, volume in enumerate(self.spec.execution.volumes):
            if volume.name == name:
                return f"spec.execution.volumes[{index}]{rest}"
        claim = "persistentVolumeClaim.claimName"
        return f"spec.execution.cache.{'persistentVolumeClaimName' if claim in rest else 'sizeLimit'}"


def _entry(entries: Sequence[Mapping[str, Any]], index: str) -> Mapping[str, Any]:
    """An entry of ours; an empty one where somebody's webhook added more."""
    return entries[int(index)] if int(index) < len(entries) else {}


def _has(settings: PodSettings, name: str) -> bool:
    return getattr(settings, to_snake(name)) is not None


def _plain(rest: str) -> str:
    """Keys as our messages spell them: `.requests.cpu` for `.requests[cpu]`."""
    return re.sub(r"\[([A-Za-z][A-Za-z0-9_-]*)\]", r".\1", rest)
