"""Which samples a person asked for: a value of its own, since reading them needs pyarrow and asking must not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Filter:
    """The options of `selfimprove samples`."""

    iteration: int | None = None
    """None: the last iteration that has such samples."""
    step: str = "generate"
    prompt: str | None = None
    tail: bool = False
    limit: int = 20
