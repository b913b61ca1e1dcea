"""Finding a run and beginning one: from what a person names to a spec, a store, and nothing left to guess.

A run on one machine lies at `<storage>/<name>` (design section 3). Its `run.json`, created once by whoever is first,
is what makes it that run: who comes later with another spec is told which field differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from selfimprove.api import Run, Spec, Surroundings, below_reached, changed, changed_immutable, load_run, resolve
from selfimprove.api.flat import flat
from selfimprove.api.messages import show
from selfimprove.api.uris import file_of, local_path
from selfimprove.artifacts import RUN, load_ledger
from selfimprove.artifacts.keys import is_of_a_run
from selfimprove.errors import InvalidRunError, OtherRunError, SurroundingsError, UserError
from selfimprove.locks import run_lock
from selfimprove.run_record import Record, read_record, record_of, to_bytes
from selfimprove.store import Store, open_store
from selfimprove.store.disk import explained_reading

if TYPE_CHECKING:
    from selfimprove.cluster_run import ClusterRun

DEFAULT_STORAGE = "./runs"
_LOOKED_INTO = 100
"""Folders in which runs are looked for, to name them to somebody who gave the folder above."""

_MAY_CHANGE = ("suspend", "max_iterations", "stopping", "execution")
_MAY_MOVE = ("storage", "model", "dataset", "resampling")
"""Sections that are taken from FILE when a run goes on: the first four may change, the others hold secrets' names and
endpoints, which may. The rest stays as it was resolved at the beginning, whatever the defaults are by now."""


class Differing(NamedTuple):
    """A field of which FILE says something else than the run that is there was begun with."""

    field: str
    begun: str
    asked: str

    def __str__(self) -> str:
        """`spec.seed: 7 (FILE: 0)`."""
        return f"{self.field}: {self.begun} (FILE: {self.asked})"


@dataclass(frozen=True)
class RunHandle:
    """A run that was found: what was asked for, what that came to, and where it lies."""

    run: Run
    spec: Spec
    """Resolved."""
    store: Store
    uri: str
    begun: bool = True
    differs: Sequence[Differing] = ()
    """Where it was found by a FILE that asks for something else."""
    resource: ClusterRun | None = None
    """What stands in the cluster of it, where it was found there."""


class Server(NamedTuple):
    """The S3 server to ask from here: it goes before the one that the run names, and is not recorded."""

    endpoint: str | None = None
    region: str | None = None


RECORDED = Server()
"""Whatever FILE or the run's record names, or else the environment."""


def begin(
    file: Path | str, storage: str | None = None, sets: Sequence[str] = (), server: Server = RECORDED
) -> RunHandle:
    """The run of a FILE, begun if it has not been, with `--set` values in it.

    Raises `UserError` with every problem of the file, or naming the immutable field that differs from what the run was
    begun with; `SurroundingsError` when the storage can't be used, or when the file changes a run that is at work.
    """
    return _begun(_wanted(file, storage, sets, server), server)


@contextmanager
def at_work(
    file: Path | str, storage: str | None = None, sets: Sequence[str] = (), server: Server = RECORDED
) -> Iterator[RunHandle]:
    """Like `begin`, with the run's lock from before anything is written until the end of the block.

    So of two processes the second changes nothing under the first: it raises `SurroundingsError` naming who is at work.
    """
    wanted = _wanted(file, storage, sets, server)
    with run_lock(wanted.store, lend=True):
        yield _begun(wanted, server)


def find(run: str, storage: str | None = None, server: Server = RECORDED, begin_with: str = "") -> RunHandle:
    """The run that a person named, as it was begun: by its folder or URI, or by a FILE, of which its name and storage
    say where it lies. What else FILE asks for is among `differs`.

    Raises `UserError` when there is none, or when it has not begun (naming `begin_with`, the command line that begins
    it).
    """
    path = _path_of(run)
    if path is None or path.is_dir():
        return _by_folder(run, server)
    wanted = _as_written(path, storage, server)
    record = read_record(wanted.store)
    if record is None:
        raise UserError(f"{run}: {wanted.uri} has not begun; begin it with `{begin_with or f'selfimprove run {run}'}`")
    found = _handle(_as_found(wanted, record), wanted.store, server)
    return replace(found, differs=_differing(wanted, record))


