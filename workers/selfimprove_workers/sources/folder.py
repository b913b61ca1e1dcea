"""Files of this machine: `file://` and plain paths."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from selfimprove.errors import SurroundingsError, UserError
from selfimprove_workers.sources.request import Found, Request, choose, fixed_part, is_glob


def read_local(request: Request) -> Found:
    """Files as they lie; nothing is copied."""
    place = Path(request.rest).expanduser()
    try:
        if place.is_file():
            _readable(request, place)
            return Found(root=place.parent.absolute(), names=[place.name])
        return _read_folder(request, place.as_posix())
    except PermissionError as error:
        raise SurroundingsError(f"{request.field}.uri: {request.uri} can't be read: permission denied") from error


def _read_folder(request: Request, path: str) -> Found:
    base = Path(fixed_part(path) or ("/" if path.startswith("/") else "."))
    if not base.is_dir():
        raise UserError(f"{request.field}.uri: {request.uri}: there is no file or folder {base}; mend the path")
    pattern = path.removeprefix(fixed_part(path)).lstrip("/") if is_glob(path) else ""
    names = choose(request, pattern, sorted(_names(base, _depth([pattern] if pattern else request.wanted))))
    for name in names:
        _readable(request, base / name)
    return Found(root=base.absolute(), names=names)


def _depth(patterns: Sequence[str]) -> float:
    return max(math.inf if "**" in pattern else pattern.count("/") for pattern in patterns)


def _names(base: Path, depth: float) -> Iterator[str]:
    """Files below a folder, at most so many folders deep."""
    for folder, inner, files in os.walk(base, followlinks=True):
        place = Path(folder).relative_to(base)
        if len(place.parts) >= depth:
            inner.clear()
        for file in files:
            yield (place / file).as_posix()


def _readable(request: Request, path: Path) -> None:
    if not os.access(path, os.R_OK):
        raise SurroundingsError(f"{request.field}.uri: {path} can't be read: permission denied; chmod it")
