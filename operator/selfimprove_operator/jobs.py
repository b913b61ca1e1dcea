"""A step as a Job, clause by clause as design section 5 has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from selfimprove.api.execution import Execution, StepName
from selfimprove.api.installation import Defaults
from selfimprove.api.spec import GROUP, KIND, VERSION, Metadata, Spec
from selfimprove.errors import FAILED, SURROUNDINGS, TERMINATED, WRONG_INPUT
from selfimprove.ledger import StepId
from selfimprove.loop import shards_of
from selfimprove.orders import Order, OrderedStep
from selfimprove_operator.names import QUEUE, SETTINGS, WORKLOAD_PRIORITY, job_name, labels_of
from selfimprove_operator.pods import pod_spec, settings_of
from selfimprove_operator.secrets import secret_variables

LET_GO_SECONDS = 1
"""The deadline by which a Job is ended: its pods that run are stopped, those that have ended stay with their logs."""
_RECORDED = ("name", "namespace", "uid", "labels")
"""Of the resource's metadata, what the run's own record in storage keeps: annotations may hold the whole run again."""


def job_for(
    run: Mapping[str, Any],
    spec: Spec,
    defaults: Defaults,
    run_uri: str,
    step: StepId,
    together: list[StepId],
    attempt: int,
) -> dict[str, Any]:
    """The Job of an attempt at a step, and of those that share its pods. `spec`: resolved."""
    metadata, execution, shards = run["metadata"], spec.execution, shards_of(spec, step)
    labels = {**_own_labels(metadata), **labels_of(metadata["name"], metadata["uid"], step, attempt)}
    order = order_of(metadata, spec, run_uri, [step, *together], attempt)
    deadline = settings_of(spec, defaults, step.step).active_deadline_seconds
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name_of(run, step, attempt),
            "namespace": metadata["namespace"],
            "labels": {**labels, **_queue(spec)},
            "annotations": {SETTINGS: settings_digest(spec, step)},
            "ownerReferences": [_owner(metadata)],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": shards,
            "parallelism": shards,
            "backoffLimitPerIndex": execution.backoff_limit,
            "maxFailedIndexes": 0,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _rules()},
            **({"activeDeadlineSeconds": deadline} if deadline else {}),
            "template": {
                "metadata": {"labels": labels},
                "spec": pod_spec(spec, defaults, step, order, together),
            },
        },
    }


def settings_digest(spec: Spec, step: StepId) -> str:
    """What a user may change of a Job that waits for it to be mended: where it runs and what it may reach."""
    execution = spec.execution.to_json()
    about_others = ("backoffLimit", "pendingDeadlineSeconds", "ttlSecondsAfterFinished", "steps")
    said = [
        {name: value for name, value in execution.items() if name not in about_others},
        settings.to_json() if (settings := spec.execution.steps.get(step.step)) else None,
        spec.storage.to_json(),
        [source.to_json() for source in (spec.model, spec.dataset)],
        secret_variables(spec),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def job_name_of(run: Mapping[str, Any], step: StepId, attempt: int) -> str:
    """The name of the Job of an attempt at a step."""
    metadata = run["metadata"]
    return job_name(metadata["name"], metadata["uid"], step, attempt)


def colocated(spec: Spec, step: StepId) -> list[StepId]:
    """The steps that share a pod with `generate`: verify and resample, where the run's own model verifies."""
    if step.step != "generate" or not spec.execution.colocate:
        return []
    if any(method.verifier for method in spec.methods):
        return []
    names: list[StepName] = ["verify"] if spec.resampling.strategy == "None" else ["verify", "resample"]
    return [StepId(step.iteration, name) for name in names]


def order_of(metadata: Mapping[str, Any], spec: Spec, run_uri: str, steps: list[StepId], attempt: int) -> str:
    """What the worker is told. Where it runs is not its business, so that part of the spec stays out."""
    order = Order(
        run_uri=run_uri,
        spec=spec.model_copy(update={"execution": Execution()}),
        steps=[OrderedStep(iteration=each.iteration, step=each.step, split=each.split) for each in steps],
        shards=shards_of(spec, steps[0]),
        attempt=str(attempt),
        metadata=Metadata.model_validate({name: metadata.get(name) for name in _RECORDED}),
    )
    return order.model_dump_json(by_alias=True, exclude_none=True)


def _rules() -> list[dict[str, Any]]:
    """What an end means: disruptions, signals and the surroundings never count; what no retry can mend ends it."""
    return [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        _on_exit("FailJob", WRONG_INPUT, FAILED),
        _on_exit("Ignore", SURROUNDINGS, TERMINATED),
    ]


def _on_exit(action: str, *codes: int) -> dict[str, Any]:
    return {"action": action, "onExitCodes": {"containerName": "worker", "operator": "In", "values": sorted(codes)}}


def _owner(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _own_labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The user's labels, for cost accounting; ours and Kubernetes' own are not theirs to set."""
    labels: Mapping[str, str] = metadata.get("labels") or {}
    return {
        name: value
        for name, value in labels.items()
        if not name.split("/")[0].endswith(("kubernetes.io", "k8s.io", GROUP)) or "/" not in name
    }


def _queue(spec: Spec) -> dict[str, str]:
    execution = spec.execution
    named = {QUEUE: execution.queue_name, WORKLOAD_PRIORITY: execution.workload_priority_class_name}
    return {label: value for label, value in named.items() if value}
