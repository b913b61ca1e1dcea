"""Which parameters of a chat completion a server takes: it says so only when it is asked with one that it does not.

OpenAI's reasoning models refuse `max_tokens` for `max_completion_tokens`, `top_p`, and any temperature but their own;
others forbid what they do not know, as `seed`. A question without one of them is as good a question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from selfimprove_workers.teachers.base import TEMPERATURE, TOP_P

_LENGTH, _NEW_LENGTH = "max_tokens", "max_completion_tokens"
_ABOUT_A_PARAMETER = frozenset((400, 422))
_NAMES = re.compile(rf"\b(?:{_NEW_LENGTH}|{_LENGTH}|top_p|seed|temperature)\b")


class Dialect:
    """The parameters that one server is asked with, less those that it has refused."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens, self._length, self._left_out = max_tokens, _LENGTH, set[str]()

    def parameters(self, seed: int) -> dict[str, object]:
        """Those of a question with this seed."""
        optional = {"temperature": TEMPERATURE, "top_p": TOP_P, "seed": seed % 2**31}
        taken = {name: value for name, value in optional.items() if name not in self._left_out}
        return {**taken, self._length: self._max_tokens}

    def learn(self, sent: Mapping[str, object], status: int, body: bytes) -> str | None:
        """The parameter of a question for which it was refused, and which the next does without.

        None where it was refused for another reason. Of questions that were on their way together each is told so,
        whichever came back first: what counts is what it was asked with itself.
        """
        said = body.decode(errors="replace") if status in _ABOUT_A_PARAMETER else ""
        named = (_LENGTH if name == _NEW_LENGTH else name for name in _NAMES.findall(said))
        may_go = (name for name in named if name in sent and (name != _LENGTH or _NEW_LENGTH in said))
        refused: str | None = next(may_go, None)  # the first is the matter: others may be told as known
        if refused == _LENGTH:
            self._length = _NEW_LENGTH
        elif refused:
            self._left_out.add(refused)
        return refused
