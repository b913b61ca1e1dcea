"""What `select` reads beside the plain samples' scores: guided samples with what became of them, and equal texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.artifacts import Manifest, Part, read_rows
from selfimprove.errors import FailedError
from selfimprove.gathering import numpy_of
from selfimprove.records import DECISION, SAMPLE
from selfimprove.store.base import Store
from selfimprove.weighting import Ints
from selfimprove_workers.choosing import ACCEPTED, KEPT, REASONS, Codes


@dataclass(frozen=True)
class Guided:
    """m guided samples, in the order in which `resample` wrote them."""

    prompt: Ints
    """[m] Index into the ids of the plain samples' prompts."""
    reason: Codes
    """[m] KEPT where it was accepted."""


def gather_guided(store: Store, resampled: Sequence[Manifest], ids: Sequence[str]) -> Guided:
    """Read what became of each guided sample. Raises `FailedError` when samples and decisions do not match."""
    known, words = pa.array(ids, pa.string()), pa.array([ACCEPTED, *REASONS])
    codes = np.array([KEPT, *range(len(REASONS))], dtype=np.int8)
    prompts: list[Ints] = [np.empty(0, np.int64)]
    reasons: list[Codes] = [np.empty(0, np.int8)]
    for manifest in resampled:
        decisions = manifest.tables.get("decision", [])
        if [part.rows for part in decisions] != [part.rows for part in manifest.parts]:
            raise FailedError(f"{manifest.step}: its samples and decisions differ; delete the run and begin again")
        for batch in read_rows(store, decisions, DECISION, ["prompt", "reason"]):
            prompts.append(numpy_of(pc.index_in(batch["prompt"], known)).astype(np.int64))
            reasons.append(codes[numpy_of(pc.index_in(batch["reason"], words))])
    return Guided(np.concatenate(prompts), np.concatenate(reasons))


def fingerprints(store: Store, parts: Sequence[Part]) -> npt.NDArray[np.uint64]:
    """One number for each text, the same for texts that differ in white space only."""
    batches = read_rows(store, parts, SAMPLE, ["text"])
    texts = (text for batch in batches for text in batch["text"].to_pylist())
    return np.fromiter(map(fingerprint, texts), dtype=np.uint64)


def fingerprint(text: str) -> int:
    """The one of a single text."""
    return int.from_bytes(blake2b(" ".join(text.split()).encode(), digest_size=8).digest())
