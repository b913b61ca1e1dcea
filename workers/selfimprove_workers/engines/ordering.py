"""Completions come as they finish; some readers want them in the order they were asked for, or until a signal comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

from selfimprove_workers.engines.base import Completion, Engine, SampleRequest


def in_order(done: Iterable[tuple[int, Completion]]) -> Iterator[Completion]:
    """Completions by their request's index, each as soon as those before it are there."""
    waiting: dict[int, Completion] = {}
    following = 0
    for at, completion in done:
        waiting[at] = completion
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def until_stopped(
    engine: Callable[[], Engine], requests: Sequence[SampleRequest], stopping: threading.Event
) -> Generator[tuple[int, Completion]]:
    """What the engine gives for the requests, as it comes, and no more once a signal came; loaded only for some."""
    if requests:
        for each in engine().sample(requests):
            yield each
            if stopping.is_set():
                return
