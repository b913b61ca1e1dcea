"""The ledger of a run on one machine: what its manifests say, and nothing else.

No data library is imported here, and objects that are not a step's manifest are never opened: `selfimprove plan` and
`status` answer from this in well under a second.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from selfimprove.artifacts.keys import is_step_manifest
from selfimprove.artifacts.lineage import require_lineage, step_inputs
from selfimprove.artifacts.manifest import require_manifest, summary_of
from selfimprove.ledger import Ledger, ledger_of
from selfimprove.store.base import Store
from selfimprove.summaries import Summary

_READERS = 16
"""Manifests read at once: on S3 each is one round trip, and a run of many shards has thousands."""


class Committed(NamedTuple):
    """What one shard of a step committed, and when."""

    summary: Summary
    at: str
    """The manifest's `createdAt`: ISO 8601, UTC, so that the later of two is the greater text."""


def load_ledger(store: Store) -> Ledger:
    """Everything the run has committed, as the decision sees it. Raises what `load_summaries` raises."""
    return ledger_of(load_summaries(store))


def load_summaries(store: Store) -> list[Summary]:
    """The summary of every committed shard of every step, in the order of their keys.

    Raises what `load_committed` raises.
    """
    return [committed.summary for committed in load_committed(store)]


def load_committed(store: Store) -> list[Committed]:
    """Every committed shard of every step, in the order of their keys: one read each.

    Raises `SurroundingsError` for a manifest that can't be read, or was made from another one than is there.
    """
    keys = [entry.key for entry in store.list("i") if is_step_manifest(entry.key)]
    folders = [key.removesuffix("/manifest.json") for key in keys]
    with ThreadPoolExecutor(_READERS) as pool:
        found = dict(zip(folders, pool.map(lambda folder: require_manifest(store, folder), folders), strict=True))
    inputs = {folder: step_inputs(manifest) for folder, (manifest, _) in found.items()}
    require_lineage(store.uri, {folder: sha256 for folder, (_, sha256) in found.items()}, inputs)
    return [Committed(summary_of(store, folder, *each), each[0].created_at) for folder, each in found.items()]
