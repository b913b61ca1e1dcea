"""`failure.json`: why the last `selfimprove run` here ended before the run did, kept beside the run until the next one.

What is committed says how far a run is, and nothing of a step that could not be done. In a cluster the resource's
status keeps that; on one machine this small file does, for `status` and `plan`. It decides nothing: the same command
begins with a clean slate.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from pydantic import ValidationError

from selfimprove.api.base import Model
from selfimprove.artifacts.keys import FAILURE
from selfimprove.errors import SURROUNDINGS, SurroundingsError
from selfimprove.ledger import Ledger
from selfimprove.loop import Step, Stop
from selfimprove.store.base import Store


class LastFailure(Model):
    """`failure.json`: the step that failed, and what it said."""

    step: str
    exit_code: int
    message: str
    """With the place of the worker's log, where it has left one."""
    at: str

    @property
    def heals(self) -> bool:
        """Whether it lies in the surroundings, so that the run itself has not failed."""
        return self.exit_code == SURROUNDINGS


def note_failure(store: Store, step: str, exit_code: int, message: str) -> None:
    """Write it down for who asks later. A store that takes nothing more is told of by the failure itself."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    failure = LastFailure(step=step, exit_code=exit_code, message=message, at=at)
    with suppress(SurroundingsError):
        store.write(FAILURE, failure.model_dump_json(by_alias=True, indent=1).encode())


def forget_failure(store: Store) -> None:
    """A run begins or goes on: what kept the last one is mended, or will be told again."""
    if _read(store) is not None:
        store.delete([FAILURE])


def last_failure(store: Store, decision: Step | Stop) -> LastFailure | None:
    """What the step that is next failed of when it was last tried; of a step that is done meanwhile nothing is told."""
    if isinstance(decision, Stop):
        return None
    failure = _parsed(_read(store))
    return failure if failure and failure.step == decision.id.name else None


def with_failure(ledger: Ledger, decision: Step | Stop, failure: LastFailure | None) -> Ledger:
    """The ledger in which the step that is next has failed for good, as an executor that keeps failures has it."""
    if failure is None or failure.heals or isinstance(decision, Stop):
        return ledger
    return ledger.with_fatal(decision.id, failure.message)


def _read(store: Store) -> bytes | None:
    try:
        return store.read(FAILURE)
    except FileNotFoundError:
        return None


def _parsed(data: bytes | None) -> LastFailure | None:
    """None also for a note that can't be read: it is a courtesy, and keeps nobody from looking."""
    with suppress(ValidationError):
        return LastFailure.model_validate_json(data) if data is not None else None
    return None
