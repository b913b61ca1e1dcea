"""Numbered parts as an ordered prefix: a killed step goes on at the prompt where it stopped (design section 4).

Every attempt writes only new objects under its own folder, so two that work at once never disturb each other; a later
attempt adopts what earlier ones completed, whoever they were, and writes the rest.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from selfimprove.artifacts.chain import Found, Header, header_of, longest_chain, totals
from selfimprove.artifacts.keys import attempt_folder
from selfimprove.artifacts.manifest import Part
from selfimprove.artifacts.rows import Rows, as_table, part_of, to_parquet
from selfimprove.store.base import Store

_log = logging.getLogger(__name__)

_DAMAGE = (pa.ArrowException, ValueError, TypeError, OSError)
"""What reading a part may raise when the part is at fault; faults of the store itself are `SurroundingsError`."""


class PartWriter:
    """Writes a step's rows in numbered parts of whole prompts, after those that earlier attempts completed.

    `table` names the parts (`part-00000.parquet`); a step with several tables has a writer for each, and may limit
    what is adopted to `at_most` prompts to keep them in step. `adopt=False` starts over, for work that is not resumed.
    """

    parts: list[Part]
    """All parts of the step so far, adopted ones first: what the manifest is to list."""
    prompts_done: int
    """Prompts that these parts complete; the next part starts there."""
    notes: list[str]
    """Parts that were found damaged and passed over, one line each."""

    def __init__(
        self,
        store: Store,
        folder: str,
        attempt: str,
        digest: str,
        schema: pa.Schema,
        *,
        table: str = "part",
        at_most: int | None = None,
        adopt: bool = True,
    ) -> None:
        self._store, self._digest, self._schema = store, digest, schema
        self._prefix = f"{attempt_folder(folder, attempt)}/{table}-"
        self.parts, self.notes = [], []
        self._headers: list[Header] = []
        if adopt:
            self._adopt([found for found in self._left_behind(folder, table) if _within(found, at_most)])
        self.prompts_done = sum(header.prompts for header in self._headers)

    @property
    def totals(self) -> dict[str, int]:
        """The counts of all parts, adopted ones included."""
        return totals(self._headers)

    @property
    def rows(self) -> int:
        """The rows of all parts, adopted ones included."""
        return sum(part.rows for part in self.parts)

    def write(self, rows: Rows, prompts: int, counts: Mapping[str, int] | None = None) -> Part:
        """Write the rows of the next `prompts` prompts, whole prompts only, and count them as done.

        A part without rows is fine (prompts that needed nothing). Raises `ValueError` when the rows are of more prompts
        than that, `pyarrow.ArrowInvalid` when the schema doesn't allow them.
        """
        table = as_table(rows, self._schema)
        _require_whole_prompts(table, prompts)
        header = Header(self._digest, len(self.parts), self.prompts_done, prompts, table.num_rows, {**(counts or {})})
        data = to_parquet(table, header.to_metadata())
        part = part_of(self._create(data), data, header.rows, prompts)
        self.parts.append(part)
        self._headers.append(header)
        self.prompts_done = header.end
        return part

    def _create(self, data: bytes) -> str:
        """Put the bytes under this attempt's next free number: what lies there may already be in someone's manifest."""
        number = len(self.parts)
        while not self._store.create(key := f"{self._prefix}{number:05d}.parquet", data):
            number += 1
        return key

    def _left_behind(self, folder: str, table: str) -> Iterator[Found]:
        """The parts that any attempt at this step left with our digest."""
        ours = re.compile(rf"{re.escape(folder)}/attempt-[^/]+/{re.escape(table)}-\d+\.parquet")
        for entry in self._store.list(f"{folder}/attempt-"):
            if not ours.fullmatch(entry.key):
                continue
            try:
                header = self._header(entry.key)
            except _DAMAGE as error:
                self._note(entry.key, error)
            else:
                if header.digest == self._digest:
                    yield Found(entry.key, header)

    def _adopt(self, found: list[Found]) -> None:
        """Take over the longest chain of sound parts; a damaged one is passed over, and the search starts again."""
        sound: dict[str, Part] = {}
        chain = longest_chain(found)
        while bad := next((part for part in chain if not self._is_sound(part, sound)), None):
            found.remove(bad)
            chain = longest_chain(found)
        self.parts = [sound[part.key] for part in chain]
        self._headers = [part.header for part in chain]

    def _is_sound(self, found: Found, sound: dict[str, Part]) -> bool:
        """Whether the part can be adopted; `sound` remembers those that were read once."""
        if found.key not in sound:
            try:
                sound[found.key] = self._verified(found)
            except _DAMAGE as error:
                self._note(found.key, error)
        return found.key in sound

    def _header(self, key: str) -> Header:
        with self._store.open(key) as stream, pq.ParquetFile(stream) as parquet:
            if not parquet.schema_arrow.equals(self._schema, check_metadata=False):
                raise ValueError("has another schema")
            return header_of(parquet.metadata.metadata)

    def _verified(self, found: Found) -> Part:
        """The part as the manifest will list it, after decoding every page against its checksum."""
        data = self._store.read(found.key)
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as parquet:
            rows = sum(batch.num_rows for batch in parquet.iter_batches())
        if rows != found.header.rows:
            raise ValueError(f"has {rows} rows where its header says {found.header.rows}")
        return part_of(found.key, data, rows, found.header.prompts)

    def _note(self, key: str, error: Exception) -> None:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        self.notes.append(f"{self._store.uri}/{key}: damaged, passed over ({reason})")
        _log.warning("%s", self.notes[-1])


def _within(found: Found, at_most: int | None) -> bool:
    return at_most is None or found.header.end <= at_most


def _require_whole_prompts(table: pa.Table, prompts: int) -> None:
    if prompts < 1:
        raise ValueError(f"a part completes at least one prompt, not {prompts}")
    if "prompt" in table.column_names and (distinct := pc.count_distinct(table["prompt"]).as_py()) > prompts:
        raise ValueError(f"the rows are of {distinct} prompts, more than the {prompts} that the part completes")
