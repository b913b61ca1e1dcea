"""What a set lost before anything was asked of it, from the account that the prompts' manifest keeps.

A generated set loses its repeats, which are refused in files; any may have prompts of which no answer will ever count,
since the dataset's own can't be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from selfimprove.artifacts.keys import PROMPTS
from selfimprove.artifacts.manifest import read_manifest
from selfimprove.store.base import Store

_NAMES = {"train": "training", "heldOut": "held out", "test": "test"}
PROMPTS_OF = {"train": "training", "heldOut": "held-out", "test": "test"}
"""Split -> what its prompts are called."""


def prompts_document(store: Store) -> dict[str, dict[str, Any]]:
    """Split -> how many `prompts` it has, how many were `dropped`, by reason, and how many are `unreadable`.

    Empty before they were loaded.
    """
    return {
        split: {"prompts": of["prompts"], "dropped": of["dropped"], "unreadable": _unreadable(of)}
        for split, of in _in_order(_account(store))
    }


def left_out_of(store: Store) -> list[str]:
    """What was left out of each set and what in it can't be read, a line each; empty before they were loaded."""
    account = _account(store)
    return [*left_out(account), *unread(account)]


def left_out(account: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """`training: 31 of 40 questions: 6 are repeats, 3 stand in the held-out set`; no line of a set that is whole."""
    lines = ((split, _line(split, of, "test" in account)) for split, of in _in_order(account))
    return [f"{_NAMES[split]}: {line}" for split, line in lines if line]


def unread(account: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """`training: 6 of 10 prompts have an answer that can't be read, and count nowhere`; no line where all can."""
    return [
        f"{_NAMES[split]}: {n:,} of {of['prompts']:,} prompts have an answer that can't be read, and count nowhere"
        for split, of in _in_order(account)
        if (n := _unreadable(of))
    ]


def _unreadable(account: Mapping[str, Any]) -> int:
    """How many prompts of a set have an answer that can't be read; 0 where an earlier version did not count them."""
    return int(account.get("unreadable", 0))


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
