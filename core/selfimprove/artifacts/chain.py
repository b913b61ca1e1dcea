"""Which parts that earlier attempts left behind make up the longest unbroken beginning of a step.

Attempts may have cut their parts at different prompts and may have died anywhere, so this is a search: of the parts
that start where the chain stands, the one from which it reaches furthest. Pure, so that it can be tested as such.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from selfimprove.artifacts.digests import digest_of

_METADATA_KEY = "selfimprove.part"


@dataclass(frozen=True)
class Header:
    """What a part says of itself, in the key-value metadata of its Parquet file."""

    digest: str
    """Of the inputs and settings that the part was made from."""
    index: int
    """Its number in the chain that its writer stood on."""
    first: int
    """Prompts that were complete before it."""
    prompts: int
    """Prompts that it completes, at least one."""
    rows: int
    counts: dict[str, int] = field(default_factory=dict)
    """Running totals' increments, e.g. tokens sampled for this part."""

    @property
    def end(self) -> int:
        """Prompts that are complete after it."""
        return self.first + self.prompts

    def to_metadata(self) -> dict[str, str]:
        """The header as key-value metadata, with a digest of its own (page checksums don't cover metadata)."""
        return {_METADATA_KEY: json.dumps({**asdict(self), "check": digest_of(asdict(self))}, sort_keys=True)}


@dataclass(frozen=True)
class Found:
    """A part that lies in storage, of this step and this digest."""

    key: str
    header: Header


def header_of(metadata: Mapping[bytes, bytes] | None) -> Header:
    """The header in a Parquet file's metadata. Raises `ValueError` when there is none or it is damaged."""
    text = (metadata or {}).get(_METADATA_KEY.encode())
    if text is None:
        raise ValueError("has no part header")
    values = json.loads(text)
    check = values.pop("check", None)
    if check != digest_of(values):
        raise ValueError("has a damaged part header")
    return Header(**values)


def longest_chain(found: Iterable[Found]) -> list[Found]:
    """The parts, in order, that cover prompts 0 to n without a break, for the largest n that there is.

    Of equally long chains the one of fewest parts, then of the lowest keys: every attempt finds the same one.
    """
    best: dict[int, list[Found]] = {}
    # From the back, so that whatever follows a part is known when the part is looked at.
    for part in sorted(found, key=lambda part: (part.header.first, part.key), reverse=True):
        chain = [part, *best.get(part.header.end, [])]
        best[part.header.first] = min(best.get(part.header.first, chain), chain, key=_rank)
    return best.get(0, [])


def totals(headers: Iterable[Header]) -> dict[str, int]:
    """The counts of all parts together."""
    total: dict[str, int] = {}
    for header in headers:
        for name, count in header.counts.items():
            total[name] = total.get(name, 0) + count
    return total


def _rank(chain: Sequence[Found]) -> tuple[int, int, list[str]]:
    return -chain[-1].header.end, len(chain), [part.key for part in chain]
