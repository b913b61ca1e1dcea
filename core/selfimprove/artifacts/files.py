"""Checkpoints: plain folders of files in and out of storage, never half of one.

A folder that this gives has been checked file by file against a committed manifest; torn ones (the usual accident of
trainers that write in place) end with one line instead of a model that is silently wrong.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

from selfimprove.artifacts.damage import damaged
from selfimprove.artifacts.digests import sha256_of_stream
from selfimprove.artifacts.keys import attempt_folder
from selfimprove.artifacts.manifest import File, Manifest
from selfimprove.errors import SurroundingsError
from selfimprove.store.base import Store
from selfimprove.store.disk import explained


def write_files(store: Store, folder: str, attempt: str, source_dir: Path, prefix: str = "model") -> list[File]:
    """Put every file of `source_dir` under the attempt's `prefix`: what the manifest is to list as `files`."""
    base = f"{attempt_folder(folder, attempt)}/{prefix}"
    paths = sorted(path for path in source_dir.rglob("*") if path.is_file())
    return [_write_file(store, base, path, path.relative_to(source_dir).as_posix()) for path in paths]


def fetch_files(store: Store, manifest: Manifest, target: Path) -> Path:
    """The manifest's files as the plain folder `target`: all of them, each checked, or no folder at all.

    A `target` that already holds exactly these files is kept; so two processes may fetch at once. Raises
    `SurroundingsError` for a missing, short or changed file, a full disk, or a `target` that holds something else.
    """
    if _holds(target, manifest.files):
        return target
    with explained(str(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for file in manifest.files:
            _fetch_file(store, file, scratch / _safe(file.path))
        _move(scratch, target, manifest.files)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def files_in_place(store: Store, manifest: Manifest) -> Path | None:
    """The folder where the manifest's files already lie on this machine, each checked; None when they don't (S3).

    Raises `SurroundingsError` for a missing, short or changed file.
    """
    folders = {_folder_in_place(store, file) for file in manifest.files}
    if len(folders) != 1 or (folder := folders.pop()) is None:
        return None
    for file in manifest.files:
        _check(store, file, folder / file.path)
    return folder


def _write_file(store: Store, base: str, path: Path, name: str) -> File:
    with path.open("rb") as stream:
        sha256, size = sha256_of_stream(stream), stream.tell()
    store.upload(f"{base}/{name}", path)
    return File(path=name, key=f"{base}/{name}", size=size, sha256=sha256)


def _fetch_file(store: Store, file: File, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        store.download(file.key, path)
    except FileNotFoundError:
        raise damaged(store, file.key, f"{file.size} bytes", "no such object") from None
    _check(store, file, path)


def _check(store: Store, file: File, path: Path) -> None:
    found = _size_and_sha256(path)
    if found is None:
        raise damaged(store, file.key, f"{file.size} bytes", "no such object")
    if found[0] != file.size:
        raise damaged(store, file.key, f"{file.size} bytes", f"{found[0]}")
    if found[1] != file.sha256:
        raise damaged(store, file.key, f"sha256 {file.sha256}", found[1])


def _size_and_sha256(path: Path) -> tuple[int, str] | None:
    try:
        with path.open("rb") as stream:
            return os.fstat(stream.fileno()).st_size, sha256_of_stream(stream)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _holds(target: Path, files: Sequence[File]) -> bool:
    return target.is_dir() and all(
        _size_and_sha256(target / _safe(file.path)) == (file.size, file.sha256) for file in files
    )


def _move(scratch: Path, target: Path, files: Sequence[File]) -> None:
    scratch.chmod(0o755)  # mkdtemp's folders are for their owner alone
    try:
        scratch.rename(target)
    except OSError as error:
        if _holds(target, files):  # another process was quicker
            return
        raise SurroundingsError(
            f"{target}: can't become the checkpoint ({error.strerror}); remove it or choose another folder"
        ) from error


def _folder_in_place(store: Store, file: File) -> Path | None:
    path = store.local_path(file.key)
    if path is None or not file.key.endswith(f"/{_safe(file.path)}"):
        return None
    return Path(str(path).removesuffix(f"/{file.path}"))


def _safe(path: str) -> str:
    """The path, if it stays inside the folder that it is relative to. Raises `ValueError` otherwise."""
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"file {path!r} of a manifest leaves its folder")
    return path
