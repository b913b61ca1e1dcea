"""The run's prompts: loaded and checked once, committed beside the steps, read back by every shard.

Steps must agree on what the prompts are, so the first one that asks commits them by the same protocol as a step, and
everybody else reads that. What the dataset was (revision, digest) and what was dropped from it is in the manifest.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from selfimprove.api.cautions import cautions
from selfimprove.api.spec import Spec
from selfimprove.artifacts import (
    PROMPTS,
    Manifest,
    attempt_folder,
    commit,
    digest_of,
    read_manifest,
    read_rows,
    require_manifest,
    write_table,
)
from selfimprove.errors import UserError
from selfimprove.left_out import left_out
from selfimprove.records import PROMPT
from selfimprove.seeds import bucket
from selfimprove.store.base import Store
from selfimprove_workers.datasets import PromptRow, PromptSets, load_sets
from selfimprove_workers.datasets.solutions import lacking_solutions
from selfimprove_workers.datasets.unreadable import unreadable_answers

__all__ = ["PromptRow", "ensure_prompts", "load_prompts"]

log = logging.getLogger(__name__)

SPLITS = ("train", "heldOut", "test")
NOT_CONTENT = {"endpoint", "credentials_secret_name", "token_secret_name"}
"""How a source is reached, which may change during a run, and not what it is."""


def ensure_prompts(store: Store, spec: Spec, attempt: str) -> Manifest:
    """The committed prompt sets; the first caller loads and checks the dataset and commits them.

    Raises `UserError` for whatever is wrong with the dataset, and when the run was begun with another one.
    """
    digest = dataset_digest(spec)
    found = read_manifest(store, PROMPTS)
    manifest = found[0] if found else _commit(store, _loaded(spec), digest, attempt)
    if manifest.digest != digest:
        raise UserError(
            f"spec.dataset: is not what {store.uri} was begun with; restore it, or start a run of another name"
        )
    return manifest


def load_prompts(store: Store, split: str, shard: int = 0, shards: int = 1) -> list[PromptRow]:
    """The prompts of one shard of a set ("train", "heldOut" or "test"), in order of their ids' hashes.

    Raises `FailedError` before the sets are committed, `ValueError` for a set the run does not have.
    """
    manifest, _ = require_manifest(store, PROMPTS)
    if split not in manifest.tables:
        raise ValueError(f"the run has no {split} prompts, only {', '.join(sorted(manifest.tables))}")
    rows = (
        row
        for batch in read_rows(store, manifest.tables[split], PROMPT)
        for row in batch.to_pylist()
        if bucket(row["prompt"], shards) == shard
    )
    return [_from_record(row) for row in rows]


def dataset_digest(spec: Spec) -> str:
    """What the prompt sets are made from: the same digest, the same prompts."""
    exclude: Any = {**dict.fromkeys(NOT_CONTENT, True), "grading": True}
    exclude |= {"held_out": NOT_CONTENT, "test": NOT_CONTENT}
    return digest_of("prompts", 1, spec.dataset.model_dump(mode="json", exclude=exclude))


def _loaded(spec: Spec) -> PromptSets:
    sets = load_sets(spec)
    lacking = lacking_solutions(spec, [draft.row for draft in sets.drafts["train"]])
    unread = [
        line
        for split, drafts in sets.unreadable.items()
        for line in unreadable_answers(spec, split, drafts, len(sets.drafts[split]))
    ]
    for caution in [*cautions(spec, len(sets.drafts["heldOut"])), *lacking, *unread]:
        log.warning("warning: %s", caution)
    for line in left_out(_account(sets)):
        log.info("%s", line)
    return sets


def _commit(store: Store, sets: PromptSets, digest: str, attempt: str) -> Manifest:
    folder = attempt_folder(PROMPTS, attempt)
    tables = {}
    for split in SPLITS:
        rows = [_to_record(draft.row) for draft in sets.drafts.get(split, [])]
        if rows:
            tables[split] = [write_table(store, f"{folder}/{split}.parquet", rows, PROMPT, prompts=len(rows))]
    manifest = Manifest(
        step="prompts", iteration=0, digest=digest, attempt=attempt, tables=tables, settings=_account(sets)
    )
    return commit(store, PROMPTS, manifest)[0]


def _account(sets: PromptSets) -> dict[str, Any]:
    """What a person asks of the prompts later: how many, of which levels, from where, and what was left out."""
    return {
        split: {
            "prompts": len(drafts),
            "levels": sets.levels(split),
            "dropped": sets.dropped.get(split, {}),
            "unreadable": len(sets.unreadable.get(split, [])),
            "source": sets.sources.get(split, {}),
        }
        for split, drafts in sets.drafts.items()
    }


def _to_record(row: PromptRow) -> dict[str, Any]:
    return {
        "prompt": row.id,
        "messages": row.messages,
        "answer": row.answer,
        "rationale": row.rationale,
        "level": row.level,
        "extra": None if row.extra is None else json.dumps(row.extra, sort_keys=True, ensure_ascii=False),
    }


def _from_record(row: dict[str, Any]) -> PromptRow:
    return PromptRow(
        id=row["prompt"],
        messages=row["messages"],
        answer=row["answer"],
        rationale=row["rationale"],
        level=row["level"],
        extra=json.loads(row["extra"]) if row["extra"] else None,
    )
