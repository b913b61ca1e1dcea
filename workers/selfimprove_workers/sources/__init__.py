"""From a URI to files on this machine, with a revision and a digest that say exactly which files they were.

Models and datasets come from anywhere a user has them. Everything after this module sees plain local paths; what was
read is pinned (a hub revision is resolved to a commit) and hashed, so a run can say later what it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from selfimprove.api.execution import Storage
from selfimprove.api.source import Source
from selfimprove.api.uris import place_of
from selfimprove.errors import UserError
from selfimprove_workers.sources.cache import digest_of_files
from selfimprove_workers.sources.credentials import credentials_of
from selfimprove_workers.sources.folder import read_local
from selfimprove_workers.sources.hub import read_hub
from selfimprove_workers.sources.package import read_package
from selfimprove_workers.sources.request import Found, Kind, Request
from selfimprove_workers.sources.s3 import read_s3

__all__ = ["Fetched", "fetch"]


@dataclass(frozen=True)
class Fetched:
    """Files of a source, on this machine."""

    paths: list[Path]
    """In the order of their names."""
    revision: str | None
    """The commit of a hub repository, the version of a package; None where a place has no revisions."""
    digest: str
    """sha256 over names and contents: the same files give the same digest wherever they came from."""
    root: Path
    """The folder below which the files keep their names: a model's own folder."""


READERS: dict[str, Callable[[Request], Found]] = {
    "file": read_local,
    "s3": read_s3,
    "hf": read_hub,
    "package": read_package,
}


def fetch(
    source: Source,
    *,
    kind: Literal["model", "dataset"],
    storage: Storage,
    names: Sequence[str] | None = None,
    field: str | None = None,
) -> Fetched:
    """Bring the files of a source here, from the cache where they are already.

    `names`: patterns of the files that are wanted out of a folder (`["*.json", "*.safetensors"]`); by default what a
    model or a dataset of that kind is made of. `field`: how messages call the source (`spec.dataset.heldOut`).
    Raises `UserError` when the URI names nothing, `SurroundingsError` for credentials, buckets, hub, network and disk.
    """
    request = _request(source, kind, storage, names, field or f"spec.{kind}")
    found = READERS[request.scheme](request)
    return Fetched(
        paths=[found.root / name for name in found.names],
        revision=found.revision,
        digest=digest_of_files(found.root, found.names),
        root=found.root,
    )


def _request(source: Source, kind: Kind, storage: Storage, names: Sequence[str] | None, field: str) -> Request:
    scheme, rest, plain = place_of(source.uri)
    rest = unquote(rest) if scheme == "file" and not plain else rest
    if scheme not in READERS:
        known = ", ".join(f"{name}://" for name in READERS) + (", gym://" if kind == "dataset" else "")
        raise UserError(f"{field}.uri: {source.uri} has an unknown scheme; use {known} or a path")
    if source.revision and scheme != "hf":
        raise UserError(f"{field}.revision: {source.revision} has no meaning for {scheme}://; only hf:// has revisions")
    if not rest:
        raise UserError(f"{field}.uri: {source.uri} names no place; put the path after {scheme}://")
    inherits = scheme == "s3" and not source.endpoint
    return Request(
        uri=source.uri,
        rest=rest,
        scheme=scheme,
        field=field,
        kind=kind,
        patterns=tuple(names) if names else None,
        revision=source.revision,
        endpoint=storage.endpoint if inherits else source.endpoint,
        region=storage.region if inherits else None,
        inherits=inherits,
        credentials=credentials_of(source),
    )
