"""What speaks of a declaration without making it: a condition, a meaning, a request, one item of a choice.

"If it is right: Score: 10", "Score: 1 = surely wrong", "End with one line:" and "Verdict: Correct" or "Verdict:
Incorrect" say what may be said. What explains a declaration after it ("Score: 8, it would be 10 if ...") leaves it one.
"""

from __future__ import annotations

import re

_SUPPOSES = re.compile(
    r"(?:\A|[,;:(–—]|\b(?:and|but|only|even|except))\W*\b(?:if|unless|otherwise|only where)\b|(?<!\bI )\bwould\b",
    re.IGNORECASE,
)
"""Where a clause supposes; not "I checked if it is right", nor "I would give it"."""
_CONCLUDES = re.compile(r"[,;]\s*(?:and )?(?:so|thus|therefore|hence)\b", re.IGNORECASE)
"""`If we add 3 and 4 we get 7, so the verdict is Correct.`"""
_MEANS = re.compile(
    r"[^\w\n,;()–—.=-]*(?:\b(?:would|means?|only(?! because)|if|unless|when|where|is\s+for)\b|=\s*[^\W\d])"
    r"|,\s*(?:but\s+)?(?:only|if|unless|when)\b",
    re.IGNORECASE,
)
"""What follows what is said directly, and makes it the thing spoken of."""
_REQUESTS = re.compile(
    r"\bnothing but\b|\bend(?:s|ing)? with (?:one|a) line\b"
    r"|\byou(?:r \w+)? (?:should|must|may) (?:end|finish|write|say|give)\b"
    r"|\bone of(?: these| the (?:two|following))?(?: \w+)?\s*:"
    r"|\bpossible (?:verdict|score)s?\b"
    r"|\A\W*(?:rubric|scale|criteria)\W*:"
    r"|\A\W*(?:then |please |and )*(?:end|finish|conclude|write|respond|reply)\b",
    re.IGNORECASE,
)
_AFTER_OR = re.compile(r"\bor[^\w\n]*\Z", re.IGNORECASE)
_OR = re.compile(r"\W*\bor\b\W*", re.IGNORECASE)
_QUOTED = re.compile(r"[\"'`”’]\s*\w")
"""`"Verdict: Correct" is a helpful answer`: what is quoted is spoken of, not said."""
_ITEM = re.compile(r"\s*(?:[-*+•]|[0-9]+[.)])\s")


def is_mention(match: re.Match[str], start: int, end: int) -> bool:
    """Whether `match`, in the sentence from `start` to `end`, is supposed, explained, a choice, or only quoted."""
    text, before = match.string, _CONCLUDES.split(match.string[start : match.start()])[-1]
    return bool(
        _SUPPOSES.search(before)
        or _MEANS.match(text, match.end(), end)
        or _AFTER_OR.search(text[max(0, match.start() - 12) : match.start()])
        or _QUOTED.match(text, match.end(), end)
    )


def is_requested(text: str, start: int, end: int) -> bool:
    """Whether the sentence, or the head it stands under, asks for a declaration or supposes it."""
    head = _head(text[max(0, start - 300) : start])
    return bool(_REQUESTS.search(text[start:end]) or _REQUESTS.search(head) or _SUPPOSES.match(head))


def is_choice(first: str, between: str, second: str) -> bool:
    """Whether two sentences that say different things are put to choice: by an "or", or as items of one list."""
    return bool(_OR.fullmatch(between) or (not between.strip() and _ITEM.match(first) and _ITEM.match(second)))


def _head(above: str) -> str:
    """The last line, where it ends with a colon; else nothing."""
    line = above.rstrip().rpartition("\n")[2].strip(" \t*_")
    return line if line.endswith((":", "：")) else ""
