"""Exact: the gold's own words.

Flexible compares without case, spacing, quotes, markup and closing punctuation (a text that is nothing else stays). It
takes the answer from a declared channel (`extract`), else the whole response, else its last line; a whole response that
is the gold is right whatever it declares. Strict asks that the response is the gold, to the letter, but for the space
around it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.extract import declared, final_part

MAX_LENGTH = 20000
QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‘’‚‛‹›", "'"))
TEXT_COMMAND = re.compile(r"\\(?:text(?:bf|it|rm|tt)?|math(?:rm|bf|it)|mbox|emph)\s*\{([^{}]*)\}")
BULLET = re.compile(r"[-•*+]\s+(?=[^\s\d.])")
"""Of a list; before a number it may be a sign."""


class Exact:
    """The checker of answers that are texts."""

    name = "Exact"
    at_once = 1

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """See `tasks.base.Task`."""
        gold = normalised(answer)
        if not gold:
            return Check(Verdict.GOLD_UNPARSABLE, Verdict.GOLD_UNPARSABLE)
        region = final_part(response)
        candidates = list(_candidates(region)) if region is not None else []
        if truncated or not candidates:
            missing = Verdict.TRUNCATED if truncated else Verdict.NO_ANSWER
            return Check(missing, missing, candidates[0] if candidates else None)
        right = next((text for text in (region or "", *candidates) if normalised(text) == gold), None)
        strict = Verdict.CORRECT if region is not None and region.strip() == answer.strip() else Verdict.WRONG
        flexible = Verdict.WRONG if right is None else Verdict.CORRECT
        return Check(flexible, strict, normalised(right if right is not None else candidates[0]))

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The answer a response gives, normalised."""
        region = final_part(response)
        first = next(_candidates(region), None) if region is not None else None
        return normalised(first) if first else None


def normalised(text: str) -> str:
    """A text without what two people would write differently."""
    text = " ".join(unicodedata.normalize("NFKC", text[:MAX_LENGTH]).casefold().translate(QUOTES).split())
    text = TEXT_COMMAND.sub(r"\1", BULLET.sub("", text, count=1) if BULLET.match(text) else text)
    return text.strip(" *_`\"'").rstrip(".,;:!?").strip(" *_`\"'") or text


def _candidates(text: str) -> Iterator[str]:
    """What may be the answer: what a channel declares, and nothing else then; else all of it, else the last line."""
    text = corrected(text)
    found = declared(text)
    if found is not None:
        yield found.payload
        return
    whole = text.strip()
    if whole:
        yield whole
        yield whole.rsplit("\n", 1)[-1]
