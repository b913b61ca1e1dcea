"""Which samples a person gave: a file of them, or the folder of a run and which of its samples."""

from __future__ import annotations

from pathlib import Path

from selfimprove.errors import UserError
from selfimprove.samples_file import Samples, read_samples


def samples_at(path: Path, iteration: int | None, step: str | None) -> Samples:
    """The samples. Raises `UserError` for what is neither, and for options that only a run has."""
    if not path.is_dir():
        if given := "--iteration" if iteration is not None else "--step" if step is not None else "":
            raise UserError(f"{given}: is of a run, and {path} is no folder of one; leave it out")
        if not path.exists() and not path.suffix:
            raise UserError(
                f"{path}: no such file or folder; give samples as .jsonl or .parquet, or the folder of a run"
            )
        return read_samples(path)
    from selfimprove.run_samples import samples_of_run
    from selfimprove.runs import find

    return samples_of_run(find(str(path)), step or "verify", iteration)
