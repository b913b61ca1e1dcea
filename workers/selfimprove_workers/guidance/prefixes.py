"""Growing prefixes of a reference solution, by lines or by shares of its tokens, up to where the answer shows.

All but the last line of a reference already holds the gold answer in nearly all of GSM8K: a model that is given it has
nothing left to find, so by default a prefix ends before the gold first appears, or before what comes to it. One that
is nothing but a sentence around the answer has no beginning from which there is a way to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate

from selfimprove_workers.guidance.bare import says_it_at_once
from selfimprove_workers.guidance.golds import gold_position

TokenEnds = Callable[[str], Sequence[int]]
"""Where each token of a text ends, in characters."""

_SHARES = (0.2, 0.4, 0.6, 0.8)
_MOST_BACK = 8
"""Tokens by which a share is cut shorter, at most, where it would be a right answer."""


def growing_prefixes(
    rationale: str,
    answer: str | None,
    schedule: str | None,
    token_ends: TokenEnds,
    may_hold_gold: bool = False,
    option: str | None = None,
    solves: Callable[[str], bool] = lambda text: False,
) -> Iterator[str]:
    """The prefixes to give, weakest first, each looked for when it is asked for; none of what says the answer alone.

    `schedule`: "Lines", "Tokens", or None for lines where there are two and more. Lines fall back to token shares of
    what comes before the gold when the gold is in the first line. `may_hold_gold`: as in the paper, up to all but the
    last line, or to 80% of the tokens, which it gives twice. `option`: the text of the choice that the answer names.
    `solves`: whether a prefix is right by itself, without the gold in it; none that is will be given.
    """
    if answer is not None and not may_hold_gold and says_it_at_once(rationale, answer, option):
        return
    limit = len(rationale) if may_hold_gold else gold_position(rationale, answer, option)
    by_lines = schedule == "Lines" or (schedule is None and len(_line_ends(rationale)) > 1)

    @cache
    def may_be_given(end: int) -> bool:
        if may_hold_gold or not rationale[:end].strip():
            return may_hold_gold
        # A cut inside a longer number can leave what reads like the gold: 12 of 123.
        return gold_position(rationale[:end], answer, option) == end and not solves(rationale[:end])

    lines = _line_ends(rationale)[:-1] if by_lines else []
    prefix = ""
    for end in lines:
        if rationale[:end].strip() and end <= limit and may_be_given(end):
            prefix = rationale[:end]
            yield prefix
    if not prefix:
        shares = _share_ends(token_ends(rationale), limit, may_be_given)
        for end in sorted(end for end in set(shares) if rationale[:end].strip()):
            prefix = rationale[:end]
            yield prefix
    if prefix and may_hold_gold and not by_lines:
        yield prefix  # 20, 40, 60, 80 and again 80%


def _line_ends(text: str) -> list[int]:
    return list(accumulate(map(len, text.rstrip().splitlines(keepends=True))))


def _share_ends(token_ends: Sequence[int], limit: int, may_be_given: Callable[[int], bool]) -> list[int]:
    """Where shares of the tokens end, each cut as far back as the limit and what may be given ask for."""
    most = sum(end <= limit for end in token_ends)
    wanted = [min(count, most) for share in _SHARES if (count := int(share * len(token_ends))) > 0]
    ends = (token_ends[max(0, count - _MOST_BACK) : count] for count in wanted)
    found = (next((end for end in reversed(each) if may_be_given(end)), None) for each in ends)
    return [end for end in found if end is not None]
