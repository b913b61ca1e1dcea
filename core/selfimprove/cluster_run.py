"""A run of a cluster as its resource shows it: all that can be told of it without its storage.

Pure: the resource comes in as the API server has it. Its ledger is the one that the operator decides by, read back from
the status; its spec is resolved with the defaults that its installation had when the run was accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from selfimprove.api.installation import Defaults, with_defaults
from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Run, Spec
from selfimprove.api.status import Status, read_status
from selfimprove.errors import SurroundingsError, UserError
from selfimprove.kubectl import PREFIX
from selfimprove.ledger import Ledger
from selfimprove.loop import Step, Stop, next_step
from selfimprove.status import is_leaving
from selfimprove.status_ledger import ledger_of_status


@dataclass(frozen=True)
class ClusterRun:
    """A run that the operator has seen."""

    run: Run
    spec: Spec
    """Resolved, with the installation's defaults in it."""
    status: Status
    document: Mapping[str, Any]
    """`.status` as it stands in the cluster."""
    settled: bool
    """Whether the status is about the spec as it is now, and nobody deletes the run."""

    @property
    def name(self) -> str:
        """As the command line names it."""
        return f"{PREFIX}{self.run.metadata.name}"

    @property
    def accepted(self) -> bool:
        """Whether the operator lets it run; until then it has no place."""
        return self.status.defaults is not None

    @property
    def refusal(self) -> str:
        """What the operator has against it; empty when nothing."""
        return next((c.message for c in self.status.conditions if (c.type, c.status) == ("Accepted", "False")), "")

    @property
    def at_work(self) -> bool:
        """Whether artifacts may be read or written by it: they may not once it is over or held."""
        stopped = self.status.stop is not None and not is_leaving(self.status)
        over = stopped or (self.spec.suspend and self.status.state == "Suspended")
        return not (over and self.settled)

    @cached_property
    def ledger(self) -> Ledger:
        """What is committed, as far as the status tells."""
        return ledger_of_status(self.spec, self.status)

    @property
    def decision(self) -> Step | Stop:
        """What the operator does next; an end in the words that it was first told in."""
        decision, told = next_step(self.spec, self.ledger), self.status.stop
        if isinstance(decision, Stop) and told and (told.rule, told.iteration) == (decision.rule, decision.iteration):
            return replace(decision, message=told.message)
        return decision


def cluster_run_of(resource: Mapping[str, Any]) -> ClusterRun:
    """The run of a resource.

    Fields that only a later version knows are left out. Raises `SurroundingsError` while it has no status, `UserError`
    for one that this version can't read.
    """
    try:
        written = {name: resource.get(name) for name in ("apiVersion", "kind", "metadata", "spec")}
        run = Run.model_validate(written, extra="ignore")
        status = read_status(resource.get("status"))
        defaults = Defaults.model_validate((status and status.defaults) or {}, extra="ignore")
    except ValidationError as error:
        raise _unreadable(resource, error) from error
    if status is None:
        raise SurroundingsError(
            f"{PREFIX}{run.metadata.name}: has no status yet, which the operator writes; wait a moment, or see "
            "whether the operator runs"
        )
    spec = resolve(with_defaults(run.spec, defaults), surroundings=Surroundings())
    return ClusterRun(run, spec, status, resource["status"], _is_settled(resource, status))


def accepted(seen: ClusterRun) -> ClusterRun:
    """The run itself. Raises `UserError` with the operator's own words when it was not accepted."""
    if not seen.accepted:
        raise UserError(f"{seen.name}: has not begun: {seen.refusal or seen.status.message}")
    return seen


def _is_settled(resource: Mapping[str, Any], status: Status) -> bool:
    metadata = resource.get("metadata") or {}
    return status.observed_generation == metadata.get("generation") and not metadata.get("deletionTimestamp")


def _unreadable(resource: Mapping[str, Any], error: ValidationError) -> UserError:
    name = (resource.get("metadata") or {}).get("name")
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the resource"
    return UserError(
        f"{PREFIX}{name}: this version of selfimprove can't read it ({where}: {first['msg']}); install the "
        "version that the operator has"
    )
