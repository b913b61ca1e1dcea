"""What a generated set lost before anything was asked of it, from the account that the prompts' manifest keeps.

A set of files loses nothing: its repeats are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from selfimprove.artifacts.keys import PROMPTS
from selfimprove.artifacts.manifest import read_manifest
from selfimprove.store.base import Store

_NAMES = {"train": "training", "heldOut": "held out", "test": "test"}


def prompts_document(store: Store) -> dict[str, dict[str, Any]]:
    """Split -> how many `prompts` it has and how many were `dropped`, by reason; empty before they were loaded."""
    return {split: {"prompts": of["prompts"], "dropped": of["dropped"]} for split, of in _in_order(_account(store))}


def left_out_of(store: Store) -> list[str]:
    """What was left out of each set, a line each; empty before they were loaded."""
    return left_out(_account(store))


def left_out(account: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """`training: 31 of 40 questions: 6 are repeats, 3 stand in the held-out set`; no line of a set that is whole."""
    lines = ((split, _line(split, of, "test" in account)) for split, of in _in_order(account))
    return [f"{_NAMES[split]}: {line}" for split, line in lines if line]


def _account(store: Store) -> Mapping[str, Mapping[str, Any]]:
    found = read_manifest(store, PROMPTS)
    return found[0].settings if found else {}


def _in_order(account: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((split, account[split]) for split in _NAMES if split in account)


def _line(split: str, account: Mapping[str, Any], has_test: bool) -> str:
    dropped = account["dropped"]
    repeats, contaminated = dropped.get("duplicates", 0), dropped.get("contaminated", 0)
    if not repeats and not contaminated:
        return ""
    kept, asked = account["prompts"], account["source"]["size"]
    beyond = asked - repeats - contaminated - kept
    elsewhere = "test" if split == "heldOut" else "held-out or the test" if has_test else "held-out"
    counts = {
        "is a repeat" if repeats == 1 else "are repeats": repeats,
        f"{'stands' if contaminated == 1 else 'stand'} in the {elsewhere} set": contaminated,
        f"{'is' if beyond == 1 else 'are'} above dataset.limit": beyond,
    }
    return f"{kept:,} of {asked:,} questions: " + ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
