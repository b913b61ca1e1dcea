"""The artifacts of a cluster's run, from a machine outside of it: where its status says, by the server given here.

The credentials are this machine's own; the Secret that the run names is for its pods, and is not read.
"""

from __future__ import annotations

from pathlib import Path

from selfimprove.cluster_run import ClusterRun
from selfimprove.errors import OtherPlaceError, SurroundingsError
from selfimprove.runs import RunHandle, Server, as_reached
from selfimprove.store import Store, open_store


def open_run(seen: ClusterRun, server: Server) -> RunHandle:
    """The run with its store, which is asked for what the status says lies there.

    Raises `SurroundingsError` when it can't be reached or read from here, `OtherPlaceError` when it is not there.
    """
    spec = as_reached(seen.spec, server)
    store = open_store(seen.status.run_uri, endpoint=spec.storage.endpoint, region=spec.storage.region)
    _look_inside(seen, store)
    return RunHandle(seen.run, spec, store, store.uri, resource=seen)


def _look_inside(seen: ClusterRun, store: Store) -> None:
    root = store.local_path("")
    if root is not None and not root.is_dir():
        raise SurroundingsError(f"{seen.name}: {_why_not_here(seen, root)}")
    there = any(True for _ in store.list("i000/"))
    if not there and seen.ledger.committed:
        raise OtherPlaceError(f"{seen.name}: nothing lies at {store.uri}: it was deleted, or moved; give its URI")


def _why_not_here(seen: ClusterRun, root: Path) -> str:
    return f"its artifacts lie in a volume of the cluster, at {root}; mount that volume here at the same path"
