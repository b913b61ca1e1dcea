"""`selfimprove prune` and `selfimprove delete`: what takes space goes, and never under a process that is at work."""

from __future__ import annotations

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from selfimprove.artifacts import RUN, load_ledger
from selfimprove.artifacts.keys import is_of_a_run
from selfimprove.cli import say
from selfimprove.cli.output import print_json
from selfimprove.cli.where import Where
from selfimprove.errors import SurroundingsError, UnreadableError, UserError
from selfimprove.kubectl import PREFIX
from selfimprove.locks import run_lock
from selfimprove.retention import Removal, removals
from selfimprove.retention import prune as carry_out
from selfimprove.runs import RunHandle
from selfimprove.store.base import LOCK, Entry, Store

_NAMED = 3
"""Files that are named of many."""
_UNITS = ("B", "kB", "MB", "GB", "TB")


def prune(run: str, where: Where, dry_run: bool, as_json: bool) -> None:
    """Remove what retention allows to go, or only say what that is."""
    handle = where.find(run)
    if not dry_run:
        _refuse_at_work(handle, f"hold it first: {_patched(handle, where)}")
    store, storage = handle.store, handle.spec.storage
    if dry_run:
        going = removals(store, storage, load_ledger(store))
    else:
        with run_lock(store):
            going = carry_out(store, storage)
    if as_json:
        print_json(_document(handle, going, dry_run))
    else:
        print("\n".join(_lines(going, dry_run)))


def delete(run: str, where: Where, yes: bool) -> None:
    """Delete all of a run, after asking, its record readable or not; its resource in a cluster stays."""
    try:
        handle = where.find(run)
    except UnreadableError as error:
        if run.startswith(PREFIX):
            raise
        store = where.store(run)
        _require_nothing_else(store, error)
        say(f"{error}; it is a run's folder all the same")
        _delete(store, yes)
        return
    _refuse_at_work(handle, f"end it first: {_deleted(handle, where)}, then {where.again('delete', handle.uri)}")
    held = handle.resource is not None and not handle.resource.status.stop
    deleted = _delete(handle.store, yes, " It is only suspended, and could not go on." if held else "")
    if deleted and handle.resource is not None:
        say(f"its resource stays; remove it with: {_deleted(handle, where)}")


def in_order(keys: list[str]) -> list[str]:
    """Manifests first, the last iteration's before all, and `run.json` last.

    So a deletion that is cut short leaves no manifest whose parts are gone, and can be done again.
    """
    manifests = [key for key in keys if key.endswith("/manifest.json")]
    rest = set(keys) - {*manifests, RUN}
    return [*sorted(manifests, reverse=True), *sorted(rest), RUN]


def size_text(size: float) -> str:
    """A number of bytes as a person reads it: `1.2 GB`."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"


def _delete(store: Store, yes: bool, warning: str = "") -> bool:
    """Whether it was deleted: not when whoever is asked says no."""
    with run_lock(store):
        everything = list(store.list())
        entries = [entry for entry in everything if is_of_a_run(entry.key)]
        others = [entry.key for entry in everything if not is_of_a_run(entry.key)]
        if not yes and not _agreed(store.uri, entries, warning):
            print("nothing was deleted")
            return False
        store.delete(in_order([entry.key for entry in entries]))
        root = store.local_path("")
        if root is not None and others:
            _remove_what_is_empty(root)
        elif root is not None:
            shutil.rmtree(root, ignore_errors=True)  # the lock file and what killed writers left unfinished
    stays = f"; what no run wrote stays: {', '.join(others[:_NAMED])}{', ...' if others[_NAMED:] else ''}"
    print(f"deleted {store.uri}: {_amount(entries)}{stays if others else ''}")
    return True


def _remove_what_is_empty(root: Path) -> None:
    """The run's lock and the folders that nothing is left in, beside somebody's own files."""
    (root / LOCK).unlink(missing_ok=True)
    for folder, _, _ in os.walk(root, topdown=False):
        with suppress(OSError):  # it is not empty
            Path(folder).rmdir()


def _require_nothing_else(store: Store, error: UnreadableError) -> None:
    """Others name files `run.json` too: where it is no record of ours, what lies beside it must be ours."""
    other = next((entry.key for entry in store.list() if not is_of_a_run(entry.key)), None)
    if other is not None:
        raise UnreadableError(f"{error}; {other} lies there too, which no run wrote, so nothing was deleted") from error


def _refuse_at_work(handle: RunHandle, remedy: str) -> None:
    """What a cluster's pods may be reading or writing stays: on S3 no lock would stop us."""
    seen = handle.resource
    if seen is not None and seen.at_work:
        doing = seen.status.message if seen.settled else "the operator has not looked at its last change yet"
        raise SurroundingsError(f"{seen.name}: the cluster is at work on it ({doing}); {remedy}")


def _deleted(handle: RunHandle, where: Where) -> str:
    return where.cluster.line("delete", *_named(handle))


def _patched(handle: RunHandle, where: Where) -> str:
    return where.cluster.line("patch", *_named(handle), "--type=merge", '--patch={"spec":{"suspend":true}}')


def _named(handle: RunHandle) -> list[str]:
    metadata = handle.run.metadata
    return [f"sir/{metadata.name}", f"--namespace={metadata.namespace or 'default'}"]


def _document(handle: RunHandle, going: list[Removal], dry_run: bool) -> dict[str, object]:
    objects = [{"key": removal.key, "size": removal.size, "reason": removal.reason} for removal in going]
    return {"run": handle.uri, "dryRun": dry_run, "bytes": sum(removal.size for removal in going), "removed": objects}


def _lines(going: list[Removal], dry_run: bool) -> list[str]:
    if not going:
        return ["nothing may go: everything here is still needed or kept by storage.retention"]
    groups: dict[tuple[str, str], list[Removal]] = defaultdict(list)
    for removal in going:
        groups[removal.key.split("/attempt-", 1)[0], removal.reason].append(removal)
    lines = [f"{folder}: {_amount(found)}, {reason}" for (folder, reason), found in sorted(groups.items())]
    return [*lines, f"{'would free' if dry_run else 'freed'} {_amount(going)}"]


def _agreed(uri: str, entries: list[Entry], warning: str) -> bool:
    if not sys.stdin.isatty():
        raise UserError("--yes: is needed here, where nobody can be asked")
    print(f"delete all of {uri} ({_amount(entries)})?{warning} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _amount(entries: Iterable[Entry | Removal]) -> str:
    sizes = [entry.size for entry in entries]
    return f"{len(sizes):,} {'file' if len(sizes) == 1 else 'files'}, {size_text(sum(sizes))}"
