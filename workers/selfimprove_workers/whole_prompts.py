"""Rows of whole prompts: what every step that works prompt by prompt reads its samples as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.gathering import numpy_of


def whole_prompts(batches: Iterable[pa.RecordBatch], at_least: int = 1) -> Iterator[pa.Table]:
    """The same rows as tables of whole prompts, of at least so many rows each but for the last.

    The rows of a prompt must stand together, as `generate` and `resample` write them.
    """
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= at_least:
            table = pa.Table.from_batches(held)
            cut = _last_prompt_begins(table["prompt"])
            if cut:
                yield table.slice(0, cut)
            held = table.slice(cut).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def _last_prompt_begins(prompts: pa.ChunkedArray) -> int:
    column = prompts.combine_chunks()
    different = numpy_of(pc.not_equal(column.slice(1), column.slice(0, max(len(column) - 1, 0))))
    changes = np.flatnonzero(different)
    return int(changes[-1]) + 1 if len(changes) else 0
