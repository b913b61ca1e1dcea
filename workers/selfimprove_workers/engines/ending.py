"""When a sample has ended: an end token, a stop string, or its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfimprove_workers.chat import end_of_turn
from selfimprove_workers.engines.base import SampleRequest


class Ending:
    """The end tokens of a model, and stop strings looked for in the text of the last few tokens."""

    def __init__(self, eos_token_ids: frozenset[int], tokenizer: Any):
        self.eos_token_ids, self.tokenizer = eos_token_ids, tokenizer

    def of(self, tokens: Sequence[int], request: SampleRequest) -> str | None:
        """ "stop" or "length" if the sample ends with its last token, else None."""
        if tokens[-1] in self.eos_token_ids:
            return "stop"
        if request.stop and self._stopped(tokens, request.stop):
            return "stop"
        return "length" if len(tokens) >= request.max_tokens else None

    def _stopped(self, tokens: Sequence[int], stops: Sequence[str]) -> bool:
        # A token is at least one byte, so a stop string of n bytes lies within the last n tokens; a few more give the
        # decoder whole characters to start from.
        reach = max(len(stop.encode()) for stop in stops) + 4
        text = self.tokenizer.decode(tokens[-reach:], skip_special_tokens=False)
        return any(stop in text for stop in stops)


def fitting(request: SampleRequest, max_model_len: int) -> int:
    """Tokens that may be drawn for a request before the model's length is reached; 0 or less when there is no room."""
    return min(request.max_tokens, max_model_len - len(request.tokens))


def eos_ids(tokenizer: Any, *configs: Any) -> frozenset[int]:
    """Every token that ends a turn: those of the configurations, the tokenizer's own, and the chat template's."""
    turn = end_of_turn(tokenizer)
    found: set[int] = set() if turn is None else {turn}
    for holder in (*configs, tokenizer):
        value = getattr(holder, "eos_token_id", None)
        found.update(value if isinstance(value, (list, tuple)) else [value] if value is not None else [])
    return frozenset(found)
