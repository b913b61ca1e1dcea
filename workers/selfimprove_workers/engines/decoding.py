"""The decoding loop: rows enter, take one token a step, and leave when they end; their slots are filled again.

Rows are worked through longest first, so that the ones at the end are short. A new batch of prompts is prefilled only
when an eighth of the slots is free: one at a time would spend more on starting than on computing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from selfimprove.errors import FailedError
from selfimprove_workers.engines.base import Completion, SampleRequest
from selfimprove_workers.engines.ending import Ending
from selfimprove_workers.engines.sampling import Settings, pick, uniforms


class Memory(Protocol):
    """What holds the keys and values of the rows in flight."""

    slots: int

    def room(self) -> int:
        """Rows that may enter now."""

    def admit(self, contexts: Sequence[Sequence[int]], copies: Sequence[int]) -> Tensor:
        """Prefill contexts; next-token logits of the new rows."""

    def step(self, tokens: Sequence[int]) -> Tensor:
        """Append a token to every row; next-token logits."""

    def keep(self, order: Sequence[int]) -> None:
        """Rows leave; row i becomes row `order[i]`."""


@dataclass
class Row:
    """One sample in flight."""

    index: int
    request: SampleRequest
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0


class Decoder:
    """Draws a list of requests through one memory. Not reusable."""

    def __init__(self, memory: Memory, ending: Ending, on_tokens: Callable[[int], None]):
        self.memory, self.ending, self.on_tokens = memory, ending, on_tokens
        self.rows: list[Row] = []
        self._settings: Settings | None = None

    def run(self, queue: Sequence[tuple[int, SampleRequest]]) -> Iterator[tuple[int, Completion]]:
        """Draw all of `queue`; yields (index, completion) as rows end. Equal contexts should be neighbours."""
        waiting = list(reversed(queue))
        while waiting or self.rows:
            if self._worth_filling(len(waiting)):
                yield from self._fill(waiting)
            if self.rows:
                logits = self.memory.step([row.tokens[-1] for row in self.rows])
                yield from self._settle(self._advance(self.rows, logits))

    def _worth_filling(self, waiting: int) -> bool:
        room = min(self.memory.room(), waiting)
        return room > 0 and (not self.rows or room == waiting or room * 8 >= self.memory.slots)

    def _fill(self, waiting: list[tuple[int, SampleRequest]]) -> Iterator[tuple[int, Completion]]:
        fresh = [Row(*waiting.pop()) for _ in range(min(self.memory.room(), len(waiting)))]
        contexts: list[Sequence[int]] = []
        copies: list[int] = []
        for row in fresh:
            if contexts and contexts[-1] == row.request.tokens:
                copies[-1] += 1
            else:
                contexts.append(row.request.tokens)
                copies.append(1)
        logits = self.memory.admit(contexts, copies)
        self._settings = None
        ended = self._advance(fresh, logits, Settings.of([r.request for r in fresh], logits.shape[-1], logits.device))
        first = len(self.rows)
        self.rows += fresh
        yield from self._settle({first + place: finish for place, finish in ended.items()})

    @torch.inference_mode()
    def _advance(self, rows: Sequence[Row], logits: Tensor, settings: Settings | None = None) -> dict[int, str]:
        """Give every row its next token; returns the places of the rows that end by it, and how."""
        if settings is None:
            settings = self._settings or Settings.of([r.request for r in rows], logits.shape[-1], logits.device)
            self._settings = settings
        noise = uniforms([row.request.seed for row in rows], [len(row.tokens) for row in rows])
        tokens, logprobs = pick(logits, settings, torch.as_tensor(noise, dtype=torch.float32, device=logits.device))
        if not bool(torch.isfinite(logprobs).all()):
            raise FailedError("the model gives numbers that are not finite (NaN); its weights are broken")
        for row, token, logprob in zip(rows, tokens.tolist(), logprobs.tolist(), strict=True):
            row.tokens.append(token)
            row.logprob += logprob
        self.on_tokens(len(rows))
        ends = ((place, self.ending.of(row.tokens, row.request)) for place, row in enumerate(rows))
        return {place: finish for place, finish in ends if finish}

    def _settle(self, ended: dict[int, str]) -> Iterator[tuple[int, Completion]]:
        """Let rows leave: their places are taken by the last ones that stay."""
        if not ended:
            return
        gone = [(self.rows[place], finish) for place, finish in ended.items()]
        staying = len(self.rows) - len(ended)
        movers = (place for place in range(staying, len(self.rows)) if place not in ended)
        order = [next(movers) if place in ended else place for place in range(staying)]
        self.memory.keep(order)
        self.rows = [self.rows[place] for place in order]
        self._settings = None
        for row, finish in gone:
            yield row.index, Completion(row.tokens, row.logprob, finish)
