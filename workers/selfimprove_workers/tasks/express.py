"""The answers that most responses give, graded in microseconds: a whole number at the end, in a declared channel.

A shortcut, not a rule of its own: what it says is what the cascade says (a property test holds the two together), and
whatever it is not sure of it leaves to the cascade.
"""

from __future__ import annotations

import re

END = 64
"""How far from the end the channel has to begin."""

ENDING = re.compile(
    r"(?:\\boxed\{(?P<boxed>-?[1-9][0-9]{0,2}(?:,[0-9]{3}){1,5}|-?[1-9][0-9]{0,15}|0)\}\$?"
    r"|####[ ]?(?P<hashes>-?[1-9][0-9]{0,2}(?:,[0-9]{3}){1,5}|-?[1-9][0-9]{0,15}|0)"
    r"|[Aa]nswer(?: is:?|:)[ ](?P<says>-?[1-9][0-9]{0,2}(?:,[0-9]{3}){1,5}|-?[1-9][0-9]{0,15}|0))\.?\s{0,8}\Z"
)


def whole_number_at_end(response: str) -> str | None:
    """The whole number, without thousands separators, that a response declares at its very end; None if unsure."""
    match = ENDING.search(response, max(0, len(response) - END))
    if match is None or "think" in response or "</answer>" in response:
        return None
    boxes = response.find("box")
    if match.lastgroup == "boxed":
        return None if boxes != match.start() + 1 else match["boxed"].replace(",", "")
    if boxes >= 0 or (match.lastgroup == "says" and "####" in response):
        return None
    return match[match.lastgroup or 0].replace(",", "")


def is_whole(gold: str) -> bool:
    """Whether a gold answer is a whole number as Python writes it."""
    return len(gold) < 16 and gold.isascii() and gold.isdigit() and (gold[0] != "0" or gold == "0")
