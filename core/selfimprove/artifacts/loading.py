"""The ledger of a run on one machine: what its manifests say, and nothing else.

No data library is imported here, and objects that are not a step's manifest are never opened: `selfimprove plan` and
`status` answer from this in well under a second.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from selfimprove.artifacts.digests import sha256_of
from selfimprove.artifacts.keys import is_step_manifest
from selfimprove.artifacts.manifest import parse_manifest, summary_of
from selfimprove.ledger import Ledger, ledger_of
from selfimprove.store.base import Store
from selfimprove.summaries import Summary

_READERS = 16
"""Manifests read at once: on S3 each is one round trip, and a run of many shards has thousands."""


def load_ledger(store: Store) -> Ledger:
    """Everything the run has committed, as the decision sees it."""
    return ledger_of(load_summaries(store))


def load_summaries(store: Store) -> list[Summary]:
    """The summary of every committed shard of every step, in the order of their keys."""
    keys = [entry.key for entry in store.list("i") if is_step_manifest(entry.key)]
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda key: _load(store, key), keys))


def _load(store: Store, key: str) -> Summary:
    data = store.read(key)
    return summary_of(store, key.removesuffix("/manifest.json"), parse_manifest(store, key, data), sha256_of(data))
