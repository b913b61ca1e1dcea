"""Rows in and out of storage: one Parquet object written whole, many read back as one stream.

No row is given before the object's sha256 has been checked, and memory is bounded by one part: the steps that reduce
read a hundred thousand samples this way in well under a gigabyte.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from selfimprove.artifacts.damage import damaged
from selfimprove.artifacts.digests import sha256_of, sha256_of_stream
from selfimprove.artifacts.manifest import Part
from selfimprove.errors import SurroundingsError
from selfimprove.store.base import Store

Rows: TypeAlias = "pa.Table | Sequence[Mapping[str, Any]]"
"""A table, or one mapping a row."""


def read_rows(
    store: Store,
    parts: Sequence[Part],
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    batch_rows: int = 8192,
) -> Iterator[pa.RecordBatch]:
    """The rows of the parts, in order, in batches of at most `batch_rows`; `columns` in the order that is asked for.

    Each part's sha256 is checked before its first row is given. Raises `SurroundingsError` for a part that is missing,
    damaged, or of another schema.
    """
    names = list(schema.names if columns is None else columns)
    for part in parts:
        with _checked(store, part) as stream, pq.ParquetFile(stream) as parquet:
            _require_schema(store, part, parquet.schema_arrow, schema)
            for batch in parquet.iter_batches(batch_rows, columns=names):
                yield batch.select(names)


def write_table(store: Store, key: str, rows: Rows, schema: pa.Schema, prompts: int = 0) -> Part:
    """Write rows as one Parquet object over what was there, for tables that are no chain of parts (the prompt sets).

    Raises `pyarrow.ArrowInvalid` for rows that the schema doesn't allow.
    """
    table = as_table(rows, schema)
    data = to_parquet(table)
    store.write(key, data)
    return part_of(key, data, table.num_rows, prompts)


def as_table(rows: Rows, schema: pa.Schema) -> pa.Table:
    """The rows as a table of exactly this schema."""
    if isinstance(rows, pa.Table):
        return rows.select(schema.names).cast(schema)
    return pa.Table.from_pylist(list(rows), schema=schema)


def to_parquet(table: pa.Table, metadata: Mapping[str, str] | None = None) -> bytes:
    """The table as Parquet: zstd, a checksum on every page, `metadata` as key-value pairs of the file."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, table.schema, compression="zstd", write_page_checksum=True) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(dict(metadata or {}))
    return sink.getvalue()


def part_of(key: str, data: bytes, rows: int, prompts: int) -> Part:
    """What a manifest says of an object with these bytes."""
    return Part(key=key, size=len(data), sha256=sha256_of(data), rows=rows, prompts=prompts)


@contextmanager
def _checked(store: Store, part: Part) -> Iterator[BinaryIO]:
    """The part as a stream at its start, its sha256 checked: the file itself where there is one, else its bytes."""
    try:
        stream = _stream(store, part.key)
    except FileNotFoundError:
        raise damaged(store, part.key, f"{part.size} bytes", "no such object") from None
    with stream:
        found = sha256_of_stream(stream)
        if found != part.sha256:
            raise damaged(store, part.key, f"sha256 {part.sha256}", f"{found} ({stream.tell()} bytes)")
        stream.seek(0)
        yield stream


def _stream(store: Store, key: str) -> BinaryIO:
    # A local file is hashed and then read through one handle, so nobody can put another in between.
    return store.open(key) if store.local_path(key) else io.BytesIO(store.read(key))


def _require_schema(store: Store, part: Part, found: pa.Schema, expected: pa.Schema) -> None:
    if not found.equals(expected, check_metadata=False):
        names = dict.fromkeys([*expected.names, *found.names])
        differing = [name for name in names if not _same(found, expected, name)]
        raise SurroundingsError(
            f"{store.uri}/{part.key}: was written with another schema (columns {', '.join(differing)} differ); "
            "read it with the version of selfimprove that its manifest names"
        )


def _same(found: pa.Schema, expected: pa.Schema, name: str) -> bool:
    return name in found.names and name in expected.names and bool(found.field(name).equals(expected.field(name)))
