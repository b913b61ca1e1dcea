"""`run.json`: what a run was begun with, at the root of its store.

On one machine `selfimprove run` writes it. A cluster's operator reaches no storage, so there the workers do: a run is
found by its URI, and looked at, when its resource is long gone.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError

from selfimprove import __version__
from selfimprove.api.base import Model
from selfimprove.api.spec import KIND, Metadata, Run, Spec
from selfimprove.artifacts.keys import RUN
from selfimprove.documents import unreadable
from selfimprove.store.base import Store

API_VERSION = "selfimprove.dev/v1alpha1"


class Record(Model):
    """`run.json`: what a run was begun with."""

    name: str
    run: Run
    """As it was given, `--set` applied; of a cluster's run, as it was accepted."""
    resolved: Spec
    version: str
    """Of the code that began it."""
    created_at: str


def keep_record(store: Store, metadata: Metadata, spec: Spec) -> None:
    """Write a cluster's run down if nobody has, and again when what may change of it has changed. `spec`: resolved.

    Raises `SurroundingsError` when the store does not do what commits rely on.
    """
    before = read_record(store)
    if before is None:
        store.probe()
        store.create(RUN, to_bytes(_begun(metadata, spec)))
    elif before.resolved != spec:
        run = before.run.model_copy(update={"spec": spec})
        store.write(RUN, to_bytes(before.model_copy(update={"run": run, "resolved": spec})))


def read_record(store: Store) -> Record | None:
    """The run's record; None where no run was begun. Raises `UnreadableError` for one that can't be read."""
    try:
        data = store.read(RUN)
    except FileNotFoundError:
        return None
    try:
        return Record.model_validate_json(data)
    except ValidationError as error:
        remedy = "restore it, or delete the folder"
        raise unreadable(f"{store.uri}/{RUN}", data, error, "no record of a run", remedy) from error


def record_of(run: Run, resolved: Spec) -> Record:
    """The record of a run that begins now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Record(name=run.metadata.name, run=run, resolved=resolved, version=__version__, created_at=now)


def to_bytes(record: Record) -> bytes:
    """The record as it lies in storage."""
    return record.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode()


def _begun(metadata: Metadata, spec: Spec) -> Record:
    return record_of(Run(api_version=API_VERSION, kind=KIND, metadata=metadata, spec=spec), spec)
