"""What retention allows to go, decided from what is committed: a pure function of keys, manifests and the ledger.

Manifests always stay, and so does every row a manifest names, so that a pruned run still answers `status`, `samples`
and `plan`, and goes on where it is. What takes the space goes: trainer states, what losing attempts left behind, and
models that are neither the best nor the last. `measure` sees to it after every iteration, wherever it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from selfimprove.api.execution import Storage
from selfimprove.artifacts import PROMPTS, Manifest, load_ledger, read_manifest, step_folder
from selfimprove.artifacts.keys import folder_of
from selfimprove.ledger import Ledger, StepId
from selfimprove.stopping import best_iteration
from selfimprove.store.base import Store

_READERS = 16
_STAYS = (".log", ".jsonl", "manifest.json")
"""Logs and training curves are small, and what a person looks for when something went wrong."""


class Removal(NamedTuple):
    """One object that may go, and why."""

    key: str
    size: int
    reason: str


def prune(store: Store, storage: Storage, before: int | None = None) -> list[Removal]:
    """Remove what may go, and say what that was.

    `before`: of what attempts left behind, only that of earlier iterations. To be given beside a run at work, where an
    attempt that lost (on S3 two processes may work on one run) may not know it yet, and still read its own parts.
    """
    going = removals(store, storage, load_ledger(store), before)
    store.delete(removal.key for removal in going)
    return going


def removals(store: Store, storage: Storage, ledger: Ledger, before: int | None = None) -> list[Removal]:
    """Everything of the run that its `storage.retention` allows to go, in the order of keys; `before` as in `prune`."""
    manifests = _manifests(store, ledger)
    going = _model_files(manifests, _models_to_drop(storage, ledger))
    named = {key for manifest in manifests.values() for key in manifest.objects()}
    over = {folder for folder, manifest in manifests.items() if before is None or manifest.iteration < before}
    found = ((entry, going.get(entry.key) or _unnamed(entry.key, over, named)) for entry in store.list())
    return [Removal(entry.key, entry.size, reason) for entry, reason in found if reason]


def kept_models(ledger: Ledger) -> set[int]:
    """n of the models M_n that BestAndLast keeps: the last one is what a running step may sample with or start from,
    and M_0 answers the test set at the end.
    """
    return {0, best_iteration(ledger), max(_distilled(ledger), default=0)}


def _models_to_drop(storage: Storage, ledger: Ledger) -> set[int]:
    return set() if storage.retention == "All" else set(_distilled(ledger)) - kept_models(ledger)


def _distilled(ledger: Ledger) -> list[int]:
    return [step.iteration for step in ledger.committed if step.step == "distill"]


def _manifests(store: Store, ledger: Ledger) -> dict[str, Manifest]:
    """Folder of every committed shard of every step, and of the prompt sets -> its manifest."""
    folders = [PROMPTS, *(step_folder(step, shard) for step, shards in ledger.committed.items() for shard in shards)]
    with ThreadPoolExecutor(_READERS) as pool:
        found = zip(folders, pool.map(lambda folder: read_manifest(store, folder), folders), strict=True)
        return {folder: manifest[0] for folder, manifest in found if manifest}


def _model_files(manifests: Mapping[str, Manifest], models: Iterable[int]) -> dict[str, str]:
    """Key of every file of these models -> why it may go."""
    return {
        file.key: f"M_{n} is neither the best nor the last"
        for n in models
        for file in manifests[step_folder(StepId(n, "distill"))].files
    }


def _unnamed(key: str, over: set[str], named: set[str]) -> str | None:
    """Why an object that no manifest names may go; None when it stays, as what an open step may yet resume from.

    `over`: the folders that are committed, and nobody works in any more.
    """
    folder = folder_of(key)
    if folder == key or folder not in over or key in named or key.endswith(_STAYS):
        return None
    if "/state/" in key:
        return "trainer state of a step that is done"
    return "put aside by a step that is done" if "aside-" in key else "left by an attempt that lost"
