"""What an installation in a cluster gives to runs that say nothing of it.

The operator reads it from its configuration and keeps it in `status.defaults` when it accepts a run, so that whoever
has the resource (the command line too) can tell what its spec came to.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from selfimprove.api.base import Line, Model
from selfimprove.api.execution import EnvVar, Images, LocalReference, PodSettings, Storage
from selfimprove.api.spec import Spec


class Gpu(Model):
    """What a GPU step asks for where neither the run nor the chart gives resources of its own."""

    resource_name: Line = "nvidia.com/gpu"
    count: Annotated[int, Field(ge=0)] = 1


class Defaults(Model):
    """What a run gets where it says nothing; resolved once, when the run is accepted."""

    storage: Storage = Storage()
    images: Images = Images()
    execution: PodSettings = PodSettings()
    gpu: Gpu = Gpu()
    env: list[EnvVar] = []
    image_pull_secrets: list[LocalReference] = []


def with_defaults(spec: Spec, defaults: Defaults) -> Spec:
    """The spec with the chart's storage and images where the run names none.

    A run that names no `storage.uri` lies in the chart's, reached as the chart says but for what the run itself says.
    """
    storage, images = spec.storage, spec.execution.images
    if storage.uri is None:
        given = {name: value for name in Storage.model_fields if (value := getattr(storage, name)) is not None}
        storage = defaults.storage.model_copy(update=given)
    filled = {
        name: getattr(images, name) or getattr(defaults.images, name) for name in ("sampler", "trainer", "verifier")
    }
    execution = spec.execution.model_copy(update={"images": Images(**filled)})
    return spec.model_copy(update={"storage": storage, "execution": execution})
