"""The manifest of a step, and the one conditional write that commits it.

Whoever creates `manifest.json` first has done the step; everybody else finds it there and adopts it. That single write
is the whole commit protocol, on S3 and on a folder alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, ValidationError

from selfimprove import __version__
from selfimprove.api.base import Model
from selfimprove.artifacts.digests import sha256_of
from selfimprove.artifacts.keys import manifest_key
from selfimprove.documents import unreadable
from selfimprove.errors import FailedError
from selfimprove.store.base import Store
from selfimprove.summaries import ManifestRef, Summary

_REMEDY = "restore it, or delete it so that the step is done again"


class Part(Model):
    """One numbered piece of a step's rows: whole prompts, in order."""

    key: str
    """Relative to the store."""
    size: int
    sha256: str
    rows: int
    prompts: int
    """Prompts completed by this part, those without a row included."""


class File(Model):
    """One file of a checkpoint."""

    path: str
    """The name its reader sees, e.g. `config.json`."""
    key: str
    size: int
    sha256: str


class Manifest(Model):
    """What one shard of one step made, from what, and how it went."""

    step: str
    iteration: int
    split: str = ""
    shard: int = 0
    shards: int = 1
    digest: str
    """Of the step's inputs and settings: what was done under another digest is not ours."""
    parts: list[Part] = []
    files: list[File] = []
    inputs: dict[str, str] = {}
    """Folder of each input -> sha256 of its manifest."""
    settings: dict[str, Any] = {}
    tables: dict[str, list[Part]] = {}
    """Rows beside the main ones, by name, e.g. `decision`."""
    summary: dict[str, Any] = {}
    """The step's `Summary` as JSON, without its reference to this manifest."""
    version: str = __version__
    created_at: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    attempt: str

    @property
    def checkpoint(self) -> str | None:
        """The key of the folder that its files make; None where it made no model."""
        file = next(iter(self.files), None)
        return file.key.removesuffix(f"/{file.path}") if file else None

    def objects(self) -> Iterator[str]:
        """The key of every object that is part of what was made."""
        yield from (file.key for file in self.files)
        yield from (part.key for parts in (self.parts, *self.tables.values()) for part in parts)


def read_manifest(store: Store, folder: str) -> tuple[Manifest, str] | None:
    """The folder's manifest and the sha256 of its bytes; None before it is committed.

    Raises `UnreadableError` for one that can't be read as a manifest.
    """
    try:
        data = store.read(manifest_key(folder))
    except FileNotFoundError:
        return None
    return parse_manifest(store, manifest_key(folder), data), sha256_of(data)


def require_manifest(store: Store, folder: str) -> tuple[Manifest, str]:
    """The folder's manifest and its sha256. Raises `FailedError` when it is not committed."""
    found = read_manifest(store, folder)
    if found is None:
        raise FailedError(f"{store.uri}/{manifest_key(folder)}: is missing; run the step that writes it first")
    return found


def commit(store: Store, folder: str, manifest: Manifest) -> tuple[Manifest, str]:
    """Commit the folder, or adopt what another attempt has committed: what is now true, and its sha256.

    Raises pydantic's `ValidationError` for a summary that is none, before anything is written.
    """
    data = _to_bytes(manifest)
    if manifest.summary:
        _summary(store, folder, manifest, sha256_of(data))  # better here than in every later reader
    if store.create(manifest_key(folder), data):
        return parse_manifest(store, manifest_key(folder), data), sha256_of(data)
    return require_manifest(store, folder)


def summary_of(store: Store, folder: str, manifest: Manifest, sha256: str) -> Summary:
    """The summary that a manifest carries, with the reference to it filled in.

    Raises `UnreadableError` for one that this version can't read.
    """
    try:
        return _summary(store, folder, manifest, sha256)
    except ValidationError as error:
        place, what = f"{store.uri}/{manifest_key(folder)}", "no manifest of this version"
        raise unreadable(place, _to_bytes(manifest), error, what, _REMEDY) from error


def parse_manifest(store: Store, key: str, data: bytes) -> Manifest:
    """The manifest in these bytes. Raises `UnreadableError` when they are none."""
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise unreadable(f"{store.uri}/{key}", data, error, "no manifest of this version", _REMEDY) from error


def _summary(store: Store, folder: str, manifest: Manifest, sha256: str) -> Summary:
    reference = ManifestRef(uri=f"{store.uri}/{manifest_key(folder)}", sha256=sha256)
    return Summary.model_validate({**manifest.summary, "manifest": reference})


def _to_bytes(manifest: Manifest) -> bytes:
    return json.dumps(manifest.to_json(), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
