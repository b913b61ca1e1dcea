"""The prompt sets of a run: loaded, split by hash, limited, and kept apart from one another.

No question may stand in two sets. In files that is refused with both rows named, because the user has to decide which
one is wrong; in a generated set the one that is trained on is dropped and counted, because nobody decided anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from selfimprove.api.execution import Storage
from selfimprove.api.source import Dataset, HeldOut, Source, TestSet
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove.seeds import fraction
from selfimprove_workers.datasets.files import read_files
from selfimprove_workers.datasets.gym import generate, is_gym, plan_sets
from selfimprove_workers.datasets.mapping import map_rows
from selfimprove_workers.datasets.repeats import refuse_repeats, refuse_shared_questions
from selfimprove_workers.datasets.rows import Draft
from selfimprove_workers.datasets.solutions import require_solutions
from selfimprove_workers.datasets.unreadable import require_readable, unreadable
from selfimprove_workers.sources import fetch

DEFAULT_HELD_OUT = HeldOut(fraction=0.1, limit=500)
_REACHED = ("endpoint", "credentials_secret_name", "token_secret_name")
FIELDS = {"train": "spec.dataset", "heldOut": "spec.dataset.heldOut", "test": "spec.dataset.test"}


@dataclass
class PromptSets:
    """The prompts of each set in their order, what was dropped, and where they came from."""

    drafts: dict[str, list[Draft]]
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    """Set -> reason -> how many."""
    unreadable: dict[str, list[Draft]] = field(default_factory=dict)
    """Set -> its prompts whose answer can't be read."""
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Set -> its URI, resolved revision and content digest, or the generated set's settings."""

    def levels(self, name: str) -> dict[str, int]:
        """How many prompts of a set each difficulty level has."""
        levels = Counter(draft.row.level for draft in self.drafts[name] if draft.row.level is not None)
        return dict(sorted(levels.items()))


def load_sets(spec: Spec) -> PromptSets:
    """The sets of a spec. Raises `UserError` for anything wrong with them, `SurroundingsError` for where they are."""
    held_out = spec.dataset.held_out or DEFAULT_HELD_OUT
    if is_gym(spec.dataset.uri):
        sets = _generated(spec.dataset, held_out)
    else:
        sets = _from_files(spec.dataset, held_out, spec.storage)
    sets.drafts["train"] = sets.drafts["train"][: spec.dataset.limit]
    for name, drafts in sets.drafts.items():
        if not drafts:
            raise UserError(f"{FIELDS[name]}: holds no prompt; give more data")
        sets.unreadable[name] = unreadable(spec.dataset.task, drafts)
        require_readable(spec.dataset, drafts, sets.unreadable[name])
    require_solutions(spec, [draft.row for draft in sets.drafts["train"]])
    shards = spec.generation.shards
    if shards > len(sets.drafts["train"]):
        raise UserError(
            f"spec.generation.shards: {shards} is more than the {len(sets.drafts['train'])} training prompts; lower it"
        )
    return sets


def _generated(dataset: Dataset, held_out: HeldOut) -> PromptSets:
    sets = PromptSets(drafts={})
    seen: set[bytes] = set()
    plan = plan_sets(dataset, held_out)
    for name in ("test", "heldOut", "train"):  # what is measured on keeps its questions
        if name not in plan:
            continue
        drafts = list(generate(dataset, plan[name]))
        own = {draft.question: draft for draft in reversed(drafts)}
        fresh = [draft for draft in own.values() if draft.question not in seen]
        seen.update(own)
        sets.drafts[name] = _ordered(fresh)
        sets.dropped[name] = {"duplicates": len(drafts) - len(own), "contaminated": len(own) - len(fresh)}
        gym = plan[name]
        sets.sources[name] = {"uri": gym.uri, "config": gym.config, "seeds": [gym.start, gym.end], "size": gym.size}
    return sets


def _from_files(dataset: Dataset, held_out: HeldOut, storage: Storage) -> PromptSets:
    sets = PromptSets(drafts={})
    everything = _load(sets, "train", dataset, dataset, storage)
    if held_out.uri is not None:
        sets.drafts["heldOut"] = _load(sets, "heldOut", dataset, held_out, storage)[: held_out.limit]
    else:
        everything, chosen = _split(everything, held_out)
        sets.drafts["heldOut"] = chosen[: held_out.limit]
    sets.drafts["train"] = everything
    if dataset.test is not None:
        sets.drafts["test"] = _load(sets, "test", dataset, dataset.test, storage)[: dataset.test.limit]
    in_order = {name: sets.drafts[name] for name in FIELDS if name in sets.drafts}
    refuse_shared_questions(in_order, FIELDS, {name: source["uri"] for name, source in sets.sources.items()})
    return sets


def _load(
    sets: PromptSets, name: str, dataset: Dataset, source: Dataset | HeldOut | TestSet, storage: Storage
) -> list[Draft]:
    """All prompts of one source, in the order of their ids' hashes."""
    reached = {name: getattr(source, name) or _inherited(dataset, source, name) for name in _REACHED}
    place = Source(uri=source.uri or "", revision=source.revision, **reached)
    found = fetch(place, kind="dataset", storage=storage, field=FIELDS[name])
    sets.sources[name] = {"uri": place.uri, "revision": found.revision, "digest": found.digest}
    drafts = list(map_rows(dataset if name == "train" else _unguided(dataset), read_files(found.paths, FIELDS[name])))
    if not drafts:
        raise UserError(f"{FIELDS[name]}.uri: {place.uri} has no rows; give data")
    refuse_repeats(drafts, FIELDS[name], place.uri)
    return _ordered(drafts)


def _unguided(dataset: Dataset) -> Dataset:
    """Nobody is guided where models are only looked at: no reference solution need be there."""
    return dataset.model_copy(update={"fields": dataset.fields.model_copy(update={"rationale": None})})


def _inherited(dataset: Dataset, source: Dataset | HeldOut | TestSet, name: str) -> str | None:
    """A source without an endpoint is where the dataset is, and read as that is, if both are of one kind."""
    same = (source.uri or "").partition("://")[0] == dataset.uri.partition("://")[0]
    found: str | None = getattr(dataset, name)
    return found if same and not source.endpoint else None


def _split(drafts: list[Draft], held_out: HeldOut) -> tuple[list[Draft], list[Draft]]:
    """Training and held-out prompts by hash of the question: the same whatever else the dataset holds."""
    share = held_out.fraction or DEFAULT_HELD_OUT.fraction or 0.1
    chosen = [draft for draft in drafts if fraction(draft.question.hex(), "heldOut") < share]
    names = {draft.question for draft in chosen}
    rest = [draft for draft in drafts if draft.question not in names]
    if not chosen or not rest:
        raise UserError(
            f"spec.dataset.heldOut.fraction: {share} of {len(drafts)} prompts leaves {len(chosen)} held out and "
            f"{len(rest)} to train on; give more data, another fraction, or heldOut.uri"
        )
    return rest, chosen


def _ordered(drafts: Iterable[Draft]) -> list[Draft]:
    """By hash of the id, so that the first n are a fair sample and stay the first n when the data grows."""
    return sorted(drafts, key=lambda draft: (fraction(draft.row.id, "order"), draft.row.id))
