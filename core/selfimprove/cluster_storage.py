"""The artifacts of a cluster's run, from a machine outside of it: where its status says, by the server given here.

The credentials are this machine's own; the Secret that the run names is for its pods, and is not read.
"""

from __future__ import annotations

from pathlib import Path

from selfimprove.cluster_run import ClusterRun
from selfimprove.errors import OtherPlaceError, SurroundingsError
from selfimprove.runs import RunHandle, Server, as_reached
from selfimprove.store import Store, open_store
from selfimprove.store.disk import explained_reading


def open_run(seen: ClusterRun, server: Server) -> RunHandle:
    """The run with its store, which is asked for what the status says lies there.

    Raises `SurroundingsError` when it can't be reached or read from here, `OtherPlaceError` when it is not there.
    """
    spec = as_reached(seen.spec, server)
    store = open_store(seen.status.run_uri, endpoint=spec.storage.endpoint, region=spec.storage.region)
    _look_inside(seen, store)
    return RunHandle(seen.run, spec, store, store.uri, resource=seen)


def _look_inside(seen: ClusterRun, store: Store) -> None:
    """An empty place would read as a run that has done nothing, and whose result is M_0."""
    root = store.local_path("")
    if root is not None and not _is_folder(root):
        raise SurroundingsError(
            f"{seen.name}: its artifacts lie in a volume of the cluster, at {root}; "
            "mount that volume here at the same path"
        )
    there = any(True for _ in store.list("i000/"))
    if not there and seen.ledger.committed:
        raise OtherPlaceError(f"{seen.name}: nothing lies at {store.uri}: it was deleted, or moved; give its URI")


def _is_folder(path: Path) -> bool:
    with explained_reading(str(path)):
        return path.is_dir()
