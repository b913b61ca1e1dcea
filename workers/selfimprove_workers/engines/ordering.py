"""Completions come as they finish; some readers want them in the order they were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfimprove_workers.engines.base import Completion


def in_order(done: Iterable[tuple[int, Completion]]) -> Iterator[Completion]:
    """Completions by their request's index, each as soon as those before it are there."""
    waiting: dict[int, Completion] = {}
    following = 0
    for at, completion in done:
        waiting[at] = completion
        while following in waiting:
            yield waiting.pop(following)
            following += 1
