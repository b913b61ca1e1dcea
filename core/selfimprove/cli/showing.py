"""How a run stands: the status object for programs, the tables for people, both from the same ledger."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, NamedTuple

from selfimprove.artifacts import load_committed, load_ledger
from selfimprove.details import (
    Guidance,
    HeldOutDetails,
    TrainingDetails,
    details_by_iteration,
    details_by_model,
    details_document,
    guidance_by_iteration,
)
from selfimprove.last_failure import LastFailure, last_failure, with_failure
from selfimprove.leases import held_here_since
from selfimprove.ledger import Ledger, ledger_of
from selfimprove.left_out import left_out_of, prompts_document
from selfimprove.loop import Step, Stop, next_step
from selfimprove.processes import is_alive
from selfimprove.report import Report, Titled, ending, print_report
from selfimprove.run_record import read_record
from selfimprove.runs import RunHandle
from selfimprove.status import Activity, best_uri, status_of
from selfimprove.stopping import best_iteration, warnings
from selfimprove.store import Store
from selfimprove.store.base import LOCK
from selfimprove.tail_report import guidance_table, level_tables, tail_tables

_HOLDER = re.compile(r"process (\d+) on (.+)")


def status_document(handle: RunHandle, details: bool = False) -> dict[str, object]:
    """The object that a cluster shows under `.status`; with `details` what its iterations' manifests say beside it.

    Nobody keeps the status of a run on one machine, so its conditions carry the time of what was committed last: asked
    twice, the same facts give the same object.
    """
    committed = load_committed(handle.store)
    stands = _stands(handle, ledger_of(shard.summary for shard in committed))
    ledger, failure = stands.ledger, stands.failure
    status = status_of(
        handle.run,
        handle.spec,
        ledger,
        stands.decision,
        run_uri=handle.uri,
        now=_changed_at(handle.store, [*(shard.at for shard in committed), *([failure.at] if failure else [])]),
        activity=Activity(
            running_since=at_work_since(handle.store),
            suspended=handle.spec.suspend,
            trouble=failure.message if failure and failure.heals else None,
        ),
    )
    return {**status.to_json(), **(noted_document(handle.store, ledger) if details else {})}


def noted_document(store: Store, ledger: Ledger) -> dict[str, object]:
    """What the manifests say beside the status: of the iterations and of the prompts, as JSON values."""
    return {"details": details_document(store, ledger), "prompts": prompts_document(store)}


def show(handle: RunHandle, file: IO[str], details: bool = False) -> None:
    """Print how the run stands, as tables; with `details` all that is noted in the manifests."""
    ledger, decision, failure = _stands(handle, load_ledger(handle.store))
    measured = bool(ledger.measured_iterations())
    notes = notes_of_run(handle.store, ledger)
    report = Report(
        ledger,
        heading=f"{handle.run.metadata.name}: {_heading(handle, decision, failure)}",
        best=best_iteration(ledger) if measured else None,
        checkpoint=best_uri(handle.spec, ledger, handle.uri) if measured else None,
        stop=ending(decision.rule, decision.message, ledger) if isinstance(decision, Stop) else None,
        ahead=_ahead(decision, failure),
        warnings=[notice.message for notice in warnings(handle.spec, ledger)],
        left_out=left_out_of(handle.store) if details else [],
        details=notes.held_out if details else {},
        more=notes.tables(details),
    )
    print_report(report, file)


@dataclass(frozen=True)
class Notes:
    """What the manifests of a run say beside its measures, by iteration."""

    held_out: Mapping[int, HeldOutDetails]
    training: Mapping[int, TrainingDetails]
    guidance: Mapping[int, Guidance]

    def tables(self, details: bool) -> list[Titled]:
        """Levels as bars; with `details` all else that shows the tail."""
        levels = level_tables(self.held_out, self.training)
        if not details:
            return levels
        return [*levels, *tail_tables(self.held_out, self.training), guidance_table(self.guidance)]


def notes_of_run(store: Store, ledger: Ledger) -> Notes:
    """Read the notes from the manifests."""
    noted = details_by_model(store, ledger), details_by_iteration(store, ledger)
    return Notes(*noted, guidance_by_iteration(store, ledger))


def at_work_since(store: Store) -> datetime | None:
    """When the process that works on the run took its lock; None when nobody does, or nobody can know by looking (S3).

    Reads what the holder signed and never takes the lock itself, so that looking can't keep a run from starting.
    """
    path = store.local_path(LOCK)
    if path is None:
        return held_here_since(store)
    try:
        text, since = path.read_text(encoding="utf-8", errors="replace"), path.stat().st_mtime
    except OSError:  # there is none, or not for us to read
        return None
    signed = _HOLDER.fullmatch(text.strip())
    if signed is None or (signed[2] == socket.gethostname() and not is_alive(int(signed[1]))):
        return None
    return datetime.fromtimestamp(since, UTC)


def _changed_at(store: Store, commits: Sequence[str]) -> datetime:
    """When the run came to stand as it does: at its last commit, else when it began."""
    record = None if commits else read_record(store)
    return datetime.fromisoformat(record.created_at if record else max(commits))


class _Stands(NamedTuple):
    """What a run has come to, a last try that failed included."""

    ledger: Ledger
    decision: Step | Stop
    failure: LastFailure | None


def _stands(handle: RunHandle, ledger: Ledger) -> _Stands:
    """A step that failed for good ends the run for everybody who looks, until `run` begins again."""
    decision = next_step(handle.spec, ledger)
    failure = None if at_work_since(handle.store) else last_failure(handle.store, decision)
    ledger = with_failure(ledger, decision, failure)
    return _Stands(ledger, next_step(handle.spec, ledger), failure)


def _ahead(decision: Step | Stop, failure: LastFailure | None) -> str | None:
    if failure is not None:
        again = "the next `selfimprove run` tries it again"
        return f"{failure.step} could not go on: {failure.message}; {again}" if failure.heals else again
    return f"{decision.id.name}: {decision.reason}" if isinstance(decision, Step) else None


def _heading(handle: RunHandle, decision: Step | Stop, failure: LastFailure | None) -> str:
    if failure is not None and not failure.heals:
        return f"failed at {failure.step}, {_ago(datetime.fromisoformat(failure.at))}"
    if isinstance(decision, Stop):
        return f"{'succeeded' if decision.succeeded else 'failed'} after iteration {decision.iteration}"
    place = f"iteration {decision.id.iteration} of at most {handle.spec.max_iterations}"
    written = handle.store.last_written()
    words = [_state(handle), place, f"last written {_ago(written)}" if written else None]
    return ", ".join(filter(None, words))


def _state(handle: RunHandle) -> str | None:
    """What is known of who is at work."""
    if at_work_since(handle.store):
        return "running"
    if handle.spec.suspend:
        return "suspended"
    return "not running" if _has_lock(handle.store) else None


def _has_lock(store: Store) -> bool:
    """Whether a look tells that nobody is at work: the lock of a folder does, a lease only of its holder's machine."""
    return store.local_path(LOCK) is not None


def _ago(moment: datetime) -> str:
    """`40 s ago`, `12 min ago`, `3 h ago`, `2 d ago`; by two clocks that may differ a little."""
    seconds = max(int((datetime.now(UTC) - moment).total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
