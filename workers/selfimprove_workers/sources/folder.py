"""Files of this machine: `file://` and plain paths."""

from __future__ import annotations

import math
import os
import re
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
        raise UserError(f"{request.field}.uri: {request.uri}: there is no file or folder {base}; {_remedy(request)}")
    pattern = path.removeprefix(fixed_part(path)).lstrip("/") if is_glob(path) else ""
    names = choose(request, pattern, sorted(_names(base, _depth([pattern] if pattern else request.wanted))))
    for name in names:
        _readable(request, base / name)
    return Found(root=base.absolute(), names=names)


def _remedy(request: Request) -> str:
    """A model's name on the hub is a path, too, where `hf://` does not stand before it."""
    on_hub = request.kind == "model" and re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", request.uri)
    return f"give hf://{request.uri} for a model of the hub, or mend the path" if on_hub else "mend the path"


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
