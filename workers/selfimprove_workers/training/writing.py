"""Writing tensors to this machine's disk: what the file system refuses ends as one line, as everywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from selfimprove.errors import SurroundingsError
from selfimprove.store.disk import explained


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around whatever writes below `path`. Raises `SurroundingsError`; safetensors has no `OSError` for a full disk."""
    try:
        with explained(str(path)):
            yield
    except SafetensorError as error:
        raise SurroundingsError(
            f"{path}: tensors can't be written ({error}); free some space, or set TMPDIR to a folder that has it"
        ) from error
