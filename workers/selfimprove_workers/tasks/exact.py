"""Exact: the gold's own words.

Flexible compares without case, spacing, quotes, markup and closing punctuation (a text that is nothing else stays), and
for a gold that is one plain word without an article or a possessive before it (`the wife`, `Bob's wife`). It takes the
answer from a declared channel (`extract`), else from the end of the response, as its last line or what that says in it
(`claims`); a whole response that is the gold is right whatever it declares. Strict asks that the response is the gold,
to the letter, but for the space around it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from selfimprove_workers.tasks.abroad import declared_anywhere
from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.claims import claim_of
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.dress import same_word
from selfimprove_workers.tasks.extract import final_part

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
        region = final_part(response) or ""
        claim = _claim(region)
        if truncated or not claim:
            missing = Verdict.TRUNCATED if truncated else Verdict.NO_ANSWER
            return Check(missing, missing, normalised(claim[-1]) if claim else None)
        strict = Verdict.CORRECT if region.strip() == answer.strip() else Verdict.WRONG
        is_right = any(normalised(text) == gold or same_word(answer.strip(), text) for text in (region, *claim))
        return Check(Verdict.CORRECT if is_right else Verdict.WRONG, strict, normalised(claim[-1]))

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The answer a response gives, normalised."""
        claim = _claim(final_part(response) or "")
        return normalised(claim[-1]) if claim else None


def normalised(text: str) -> str:
    """A text without what two people would write differently."""
    text = " ".join(unicodedata.normalize("NFKC", text[:MAX_LENGTH]).casefold().translate(QUOTES).split())
    text = TEXT_COMMAND.sub(r"\1", BULLET.sub("", text, count=1) if BULLET.match(text) else text)
    return text.strip(" *_`\"'").rstrip(".,;:!?").strip(" *_`\"'") or text


def _claim(region: str) -> tuple[str, ...]:
    """The readings of the one answer that a response gives."""
    text = corrected(region)
    return claim_of(text, declared_anywhere(text))
