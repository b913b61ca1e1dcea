"""The container beside a worker in which programs that the model wrote are run: no GPU, no credentials, no network.

A pod's containers share its network and nothing else that matters here: the sandbox's own seccomp filter cuts that for
every program. The two speak over a socket in a volume that only they have. It is a native sidecar: it is there before
the worker starts and ends after it, and its end is no outcome of the step.
"""

from __future__ import annotations

from typing import Any

from selfimprove.api.execution import StepName
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove.loop import adopts

CONTAINER = "sandbox"
_VOLUME, _PROGRAMS, _FOLDER = "scratch-sandbox", "scratch-programs", "/sandbox"
_SOCKET = f"{_FOLDER}/socket"
_CHECKS: frozenset[StepName] = frozenset(("verify", "resample", "evaluate"))
_REQUESTS = {"cpu": "500m", "memory": "512Mi"}
_MEMORY = "3Gi"
"""More than the programs that a worker has run at the same time may all use: four, of 512 MiB each."""


def needs_sandbox(spec: Spec, step: StepId) -> bool:
    """Whether a step runs programs; one that is taken over from another run does not."""
    return spec.dataset.task == "Program" and step.step in _CHECKS and not adopts(spec, step)


def sandbox_container(image: str, security: dict[str, Any]) -> dict[str, Any]:
    """The sidecar. It has the worker's image, which the node has already, and nothing of its environment."""
    return {
        "name": CONTAINER,
        "image": image,
        "args": ["sandbox", "--socket", _SOCKET],
        "restartPolicy": "Always",
        # Some images of CUDA ask NVIDIA's runtime for every GPU of the node, whatever the container asks for.
        "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}],
        "resources": {"requests": dict(_REQUESTS), "limits": {"memory": _MEMORY}},
        "securityContext": security,
        "volumeMounts": [_mount(), {"name": _PROGRAMS, "mountPath": "/tmp"}],
    }


def sandbox_variables() -> list[dict[str, Any]]:
    """What tells the worker where its programs go."""
    return [{"name": "SELFIMPROVE_SANDBOX", "value": _SOCKET}]


def sandbox_mounts() -> list[dict[str, Any]]:
    """What the worker sees of it: the socket."""
    return [_mount()]


def sandbox_volumes() -> list[dict[str, Any]]:
    """The socket's volume, and one in memory for what programs write, which can't grow beyond its size."""
    return [
        {"name": _VOLUME, "emptyDir": {}},
        {"name": _PROGRAMS, "emptyDir": {"medium": "Memory", "sizeLimit": "128Mi"}},
    ]


def _mount() -> dict[str, Any]:
    return {"name": _VOLUME, "mountPath": _FOLDER}
