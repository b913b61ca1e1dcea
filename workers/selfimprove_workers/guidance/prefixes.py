"""Growing prefixes of a reference solution, by lines or by shares of its tokens, up to where the answer shows.

All but the last line of a reference already holds the gold answer in nearly all of GSM8K: a model that is given it has
nothing left to find, so by default a prefix ends before the gold first appears.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from selfimprove_workers.guidance.golds import gold_position

TokenEnds = Callable[[str], Sequence[int]]
"""Where each token of a text ends, in characters."""

_SHARES = (0.2, 0.4, 0.6, 0.8)


def growing_prefixes(
    rationale: str,
    answer: str | None,
    schedule: str | None,
    token_ends: TokenEnds,
    may_hold_gold: bool = False,
    option: str | None = None,
) -> list[str]:
    """The prefixes to give, weakest first; empty when nothing can be given away.

    `schedule`: "Lines", "Tokens", or None for lines where there are two and more. Lines fall back to token shares of
    what comes before the gold when the gold is in the first line. `may_hold_gold`: as in the paper, up to all but the
    last line, or to 80% of the tokens, which it gives twice. `option`: the text of the choice that the answer names.
    """
    limit = len(rationale) if may_hold_gold else gold_position(rationale, answer, option)
    by_lines = schedule == "Lines" or (schedule is None and len(_line_ends(rationale)) > 1)
    ends = [end for end in _line_ends(rationale)[:-1] if end <= limit] if by_lines else []
    ends = ends or _share_ends(token_ends(rationale), limit)
    prefixes = [rationale[:end] for end in sorted(set(ends)) if rationale[:end].strip()]
    if may_hold_gold:
        return prefixes if by_lines else [*prefixes, *prefixes[-1:]]  # 20, 40, 60, 80 and again 80%
    # A cut inside a longer number can leave what reads like the gold: 12 of 123.
    return [each for each in prefixes if gold_position(each, answer, option) == len(each)]


def _line_ends(text: str) -> list[int]:
    return list(accumulate(map(len, text.rstrip().splitlines(keepends=True))))


def _share_ends(token_ends: Sequence[int], limit: int) -> list[int]:
    wanted = [token_ends[int(share * len(token_ends)) - 1] for share in _SHARES if int(share * len(token_ends)) > 0]
    last_allowed = max((end for end in token_ends if end <= limit), default=0)
    return [min(end, last_allowed) for end in wanted]
