"""Rows of any shape as a file, JSON lines or Parquet, which appears whole and never has to fit in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from selfimprove.errors import UserError
from selfimprove.store.disk import explained, replace

Row = dict[str, Any]
Rows = Callable[[], Iterator[Row]]
"""Gives the rows from the start each time it is called."""
_AT_ONCE = 8192


def write_rows(output: Path, rows: Rows) -> None:
    """Write the file at once, over what was there. Raises `UserError` for rows that Parquet has no form for."""
    fill = _fill_parquet if output.suffix.lower() == ".parquet" else _fill_lines
    with explained(str(output)):
        replace(output, partial(fill, rows=rows))


def _fill_lines(file: BinaryIO, rows: Rows) -> None:
    for row in rows():
        file.write(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n")


def _fill_parquet(file: BinaryIO, rows: Rows) -> None:
    """Parquet wants the type of a column before its first value, so the rows are gone through twice."""
    try:
        types = [_columns(some).schema for some in _chunks(rows())]
        schema = pa.unify_schemas(types, promote_options="permissive")
        with pq.ParquetWriter(file, schema) as writer:
            for some in _chunks(rows()):
                writer.write_table(_columns(some, schema))
    except pa.ArrowException as error:
        raise UserError(f"-o: the rows can't be Parquet ({str(error).splitlines()[0]}); give a .jsonl file") from error


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while some := list(islice(rows, _AT_ONCE)):
        yield some


def _columns(rows: Iterable[Row], schema: pa.Schema | None = None) -> pa.Table:
    """The rows as a table: of the schema, or of what their values are. A struct needs a field, so {} is null."""
    names = schema.names if schema else list(dict.fromkeys(name for row in rows for name in row))
    values = {name: [None if (found := row.get(name)) == {} else found for row in rows] for name in names}
    return pa.table(
        {name: pa.array(each, schema.field(name).type if schema else None) for name, each in values.items()}
    )
