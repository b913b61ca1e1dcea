"""What whoever installs the operator decides: defaults of runs, and what is watched. Read once, from one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from selfimprove.api.base import Line, Model
from selfimprove.api.execution import EnvVar, Images, LocalReference, PodSettings, Storage
from selfimprove.api.kubeyaml import documents
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError


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


class Settings(Model):
    """The operator's configuration."""

    watch_namespaces: list[str] = []
    """Empty: all of them."""
    defaults: Defaults = Defaults()
    resync_seconds: Annotated[float, Field(gt=0)] = 30.0
    lease_namespace: str | None = None


def read_settings(path: Path) -> Settings:
    """The settings in a YAML file. Raises `UserError` naming the key that is wrong."""
    try:
        found = documents(path.read_text(), str(path))
        return Settings.model_validate(found[0] if found else {})
    except OSError as error:
        raise UserError(
            f"{path}: can't be read ({error.strerror}); mount the operator's configuration there"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def with_defaults(spec: Spec, defaults: Defaults) -> Spec:
    """The spec with the chart's storage and images where the run names none."""
    storage, images = spec.storage, spec.execution.images
    if storage.uri is None:
        storage = defaults.storage.model_copy(update={"retention": storage.retention})
    filled = {
        name: getattr(images, name) or getattr(defaults.images, name) for name in ("sampler", "trainer", "verifier")
    }
    execution = spec.execution.model_copy(update={"images": Images(**filled)})
    return spec.model_copy(update={"storage": storage, "execution": execution})
