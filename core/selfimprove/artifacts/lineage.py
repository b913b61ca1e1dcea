"""Whether what is committed was made from what is committed.

A manifest names its inputs with their sha256. Where one of those is gone or another one by now (somebody deleted a
damaged step, and it was done again), what was made from it tells of rows that are no longer there: scores would be
joined to other samples, measures would describe another model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfimprove.artifacts.keys import is_step_manifest, manifest_key
from selfimprove.artifacts.manifest import Manifest
from selfimprove.errors import SurroundingsError

_SHOWN = 20


def require_lineage(uri: str, sha256: Mapping[str, str | None], inputs: Mapping[str, Mapping[str, str]]) -> None:
    """Raises `SurroundingsError` naming every manifest that has to go, where one was made from what is not there.

    `sha256`: of the manifest that each folder has, None where it has none. `inputs`: of the folders that are asked
    about, what each was made from. `uri`: where the folders lie.
    """
    changed = [(folder, of) for folder, made in inputs.items() for of, sha in made.items() if sha256.get(of) != sha]
    if not changed:
        return
    folder, of = changed[0]
    stale = made_from({folder for folder, _ in changed}, inputs)
    raise SurroundingsError(
        f"{uri}/{manifest_key(folder)}: was made from another {of} than is there now; restore that, or delete what was "
        f"made from it, so that it is done again: {named(stale)} in {uri}"
    )


def step_inputs(manifest: Manifest) -> dict[str, str]:
    """Folder -> sha256 of the inputs that steps made; the prompts have a digest of what they should be."""
    return {folder: sha for folder, sha in manifest.inputs.items() if is_step_manifest(manifest_key(folder))}


def made_from(changed: set[str], inputs: Mapping[str, Mapping[str, str]]) -> list[str]:
    """These folders and all that were made from them, directly or not, in order."""
    stale = set(changed)
    while found := {folder for folder, made in inputs.items() if folder not in stale and stale & made.keys()}:
        stale |= found
    return sorted(stale)


def named(folders: Sequence[str]) -> str:
    """The manifests of folders, as a message names them."""
    more = f" and {len(folders) - _SHOWN} more" if len(folders) > _SHOWN else ""
    return ", ".join(manifest_key(each) for each in folders[:_SHOWN]) + more
