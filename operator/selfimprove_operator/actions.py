"""What a look at a run can lead to. Values only: `cluster.py` carries them out, after the status is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from selfimprove.api.status import Status


@dataclass(frozen=True)
class CreateJob:
    """Make a Job, unless it is there."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class DeleteJob:
    """Remove a Job and its pods. The uid fences: one of the same name made later is another."""

    name: str
    uid: str


@dataclass(frozen=True)
class SuspendJob:
    """Hold a Job, or let it go on."""

    name: str
    suspend: bool


@dataclass(frozen=True)
class ExpireJob:
    """Let a Job go by itself, now that its outcome is in the status."""

    name: str
    seconds: int


@dataclass(frozen=True)
class StopJob:
    """End a Job that would go on by itself. What runs of it is stopped; it stays for a while with the pods that ended,
    for people to look at.
    """

    name: str
    seconds: int


Action = CreateJob | DeleteJob | SuspendJob | ExpireJob | StopJob


@dataclass(frozen=True)
class Event:
    """One line for `kubectl describe`."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What to do about a run: the status to write if it changed, then the actions, then the events."""

    status: Status | None
    """None: it stands as it should."""
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
