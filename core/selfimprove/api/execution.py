"""Where steps run in a cluster: images, resources, placement, retries. One machine ignores what it has no use for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from selfimprove.api.base import URI, Line, Model, Name

Borrowed = dict[str, Any]
"""A Kubernetes type, kept as it was written; a server dry run checks it."""


class EnvVar(Model):
    """One environment variable of the worker containers."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    value: Annotated[str, Field(max_length=32768)] | None = None
    value_from: Borrowed | None = None


class Resources(Model):
    """Requests and limits of a worker container, by resource name."""

    requests: Annotated[dict[str, int | float | str], Field(max_length=32)] = {}
    limits: Annotated[dict[str, int | float | str], Field(max_length=32)] = {}


class PodSettings(Model):
    """What a step's pods get; `steps.NAME` is merged over `defaults`."""

    resources: Resources | None = None
    node_selector: Annotated[dict[str, str], Field(max_length=64)] | None = None
    tolerations: Annotated[list[Borrowed], Field(max_length=32)] | None = None
    affinity: Borrowed | None = None
    env: Annotated[list[EnvVar], Field(max_length=128)] | None = None
    runtime_class_name: Name | None = None
    priority_class_name: Name | None = None
    active_deadline_seconds: Annotated[int, Field(ge=1)] | None = None


class Images(Model):
    """Container images: trainer for distill, verifier for CPU steps, sampler for the rest."""

    sampler: Line | None = None
    trainer: Line | None = None
    verifier: Line | None = None


class Volume(Model):
    """A volume of the run's own namespace, and where the workers see it. No hostPath."""

    name: Name
    mount_path: Line
    read_only: bool = False
    persistent_volume_claim: Borrowed | None = None
    config_map: Borrowed | None = None
    secret: Borrowed | None = None
    empty_dir: Borrowed | None = None
    csi: Borrowed | None = None
    ephemeral: Borrowed | None = None
    projected: Borrowed | None = None


class Cache(Model):
    """Where models and datasets are kept between steps."""

    persistent_volume_claim_name: Name | None = None
    size_limit: Line | None = None


class LocalReference(Model):
    """The name of an object of the run's own namespace."""

    name: Name


StepName = Literal["generate", "verify", "resample", "select", "distill", "evaluate", "measure"]


class Execution(Model):
    """How steps become Jobs; changing it changes no result, so it stays mutable."""

    images: Images = Images()
    defaults: PodSettings = PodSettings()
    steps: Annotated[dict[StepName, PodSettings], Field(max_length=7)] = {}
    service_account_name: Name | None = None
    image_pull_secrets: Annotated[list[LocalReference], Field(max_length=16)] = []
    volumes: Annotated[list[Volume], Field(max_length=32)] = []
    cache: Cache | None = None
    colocate: bool = True
    backoff_limit: Annotated[int, Field(ge=0, le=100)] = 3
    pending_deadline_seconds: Annotated[int, Field(ge=1)] = 3600
    ttl_seconds_after_finished: Annotated[int, Field(ge=0)] = 86400
    queue_name: Line | None = None
    workload_priority_class_name: Name | None = None


class Storage(Model):
    """Where the run's artifacts live."""

    uri: URI | None = None
    endpoint: URI | None = None
    region: Line | None = None
    credentials_secret_name: Name | None = None
    retention: Literal["BestAndLast", "All"] = "BestAndLast"