def look(run: str, storage: str | None = None, sets: Sequence[str] = (), server: Server = RECORDED) -> RunHandle:
    """What `begin` would give, begun or not; nothing is created. Of a folder or URI the run that is there.

    Raises what `begin` raises for a FILE, `OtherRunError` among it, and `UserError` when there is no such place.
    """
    path = _path_of(run)
    if path is None or path.is_dir():
        if sets:
            raise UserError(f"--set: changes a FILE, and {run} is a run's folder; give the FILE")
        return _by_folder(run, server)
    wanted = _wanted(path, storage, sets, server)
    record = read_record(wanted.store)
    if record is None:
        return wanted
    differs = _differing(wanted, record)
    if _may_begin_anew(wanted, record):
        return replace(wanted, differs=differs)
    return replace(_handle(_continued(wanted, record), wanted.store, server), differs=differs)


def store_of(run: str, storage: str | None = None, server: Server = RECORDED) -> Store:
    """Where the run lies that a person named, whatever its record says. Raises `UserError` for what names no place."""
    path = _path_of(run)
    if path is None or path.is_dir():
        return open_store(run, endpoint=server.endpoint, region=server.region)
    return _as_written(path, storage, server).store


def as_reached(spec: Spec, server: Server) -> Spec:
    """The spec with the server that is asked from here, which sources on S3 inherit."""
    given = {name: value for name, value in server._asdict().items() if value is not None}
    return spec.model_copy(update={"storage": spec.storage.model_copy(update=given)}) if given else spec


def _begun(wanted: RunHandle, server: Server) -> RunHandle:
    wanted.store.probe()
    record = record_of(wanted.run, wanted.spec)
    if wanted.store.create(RUN, to_bytes(record)):
        return _handle(record, wanted.store, server)
    begun = read_record(wanted.store)
    if begun is None:
        raise SurroundingsError(f"{wanted.uri}/{RUN}: vanished while the run began; run the same command again")
    if _may_begin_anew(wanted, begun):
        with run_lock(wanted.store):
            if _may_begin_anew(wanted, begun):  # still, now that nobody else can be at work
                wanted.store.delete([key for key in _written_by_runs(wanted.store) if key != RUN])
                wanted.store.write(RUN, to_bytes(record))
                return _handle(record, wanted.store, server)
    return _gone_on(wanted, begun, server)


def _written_by_runs(store: Store) -> list[str]:
    """What lies beside it, a dataset or another run in a folder of this one, is somebody's own."""
    return [entry.key for entry in store.list() if is_of_a_run(entry.key)]


def _may_begin_anew(wanted: RunHandle, record: Record) -> bool:
    """Whether FILE asks for another run than the one that was begun, of which nothing but logs and prompts is there.

    A first attempt that ended over a mistake in FILE must not cost the run its name.
    """
    if changed_immutable(_as_begun(wanted, record), wanted.spec) is None:
        return False
    written = (entry.key for entry in wanted.store.list("i") if is_of_a_run(entry.key))
    return all(key.endswith(".log") for key in written)


def _wanted(file: Path | str, storage: str | None, sets: Sequence[str], server: Server) -> RunHandle:
    """What a FILE asks for, and where it would lie; touches nothing."""
    run = load_run(file_of(str(file)), sets)
    place = _absolute(storage or run.spec.storage.uri or DEFAULT_STORAGE)
    spec = resolve(run.spec, surroundings=Surroundings(storage_uri=place))
    spec = spec.model_copy(update={"storage": spec.storage.model_copy(update={"uri": place})})
    reached = as_reached(spec, server).storage
    store = open_store(f"{place.rstrip('/')}/{run.metadata.name}", endpoint=reached.endpoint, region=reached.region)
    return RunHandle(run, spec, store, store.uri, begun=False)


def _as_written(file: Path, storage: str | None, server: Server) -> RunHandle:
    """What a FILE asks for, for commands that take no `--set`, which may be what makes a FILE whole."""
    try:
        return _wanted(file, storage, (), server)
    except InvalidRunError as error:
        raise InvalidRunError(
            f"{error}\n{file}: where --set gave what it lacks, name the run by its folder or URI instead"
        ) from error


