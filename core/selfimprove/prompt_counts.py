"""How many prompts a run will have, as far as that can be told at once, before any worker has loaded its dataset.

A generated set says its size, a limit is a bound, and files of this machine can be counted. What lies elsewhere is not
asked: a plan must answer in a second, also without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from selfimprove.api.resolve import HELD_OUT
from selfimprove.api.rules.gym import set_sizes
from selfimprove.api.source import Dataset, HeldOut
from selfimprove.api.sources import datasets_of
from selfimprove.api.uris import local_path
from selfimprove.text_files import LINES, open_text

MOST_BYTES = 64 << 20
"""Of JSON lines: more would take longer to count than a person waits."""
_FIELDS = {"train": "dataset", "heldOut": "dataset.heldOut", "test": "dataset.test"}


class Counts(NamedTuple):
    """Prompts by split (`train`, `heldOut`, `test`), splits of which nothing is known left out."""

    prompts: Mapping[str, int]
    sure: bool = True
    """Whether there can't be more."""
    missing: str = ""
    """Why splits are left out."""


def expected(dataset: Dataset) -> Counts:
    """The prompts that a dataset will give, repeated questions not yet dropped. `dataset`: resolved."""
    if sizes := set_sizes(dataset):
        return Counts({**sizes, "train": _limited(sizes["train"], dataset.limit)})
    held_out = dataset.held_out or HELD_OUT
    uris = {field: source.uri for field, source in datasets_of(dataset)}
    rows = {split: _counted(uri) for split, field in _FIELDS.items() if (uri := uris.get(field)) is not None}
    shared = held_out.uri is None
    if shared:
        rows |= _shared_out(rows["train"], held_out)
    test = dataset.test.limit if dataset.test else None
    limits = {"train": dataset.limit, "heldOut": held_out.limit, "test": test}
    known = {split: _bound(count, limits[split]) for split, count in rows.items()}
    missing = [f"{rows[split]}; {_FIELDS[split]}.limit would give a bound" for split, n in known.items() if n is None]
    prompts = {split: n for split, n in known.items() if n is not None}
    return Counts(prompts, not shared or isinstance(rows["train"], str), "; ".join(missing))


def _shared_out(rows: int | str, held_out: HeldOut) -> dict[str, int | str]:
    """What a share held out leaves: about, since a hash draws it."""
    if isinstance(rows, str):
        return {"train": rows, "heldOut": rows}
    share = round(rows * (held_out.fraction or HELD_OUT.fraction or 0.0))
    return {"train": rows - share, "heldOut": share}


def _bound(rows: int | str, limit: int | None) -> int | None:
    return limit if isinstance(rows, str) else _limited(rows, limit)


def _limited(rows: int, limit: int | None) -> int:
    return min(rows, limit or rows)


def _counted(uri: str) -> int | str:
    """The rows of the files that a URI names on this machine, or why they are not counted."""
    path = local_path(uri)
    if path is None:
        return f"{uri} is not asked"
    root = Path(path.anchor)
    try:
        files = list(root.glob(str(path.relative_to(root))))
        if not files:
            return f"{uri} is not here"
        lines = [file for file in files if file.name.lower().endswith(LINES)]
        tables = [file for file in files if file.name.lower().endswith(".parquet")]
        if len(lines) + len(tables) < len(files):
            return f"{uri} names more than files of JSON lines or Parquet"
        if sum(file.stat().st_size for file in lines) > MOST_BYTES:
            return f"{uri} is too large to be counted in passing"
        return sum(map(_lines_of, lines)) + sum(map(_rows_of, tables))
    except (OSError, EOFError, ValueError):  # pyarrow's errors and Unicode's are ValueErrors
        return f"{uri} can't be read"


def _lines_of(file: Path) -> int:
    with open_text(file) as text:
        return sum(1 for line in text if line.strip())


def _rows_of(file: Path) -> int:
    import pyarrow.parquet as pq

    rows: int = pq.read_metadata(file).num_rows
    return rows
