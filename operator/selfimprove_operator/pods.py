"""The pods of a step: image, resources, credentials, volumes and the restricted security that all of them keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from selfimprove.api.execution import EnvVar, PodSettings, Resources, StepName, Volume
from selfimprove.api.installation import Defaults, Gpu
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove.loop import adopts
from selfimprove_operator.sandbox import (
    needs_sandbox,
    sandbox_container,
    sandbox_mounts,
    sandbox_variables,
    sandbox_volumes,
)
from selfimprove_operator.secrets import secret_variables

USER = 65532
GRACE_SECONDS = 90
"""What a worker may take to commit the part at hand after SIGTERM."""
_TRAINER: frozenset[StepName] = frozenset(("distill",))
_REDUCERS: frozenset[StepName] = frozenset(("select", "measure"))
LABEL_FREE = frozenset(("GroundTruth", "Likelihood", "MajorityVote"))
"""Methods that need no model, unless another one is asked: samples carry their log-probabilities already."""
Amount = int | float | str
_SCRATCH = {"tmp": "/tmp", "cache": "/cache"}
_FIXED_ENV = {
    "HOME": "/tmp",
    "HF_HOME": "/cache/huggingface",
    "SELFIMPROVE_CACHE": "/cache/selfimprove",
    "TERMINATION_LOG": "/dev/termination-log",
    "PYTHONUNBUFFERED": "1",
}


def pod_spec(spec: Spec, defaults: Defaults, step: StepId, order: str, together: Iterable[StepId] = ()) -> Any:
    """The pod of a step as JSON: `spec` resolved, `order` what the worker is told."""
    settings = settings_of(spec, defaults, step.step)
    steps = (step, *together)
    needs_gpu = any(uses_gpu(spec, each) for each in steps)
    has_sandbox = any(needs_sandbox(spec, each) for each in steps)
    image, own = image_of(spec, step), sandbox_variables() if has_sandbox else []
    container = {
        "name": "worker",
        "image": image,
        "env": _environment(spec, defaults, settings, order, own),
        "resources": resources_of(settings, defaults.gpu, needs_gpu),
        "securityContext": _restricted(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [*_mounts(spec, needs_gpu), *(sandbox_mounts() if has_sandbox else [])],
    }
    execution = spec.execution
    pull = execution.image_pull_secrets or defaults.image_pull_secrets
    return _without_empty(
        {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "serviceAccountName": execution.service_account_name,
            "imagePullSecrets": [secret.to_json() for secret in pull],
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "nodeSelector": settings.node_selector,
            "tolerations": settings.tolerations,
            "affinity": settings.affinity,
            "runtimeClassName": settings.runtime_class_name,
            "priorityClassName": settings.priority_class_name,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "initContainers": [sandbox_container(image, _restricted())] if has_sandbox else [],
            "containers": [container],
            "volumes": [*_volumes(spec, needs_gpu), *(sandbox_volumes() if has_sandbox else [])],
        }
    )


def settings_of(spec: Spec, defaults: Defaults, step: StepName) -> PodSettings:
    """What the step's pods get: the chart's, under the run's defaults, under the step's own.

    Requests, limits and nodeSelector are merged by key and env by name; of all else the uppermost wins as a whole.
    """
    layers = (defaults.execution, spec.execution.defaults, spec.execution.steps.get(step))
    merged: dict[str, Any] = dict.fromkeys(PodSettings.model_fields)
    for layer in filter(None, layers):
        for name in PodSettings.model_fields:
            below, above = merged[name], getattr(layer, name)
            if below is not None and above is not None and name in _MERGED:
                above = _MERGED[name](below, above)
            merged[name] = below if above is None else above
    return PodSettings.model_construct(**merged)


def _resources_over(below: Resources, above: Resources) -> Resources:
    """A request from below gives way to a lower limit, as if nobody had made it: the two would be refused."""
    kept = {name: amount for name, amount in below.requests.items() if not _exceeds(amount, above.limits.get(name))}
    return Resources(requests={**kept, **above.requests}, limits={**below.limits, **above.limits})


def _exceeds(amount: Amount, limit: Amount | None) -> bool:
    try:
        return limit is not None and bool(parse_quantity(str(amount)) > parse_quantity(str(limit)))  # type: ignore[no-untyped-call]
    except ValueError:
        return False  # no quantity, which the dry run of the pods tells


def _keys_over(below: Mapping[str, str], above: Mapping[str, str]) -> dict[str, str]:
    return {**below, **above}


def _env_over(below: Sequence[EnvVar], above: Sequence[EnvVar]) -> list[EnvVar]:
    return _named([*below, *above])


_MERGED: dict[str, Callable[[Any, Any], Any]] = {
    "resources": _resources_over,
    "node_selector": _keys_over,
    "env": _env_over,
}
"""How a setting is merged over that of the layer below."""


def uses_gpu(spec: Spec, step: StepId) -> bool:
    """Whether a step runs a model; one that is taken over from another run only copies."""
    if step.step in _REDUCERS or adopts(spec, step):
        return False
    return step.step != "verify" or any(m.verifier or m.type not in LABEL_FREE for m in spec.methods)


def image_of(spec: Spec, step: StepId) -> str:
    """The image of a step."""
    return getattr(spec.execution.images, image_field(spec, step)) or ""


def image_field(spec: Spec, step: StepId) -> str:
    """Which image a step has: the trainer's for distill, the verifier's for CPU steps, the sampler's for the rest."""
    if not uses_gpu(spec, step):
        return "verifier"
    return "trainer" if step.step in _TRAINER else "sampler"