def _by_folder(run: str, server: Server) -> RunHandle:
    """The run of a folder or URI, read where it was found: that its record may name another server changes nothing."""
    store = open_store(run, endpoint=server.endpoint, region=server.region)
    record = read_record(store)
    if record is None:
        raise UserError(f"{run}: no run was begun here, {RUN} is missing; {_remedy(store)}")
    return _handle(record, store, server)


def _remedy(store: Store) -> str:
    """The runs that lie directly inside, if any do; on S3 each folder that is looked into is a request."""
    names = store.folders()[:_LOOKED_INTO]
    inside = [name for name in names if _holds_run(store, name)]
    if inside:
        return f"it holds the runs {', '.join(inside)}: give the folder of one"
    return "give the FILE, the folder or the URI of a run"


def _holds_run(store: Store, folder: str) -> bool:
    """False where that can't be read either: it is no run of whoever asks."""
    with suppress(SurroundingsError):
        return any(entry.key == f"{folder}/{RUN}" for entry in store.list(f"{folder}/{RUN}"))
    return False


def _path_of(run: str) -> Path | None:
    """The path that is named, if it is one of this machine. Raises `UserError` for what is not there."""
    if not run.strip():
        raise UserError("RUN: is empty; give the FILE, the folder or the URI of a run")
    path = local_path(run)
    if path is not None and not _exists(path):
        raise UserError(f"{run}: no such file or folder; give the FILE, the folder or the URI of a run")
    return path


def _exists(path: Path) -> bool:
    with explained_reading(str(path)):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null character
            return False
    return True


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).expanduser().absolute())


def _gone_on(wanted: RunHandle, record: Record, server: Server) -> RunHandle:
    """The run that was begun earlier, with what may change taken from FILE, and remembered."""
    continued = _continued(wanted, record)
    if continued != record:
        with run_lock(wanted.store):  # who is at work goes by the record that this replaces
            wanted.store.write(RUN, to_bytes(continued))
    return _handle(continued, wanted.store, server)


def _continued(wanted: RunHandle, record: Record) -> Record:
    """The record with FILE's mutable part.

    Raises `OtherRunError` naming the first other field that differs, or for fewer iterations than there are.
    """
    before = _as_begun(wanted, record)
    if field := changed_immutable(before, wanted.spec):
        old, new = (_value(spec, field) for spec in (before, wanted.spec))
        raise OtherRunError(
            f"{field}: {new} differs from {old}, which {wanted.uri} was begun with; change it back, by the same --set "
            "where it was begun with one, or give metadata.name another name to begin another run"
        )
    iterations = [step.iteration for step in load_ledger(wanted.store).committed]
    if problem := below_reached(wanted.spec, max(iterations, default=0)):
        raise OtherRunError(str(problem))
    taken = {name: getattr(wanted.spec, name) for name in (*_MAY_CHANGE, *_MAY_MOVE)}
    return record.model_copy(update={"run": wanted.run, "resolved": record.resolved.model_copy(update=taken)})


def _as_found(wanted: RunHandle, record: Record) -> Record:
    """The record, its sources and servers reached as FILE says, where that is all that FILE says otherwise of them."""
    fields = changed(_as_begun(wanted, record), wanted.spec)
    moved = [name for name in _MAY_MOVE if not any(field.startswith(f"spec.{name}") for field in fields)]
    taken = {name: getattr(wanted.spec, name) for name in moved}
    return record.model_copy(update={"resolved": record.resolved.model_copy(update=taken)})


def _differing(wanted: RunHandle, record: Record) -> list[Differing]:
    before = _as_begun(wanted, record)
    fields = changed(before, wanted.spec)
    return [Differing(field, _value(before, field), _value(wanted.spec, field)) for field in fields]


def _as_begun(wanted: RunHandle, record: Record) -> Spec:
    """The spec that the run was begun with, lying where FILE has it."""
    before = resolve(record.run.spec, surroundings=Surroundings())
    return before.model_copy(update={"storage": before.storage.model_copy(update={"uri": wanted.spec.storage.uri})})


def _value(spec: Spec, field: str) -> str:
    values = flat(spec)
    return show(values[field]) if field in values else "not set"


def _handle(record: Record, store: Store, server: Server) -> RunHandle:
    return RunHandle(record.run, as_reached(record.resolved, server), store, store.uri)
