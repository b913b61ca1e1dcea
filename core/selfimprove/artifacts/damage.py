"""The one line that says that an object is not what its manifest says, and all that goes if it can't be restored."""

from __future__ import annotations

from contextlib import suppress

from selfimprove.artifacts.keys import folder_of, is_step_manifest, manifest_key
from selfimprove.artifacts.lineage import made_from, named, step_inputs
from selfimprove.artifacts.manifest import require_manifest
from selfimprove.errors import SelfImproveError, SurroundingsError
from selfimprove.store.base import Store


def damaged(store: Store, key: str, expected: str, found: str) -> SurroundingsError:
    """The error for such an object: retrying is useless, restoring or redoing is not.

    What was made from the step has to go with it, so that is named too: nobody shall be refused once more for it.
    """
    folder = folder_of(key)
    going = [folder, *_descendants(store, folder)]
    manifest = f"{store.uri}/{manifest_key(folder)}"
    remedy = f"delete {manifest} so that the step is done again"
    if len(going) > 1:
        remedy = f"delete what was made then and from it, so that it is done again: {named(going)} in {store.uri}"
    return SurroundingsError(
        f"{store.uri}/{key}: is damaged: the manifest says {expected}, found {found}; restore it, or {remedy}"
    )


def _descendants(store: Store, folder: str) -> list[str]:
    """The folders that were made from one, as far as their manifests can be read."""
    with suppress(SelfImproveError):
        keys = [entry.key for entry in store.list("i") if is_step_manifest(entry.key)]
        folders = [key.removesuffix("/manifest.json") for key in keys]
        inputs = {each: step_inputs(require_manifest(store, each)[0]) for each in folders}
        return [each for each in made_from({folder}, inputs) if each != folder]
    return []