def resources_of(settings: PodSettings, gpu: Gpu, needs_gpu: bool) -> dict[str, Any]:
    """Requests and limits as given; where they name no GPU and one is needed, the default count of it.

    A step that needs none asks for none, so that it never waits for what it would leave idle.
    """
    given = settings.resources
    requests = {name: str(value) for name, value in (given.requests if given else {}).items()}
    limits = {name: str(value) for name, value in (given.limits if given else {}).items()}
    if not needs_gpu:
        requests.pop(gpu.resource_name, None)
        limits.pop(gpu.resource_name, None)
    elif gpu.count and gpu.resource_name not in {**requests, **limits}:
        limits[gpu.resource_name] = str(gpu.count)
    return _without_empty({"requests": requests, "limits": limits})


def _restricted() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _environment(
    spec: Spec, defaults: Defaults, settings: PodSettings, order: str, more: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Later names win over earlier ones, but for what makes a worker a worker (`more` belongs to that)."""
    own: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in _FIXED_ENV.items()]
    own += more
    own.append({"name": "SELFIMPROVE_ORDER", "value": order})
    own.append({"name": "SELFIMPROVE_ATTEMPT", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}})
    given = [variable.to_json() for variable in _named([*defaults.env, *(settings.env or [])])]
    fixed = {variable["name"] for variable in own}
    secrets = secret_variables(spec)
    chosen = {str(variable["name"]): variable for variable in [*secrets, *given] if variable["name"] not in fixed}
    return [*own, *chosen.values()]


def _named(variables: Iterable[EnvVar]) -> list[EnvVar]:
    return list({variable.name: variable for variable in variables}.values())


def _mounts(spec: Spec, needs_gpu: bool) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [{"name": f"scratch-{name}", "mountPath": path} for name, path in _SCRATCH.items()]
    if needs_gpu:
        mounts.append({"name": "scratch-shm", "mountPath": "/dev/shm"})
    for volume in spec.execution.volumes:
        read_only = {"readOnly": True} if volume.read_only else {}
        mounts.append({"name": volume.name, "mountPath": volume.mount_path, **read_only})
    return mounts


def _volumes(spec: Spec, needs_gpu: bool) -> list[dict[str, Any]]:
    cache = spec.execution.cache
    kept: dict[str, Any] = {"emptyDir": _without_empty({"sizeLimit": cache.size_limit if cache else None})}
    if cache and cache.persistent_volume_claim_name:
        kept = {"persistentVolumeClaim": {"claimName": cache.persistent_volume_claim_name}}
    volumes: list[dict[str, Any]] = [{"name": "scratch-tmp", "emptyDir": {}}, {"name": "scratch-cache", **kept}]
    if needs_gpu:
        volumes.append({"name": "scratch-shm", "emptyDir": {"medium": "Memory"}})
    return [*volumes, *map(_volume, spec.execution.volumes)]


def _volume(volume: Volume) -> dict[str, Any]:
    document = volume.to_json()
    return {name: value for name, value in document.items() if name not in ("mountPath", "readOnly")}


def _without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value not in (None, {}, [])}
