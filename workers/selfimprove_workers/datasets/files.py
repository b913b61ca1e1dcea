"""Rows of Parquet and JSON-lines files, streamed, each with the words that name it in a message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from selfimprove.errors import UserError
from selfimprove.text_files import LINES, open_text

BATCH = 1024


class Row(NamedTuple):
    """One row of a dataset and where it stands: `row 17 of train.parquet`, `line 3 of a.jsonl`."""

    where: str
    values: dict[str, Any]


def read_files(paths: Sequence[Path], field: str) -> Iterator[Row]:
    """The rows of all files, in order. Raises `UserError` naming the file for one that can't be read as what it is."""
    for path in paths:
        yield from _reader(path, field)(path, field)


def _reader(path: Path, field: str) -> Callable[[Path, str], Iterator[Row]]:
    for suffix, reader in READERS.items():
        if path.name.lower().endswith(suffix):
            return reader
    raise UserError(f"{field}.uri: {path.name} is no dataset file; give {' or '.join(READERS)}")


def _read_parquet(path: Path, field: str) -> Iterator[Row]:
    number = 0
    with _clear_errors(path, field, "Parquet"), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            for values in batch.to_pylist():
                number += 1
                yield Row(f"row {number} of {path.name}", values)


def _read_lines(path: Path, field: str) -> Iterator[Row]:
    with _clear_errors(path, field, "JSON lines"), open_text(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where = f"line {number} of {path.name}"
                yield Row(where, _parse(line, where, field))


def _parse(line: str, where: str, field: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", None) or type(error).__name__
        hint = "; one JSON object a line (jq -c '.[]' makes them of a list)" if line.lstrip()[:1] == "[" else ""
        raise UserError(f"{field}.uri: {where} is not JSON ({reason}){hint or '; mend or remove it'}") from error
    if not isinstance(values, dict):
        kind = type(values).__name__
        raise UserError(f"{field}.uri: {where} is a {kind}, not an object; give one JSON object a line")
    if "\\ud" in line.lower():
        _refuse_half_characters(values, where, field)
    return values


def _refuse_half_characters(values: dict[str, Any], where: str, field: str) -> None:
    """JSON may escape half of a surrogate pair, which is no text: nothing can store it, and no tokenizer reads it."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise UserError(f"{field}.uri: {where} holds {half} alone, half of a character; mend or remove it") from error


@contextmanager
def _clear_errors(path: Path, field: str, kind: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise UserError(f"{field}.uri: {path} can't be read as {kind} ({reason}); give a sound file") from error


READERS: dict[str, Callable[[Path, str], Iterator[Row]]] = {
    ".parquet": _read_parquet,
    **dict.fromkeys(LINES, _read_lines),
}
