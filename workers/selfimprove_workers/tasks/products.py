"""Products of variables that are written as letters side by side: `yx` is `xy`, but `on` is not `no`.

Nothing tells `mn` from a word but the look of it, and a wrong answer graded right costs more than a right one graded
wrong. So letters are a product only where nobody would take them for anything else: all lowercase, and of two letters
no common word in either order, of three or more without a vowel (`abc`, `cab` and `cat` stay names); no unit (`cm`), no
function, and no two Roman numerals (`vi` and `iv`).
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.units import CANONICAL, FUNCTIONS

LETTERS = re.compile(r"[a-z]{2,8}")
VOWEL = re.compile(r"[aeiou]")
SHORT_WORDS = re.compile(
    r"a[dhmnst]|b[ey]|do|e[dhmnx]|fa|go|h[aeio]|i[dfnst]|l[ao]"
    r"|m[aeiuy]|n[eou]|o[fhknrsx]|p[aim]|re|s[eiotw]|t[iov]|u[hmnps]|we|xi|y[eo]"
)
FUNCTION = re.compile("|".join(FUNCTIONS))
ROMAN = re.compile(r"m{0,3}(?:c[md]|d?c{0,3})(?:x[cl]|l?x{0,3})(?:i[xv]|v?i{0,3})")


def same_product(one: str, other: str) -> bool:
    """Whether two texts of letters are the same variables multiplied, in whatever order."""
    return sorted(one) == sorted(other) and _is_product(one, other) and _is_product(other, one)


def _is_product(letters: str, reordered: str) -> bool:
    if not LETTERS.fullmatch(letters) or letters in CANONICAL or FUNCTION.search(letters):
        return False
    if ROMAN.fullmatch(letters) and ROMAN.fullmatch(reordered):
        return False
    return not (SHORT_WORDS.fullmatch(letters) if len(letters) == 2 else VOWEL.search(letters))
