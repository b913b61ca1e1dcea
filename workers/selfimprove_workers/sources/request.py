"""What a reader of sources is asked, what it answers, and how names are chosen: the same rules at every place.

A URI names one file, a folder or a glob. `*` and `?` stay within a folder, `**` crosses folders. Out of a folder only
the files of the wanted kind are taken, so a README beside the data does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from pathlib import Path, PurePosixPath
from typing import Literal

from selfimprove.errors import UserError

Kind = Literal["model", "dataset"]

WANTED: dict[Kind, tuple[str, ...]] = {
    "model": ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja", "*.gguf"),
    "dataset": ("**/*.parquet", "**/*.jsonl", "**/*.ndjson", "**/*.jsonl.gz", "**/*.ndjson.gz"),
}
"""What is taken out of a folder. A model lies flat in its folder: `original/` and ONNX copies beside it stay away."""


@dataclass(frozen=True)
class Request:
    """One source to read, its URI taken apart."""

    uri: str
    rest: str
    scheme: str
    field: str
    kind: Kind
    patterns: tuple[str, ...] | None
    revision: str | None
    endpoint: str | None
    region: str | None
    inherits: bool
    """Whether both are those of the storage: a source on S3 without an endpoint of its own."""
    credentials: Mapping[str, str] = attribute(default_factory=dict, repr=False)
    """Of this source alone (see `credentials`); what is not there comes from the usual chain."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The patterns of files to take out of a folder."""
        return self.patterns or WANTED[self.kind]


@dataclass(frozen=True)
class Found:
    """Files that are here: names relative to a root, in order."""

    root: Path
    names: list[str]
    revision: str | None = None


def is_glob(path: str) -> bool:
    """Whether a path has wildcards."""
    return any(sign in path for sign in "*?[")


def fixed_part(path: str) -> str:
    """The folders of a path before its first wildcard: `a/b*/c.parquet` has `a`; without a wildcard the whole path."""
    parts = path.split("/")
    count = next((i for i, part in enumerate(parts) if is_glob(part)), len(parts))
    return "/".join(parts[:count])


def root_of(path: str, names: Sequence[str]) -> str:
    """The folder below which chosen names count: the path itself, or what holds its file or its first wildcard."""
    path = path.rstrip("/")
    if is_glob(path):
        return fixed_part(path)
    return path.rpartition("/")[0] if path in names else path


def below(root: str, name: str) -> str:
    """A chosen name as it reads from the root."""
    return name.removeprefix(f"{root}/") if root else name


def matcher(pattern: str) -> re.Pattern[str]:
    """A glob as a regex over whole `/`-separated paths."""
    pieces = {"**/": r"(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = ""
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^]/]+\]|.", pattern, re.DOTALL):
        is_set = len(token) > 2 and token[0] == "["
        text += "[" + token[1:].replace("!", "^", 1) if is_set else pieces.get(token, re.escape(token))
    return re.compile(text, re.DOTALL)


def choose(request: Request, path: str, listing: Sequence[str]) -> list[str]:
    """The names of a listing that a path means: itself, what it matches, or what is wanted of the folder it is.

    Raises `UserError` naming what there is when nothing is meant.
    """
    path = path.rstrip("/")
    if path in listing:
        return [path]
    if is_glob(path):
        chosen = [name for name in listing if matcher(path).fullmatch(name)]
        return sorted(chosen) or _nothing(request, "matches no file", listing)
    prefix = f"{path}/" if path else ""
    inside = [name.removeprefix(prefix) for name in listing if name.startswith(prefix)]
    if not inside:
        return _nothing(request, "is no file and no folder" if path else "is empty", listing)
    patterns = [matcher(pattern) for pattern in request.wanted]
    chosen = [name for name in inside if _visible(name) and any(p.fullmatch(name) for p in patterns)]
    return sorted(prefix + name for name in chosen) or _nothing(request, f"has no {_spoken(request.wanted)}", inside)


def _visible(name: str) -> bool:
    return not any(part.startswith((".", "_")) for part in PurePosixPath(name).parts)


def _spoken(patterns: Sequence[str]) -> str:
    return " or ".join(pattern.removeprefix("**/") for pattern in patterns)


def _nothing(request: Request, why: str, listing: Sequence[str]) -> list[str]:
    seen = sorted(name for name in listing if _visible(name))
    shown = ", ".join(seen[:5]) + (", ..." if len(seen) > 5 else "")
    raise UserError(f"{request.field}.uri: {request.uri} {why}; there is {shown or 'nothing'}")
