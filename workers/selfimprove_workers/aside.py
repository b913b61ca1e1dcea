"""Samples that are drawn and in no part yet, put aside in storage: parts hold whole prompts in their order, and a batch
draws many prompts at once, of which any may be complete last.

What is put aside is for the next attempt alone: no manifest names it, retention lets it go once the step is done, and
a request is known by all that decides its sample, so that whatever is taken up again is what would have been drawn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from selfimprove.artifacts import digest_of, read_rows
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.base import Completion, Engine, SampleRequest

ASIDE = pa.schema(
    [
        pa.field("request", pa.string(), False),
        pa.field("tokens", pa.list_(pa.int32()), False),
        pa.field("logprob_sum", pa.float64(), False),
        pa.field("finish", pa.string(), False),
    ]
)
"""One sample; a part of them counts each as a prompt."""

SECONDS_BETWEEN = 60.0
"""What a worker that is killed may have drawn in vain."""

Report = Callable[[int, int], None]


class _SignalError(Exception):
    """A signal came between two samples: the engine's own loop is left where it reports its progress."""


class Aside:
    """Draws samples, those first that an earlier attempt put aside. `table`: a name of its own within the step."""

    def __init__(self, context: StepContext, digest: str, table: str = "aside") -> None:
        self._stopping = context.stopping
        self._writer = context.writer(digest, ASIDE, table)
        self._left = pa.Table.from_batches(read_rows(context.store, self._writer.parts, ASIDE), ASIDE)
        self._place = {name: row for row, name in enumerate(self._left["request"].to_pylist())}
        self._requests: Sequence[SampleRequest] = ()
        self._held: dict[int, Completion] = {}
        self._put: set[int] = set()

    @property
    def count(self) -> int:
        """Samples that were put aside of the requests at hand, and are in no part."""
        return len(self._put)

    def known(self, requests: Sequence[SampleRequest]) -> list[int]:
        """The places of the requests whose samples an earlier attempt put aside."""
        return [at for at, request in enumerate(requests) if _name(request) in self._place] if self._place else []

    def sample(
        self, engine: Callable[[], Engine], requests: Sequence[SampleRequest], progress: Report | None = None
    ) -> Generator[tuple[int, Completion]]:
        """As `Engine.sample`, but ends early when a signal came; the engine is loaded only where some are missing."""
        known = self.known(requests)
        self._requests, self._held, self._put = requests, {}, set(known)
        for at in known:
            yield at, self._completion(requests[at])
        missing = sorted(set(range(len(requests))) - set(known))
        if missing and not self._stopping.is_set():
            yield from self._drawn(engine(), missing, self._reporter(progress, len(known)))

    def done(self, requests: int) -> None:
        """The first so many of the requests at hand are in parts, or about to be, and need not be put aside."""
        self._held = {at: completion for at, completion in self._held.items() if at >= requests}
        self._put = {at for at in self._put if at >= requests}

    def keep(self) -> None:
        """Put aside what was drawn since."""
        if self._held:
            rows = [self._row(at, completion) for at, completion in self._held.items()]
            self._writer.write(rows, len(rows))
            self._put.update(self._held)
            self._held = {}

    def _drawn(self, engine: Engine, missing: Sequence[int], report: Report) -> Generator[tuple[int, Completion]]:
        since = time.monotonic()
        try:
            with closing(engine.sample([self._requests[at] for at in missing], report)) as completions:
                for place, completion in completions:
                    self._held[missing[place]] = completion
                    yield missing[place], completion
                    if self._stopping.is_set():
                        return
                    if time.monotonic() - since > SECONDS_BETWEEN:
                        self.keep()
                        since = time.monotonic()
        except _SignalError:
            return

    def _reporter(self, progress: Report | None, known: int) -> Report:
        def report(samples: int, tokens: int) -> None:
            if self._stopping.is_set():
                raise _SignalError
            if progress:
                progress(known + samples, tokens)

        return report

    def _completion(self, request: SampleRequest) -> Completion:
        (row,) = self._left.slice(self._place[_name(request)], 1).to_pylist()
        return Completion(row["tokens"], row["logprob_sum"], row["finish"])

    def _row(self, at: int, completion: Completion) -> dict[str, Any]:
        return {"request": _name(self._requests[at]), **vars(completion)}


def _name(request: SampleRequest) -> str:
    return digest_of(vars(request))
