"""How a run stands: the status object for programs, the tables for people, both from the same ledger."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime
from typing import IO

from selfimprove.artifacts import load_ledger
from selfimprove.details import details_by_model, details_document
from selfimprove.loop import Step, Stop, next_step
from selfimprove.report import Report, ending, print_report
from selfimprove.runs import RunHandle
from selfimprove.status import Activity, best_uri, status_of
from selfimprove.stopping import best_iteration, warnings
from selfimprove.store import Store
from selfimprove.store.local import LOCK

_HOLDER = re.compile(r"process (\d+) on (.+)")


def status_document(handle: RunHandle) -> dict[str, object]:
    """The object that a cluster shows under `.status`, and `details`: what its iterations' manifests say beside it."""
    ledger = load_ledger(handle.store)
    status = status_of(
        handle.run,
        handle.spec,
        ledger,
        next_step(handle.spec, ledger),
        run_uri=handle.uri,
        now=datetime.now(UTC),
        activity=Activity(running_since=at_work_since(handle.store), suspended=handle.spec.suspend),
    )
    return {**status.to_json(), "details": details_document(handle.store, ledger)}


def show(handle: RunHandle, file: IO[str], details: bool = False) -> None:
    """Print how the run stands, as tables; with `details` those of what training made of the gap and of diversity."""
    ledger = load_ledger(handle.store)
    decision = next_step(handle.spec, ledger)
    measured = bool(ledger.measured_iterations())
    report = Report(
        ledger,
        heading=f"{handle.run.metadata.name}: {_heading(handle, decision)}",
        best=best_iteration(ledger) if measured else None,
        checkpoint=best_uri(handle.spec, ledger, handle.uri) if measured else None,
        stop=ending(decision.rule, decision.message, ledger) if isinstance(decision, Stop) else None,
        ahead=f"{decision.id.name}: {decision.reason}" if isinstance(decision, Step) else None,
        warnings=[notice.message for notice in warnings(handle.spec, ledger)],
        details=details_by_model(handle.store, ledger) if details else {},
    )
    print_report(report, file)


def at_work_since(store: Store) -> datetime | None:
    """When the process that works on the run took its lock; None when nobody does, or nobody can know (S3).

    Reads what the holder signed and never takes the lock itself, so that looking can't keep a run from starting.
    """
    path = store.local_path(LOCK)
    try:
        text, since = (path.read_text(encoding="utf-8", errors="replace"), path.stat().st_mtime) if path else ("", 0.0)
    except OSError:  # there is none, or not for us to read
        return None
    signed = _HOLDER.fullmatch(text.strip())
    if signed is None or (signed[2] == socket.gethostname() and not _alive(int(signed[1]))):
        return None
    return datetime.fromtimestamp(since, UTC)


def _heading(handle: RunHandle, decision: Step | Stop) -> str:
    if isinstance(decision, Stop):
        return f"{'succeeded' if decision.succeeded else 'failed'} after iteration {decision.iteration}"
    state = "running" if at_work_since(handle.store) else "suspended" if handle.spec.suspend else "not running"
    return f"{state}, iteration {decision.id.iteration} of at most {handle.spec.max_iterations}"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
