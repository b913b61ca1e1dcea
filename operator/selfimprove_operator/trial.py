"""The Jobs that a run would come to, for the API server to judge in a dry run before anything is accepted.

What a run borrows from Kubernetes (affinity, tolerations, volumes, resources) is kept as it was written; the server
itself says what is wrong with it. Steps whose pods are alike are asked about once.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from selfimprove.api.installation import Defaults
from selfimprove.ledger import StepId
from selfimprove.loop import steps_of
from selfimprove_operator.acceptance import Accepted, Refused, accept
from selfimprove_operator.jobs import colocated, job_for
from selfimprove_operator.observed import Observed
from selfimprove_operator.origins import Origins

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Trial:
    """A Job that the run would need, and the fields that it is made from."""

    job: Manifest
    origins: Origins


def trials(observed: Observed, defaults: Defaults, now: datetime) -> list[Trial]:
    """One Job of each kind that the run would need; none where it is refused without asking."""
    found = accept(replace(observed, refused=""), defaults, now)
    if isinstance(found, Refused):
        return []
    alike: dict[str, Trial] = {}
    for step in steps_of(found.spec, 1):
        job = _job(observed.run, found, step)
        origins = Origins(found.spec, found.defaults, step, observed.run["metadata"]["namespace"])
        alike.setdefault(_kind(job), Trial(job, origins))
    return list(alike.values())


def is_settled(run: Manifest) -> bool:
    """Whether this generation of a run was judged, and taken."""
    status = run.get("status") or {}
    accepted: Manifest = next((c for c in status.get("conditions") or [] if c.get("type") == "Accepted"), {})
    judged = bool(status.get("observedGeneration") == run["metadata"].get("generation"))
    return judged and accepted.get("status") == "True"


def _job(run: Manifest, found: Accepted, step: StepId) -> Manifest:
    return job_for(run, found.spec, found.defaults, found.run_uri, step, colocated(found.spec, step), 1)


def _kind(job: Manifest) -> str:
    """What is the same of steps that the server can't tell apart: all but the order to the worker."""
    spec = copy.deepcopy(job["spec"]["template"]["spec"])
    for container in spec["containers"]:
        container["env"] = [variable for variable in container["env"] if variable["name"] != "SELFIMPROVE_ORDER"]
    return json.dumps([spec, job["spec"].get("activeDeadlineSeconds")], sort_keys=True)
