"""Whether a run may begin: what admission can't see is looked at here, before any GPU is spent.

A run is accepted with the installation's defaults of that moment; they stay with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from selfimprove import __version__
from selfimprove.api import Run, Spec, Surroundings, check_built, is_fixed, resolve
from selfimprove.api.installation import Defaults, with_defaults
from selfimprove.api.problem import Problem
from selfimprove.api.resolve import resolved_defaults
from selfimprove.api.status import Condition, ConditionType, Status, condition_of, read_status
from selfimprove.failing import shortened
from selfimprove.status import timestamp
from selfimprove_operator.mounted import out_of_reach
from selfimprove_operator.names import uid8
from selfimprove_operator.observed import Observed
from selfimprove_operator.split import beyond_the_gpus
from selfimprove_operator.told import too_long

_LONGEST = 1000
"""Bytes of a condition's message, so that `kubectl describe` stays readable."""
_NAMED = 3
_MEND = "delete the run and apply it mended, or apply it under another name"


@dataclass(frozen=True)
class Accepted:
    """A run that may go on."""

    run: Run
    spec: Spec
    """Resolved, with the installation's defaults in it."""
    resolved: Mapping[str, object]
    """What resolving added, as the status shows it."""
    defaults: Defaults
    run_uri: str
    version: str
    previous: Status | None
    """The status of a run that was accepted before."""


@dataclass(frozen=True)
class Refused:
    """A run that may not begin, and the status that says why."""

    status: Status
    previous: Status | None


def accept(observed: Observed, defaults: Defaults, now: datetime) -> Accepted | Refused:
    """The run with nothing left open, or why it can't begin."""
    previous = status_in(observed)
    begun = previous if previous and previous.defaults is not None else None
    if begun is not None:
        defaults = Defaults.model_validate(begun.defaults)
    found = _read(_text(_manifest(observed.run)), _text(defaults.to_json()))
    if isinstance(found, str):
        return _refused(observed, previous, "Invalid", found, now)
    # A held run makes no Job: whatever the server has against one must not keep its pods from being stopped.
    refused = "" if found.run.spec.suspend else observed.refused
    if message := found.missing or refused:
        return _refused(observed, previous, "Refused" if refused else "Incomplete", message, now)
    run_uri = begun.run_uri if begun else run_uri_of(found.run, found.spec)
    version = begun.version or __version__ if begun else __version__
    return Accepted(found.run, found.spec, found.resolved, defaults, run_uri, version, previous if begun else None)


def run_uri_of(run: Run, spec: Spec) -> str:
    """Where a run of a cluster lies: `<storage>/<namespace>/<name>-<uid8>`."""
    metadata = run.metadata
    storage = (spec.storage.uri or "").rstrip("/")
    return f"{storage}/{metadata.namespace}/{metadata.name}-{uid8(metadata.uid or '')}"


def status_in(observed: Observed) -> Status | None:
    """The status that stands in the cluster; None before there is one that can be read."""
    try:
        return read_status(observed.run.get("status"))
    except ValidationError:
        return None


@dataclass(frozen=True)
class _Found:
    """What a manifest says, with the installation's defaults in it."""

    run: Run
    spec: Spec
    resolved: Mapping[str, object]
    missing: str | None
    """What has no default either."""


@lru_cache(maxsize=512)
def _read(manifest: str, defaults: str) -> _Found | str:
    """A manifest and an installation's defaults, as JSON; its problems where it has some.

    A run is looked at several times a step, and says the same each time.
    """
    run, problems, _ = check_built(json.loads(manifest))
    if run is None:
        return _line(problems)
    given = Defaults.model_validate_json(defaults)
    filled = with_defaults(run.spec, given)
    missing = next(_missing(filled), None)
    spec = filled if missing else resolve(filled, surroundings=Surroundings())
    too_much = too_long(run, spec, run_uri_of(run, spec))
    if problems := [*out_of_reach(spec), *too_much, *beyond_the_gpus(spec, given)]:
        return _line(problems)
    return _Found(run, spec, resolved_defaults(run.spec, spec), _line([missing]) if missing else None)


def _line(problems: Sequence[Problem]) -> str:
    """The problems, and how a field is mended that the API server lets nobody change."""
    fixed = list(dict.fromkeys(problem.field for problem in problems if is_fixed(problem.field)))
    named = ", ".join(fixed) if len(fixed) <= _NAMED else f"{fixed[0]} and {len(fixed) - 1} fields more"
    remedy = f"; no apply changes {named}: {_MEND}" if fixed else ""
    return f"{shortened('; '.join(map(str, problems)), _LONGEST - len(remedy.encode()))}{remedy}"


def _manifest(run: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run what was written, without what the API server counts and keeps of it."""
    metadata = {
        name: run["metadata"][name] for name in ("name", "namespace", "uid", "labels") if name in run["metadata"]
    }
    return {"apiVersion": run["apiVersion"], "kind": run["kind"], "metadata": metadata, "spec": run["spec"]}


def _text(document: object) -> str:
    return json.dumps(document, sort_keys=True)


def _missing(spec: Spec) -> Iterator[Problem]:
    if spec.storage.uri is None:
        remedy = "is not given, and the installation has no default; give one, e.g. s3://BUCKET/runs"
        yield Problem("spec.storage.uri", remedy)
    images = spec.execution.images
    for name in ("sampler", "trainer", "verifier"):
        if not getattr(images, name):
            remedy = "is not given, and the installation has no default; give an image"
            yield Problem(f"spec.execution.images.{name}", remedy)


def _refused(observed: Observed, previous: Status | None, reason: str, message: str, now: datetime) -> Refused:
    """A begun run keeps what it has; one that has not begun shows nothing but why."""
    line = shortened(message, _LONGEST)
    progress = f"0/{_iterations_asked(observed)}"
    base = previous or Status(state="Pending", progress=progress, run_uri="")
    if base.defaults is None:
        base = base.model_copy(update={"progress": progress})
    verdicts: list[tuple[ConditionType, str, str]] = [
        ("Accepted", reason, line),
        ("Progressing", reason, "the run is not accepted"),
    ]
    state = base.state
    if state == "Suspended" and not observed.run["spec"].get("suspend"):  # what holds it now is the refusal
        state = "Pending"
        verdicts.append(("Suspended", "NotAsked", ""))
    generation = observed.run["metadata"].get("generation")
    changed = [_condition(previous, *verdict, generation, now) for verdict in verdicts]
    told = {condition.type for condition in changed}
    conditions = [*changed, *(c for c in base.conditions if c.type not in told)]
    update = {"observed_generation": generation, "state": state, "message": line, "conditions": conditions}
    return Refused(base.model_copy(update=update), previous)


def _iterations_asked(observed: Observed) -> int:
    """Of a run whose spec may not even be readable."""
    asked = observed.run["spec"].get("maxIterations", Spec.model_fields["max_iterations"].default)
    return asked if isinstance(asked, int) else 0


def _condition(
    previous: Status | None, type: ConditionType, reason: str, message: str, generation: int | None, now: datetime
) -> Condition:
    old = condition_of(previous, type)
    since = old.last_transition_time if old and old.status == "False" else timestamp(now)
    return Condition(
        type=type,
        status="False",
        observed_generation=generation,
        last_transition_time=since,
        reason=reason,
        message=message,
    )
