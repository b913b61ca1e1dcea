"""Whether pods reach the files that a run names: only what it mounts is there, whatever its user's machine has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote

from selfimprove.api.problem import Problem
from selfimprove.api.sources import sources_of
from selfimprove.api.spec import Spec
from selfimprove.api.uris import place_of


def out_of_reach(spec: Spec) -> list[Problem]:
    """Every path of a spec, with or without `file://`, that lies under no volume of the run."""
    mounts = [PurePosixPath(volume.mount_path) for volume in spec.execution.volumes]
    return [
        Problem(
            f"spec.{field}",
            f"{uri} is no file that pods reach: they see what is under the mountPath of execution.volumes, without ..; "
            "mount a volume there, or give s3:// or hf://",
        )
        for field, uri in _uris(spec)
        if (path := _path(uri)) is not None and not _is_under(path, mounts)
    ]


def _uris(spec: Spec) -> Iterator[tuple[str, str]]:
    """Every place that is read or written, with its field."""
    named = {field: source.uri for field, source in sources_of(spec)}
    named |= {
        "resampling.teacher": spec.resampling.teacher.uri if spec.resampling.teacher else None,
        "storage": spec.storage.uri,
        "resumeFrom": spec.resume_from.uri if spec.resume_from else None,
    }
    yield from ((f"{field}.uri", uri) for field, uri in named.items() if uri is not None)


def _path(uri: str) -> PurePosixPath | None:
    """The path as a worker reads it; None for what is no file."""
    place = place_of(uri)
    if place.scheme != "file":
        return None
    return PurePosixPath(place.rest if place.plain else unquote(place.rest))


def _is_under(path: PurePosixPath, mounts: list[PurePosixPath]) -> bool:
    return ".." not in path.parts and any(path.is_relative_to(mount) for mount in mounts)
