"""Who takes the answer for known before there is anything to conclude it from has read it somewhere.

"Since the answer is 18", "to arrive at the final answer of 18", "let's verify that the answer is 18". Later on the same
words are any solution's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfimprove_workers.guidance.base import Reference
from selfimprove_workers.guidance.beginnings import HARDLY_ANY, at_first
from selfimprove_workers.guidance.golds import gold_spans, golds_of
from selfimprove_workers.guidance.phrases import RIGHT

Span = tuple[int, int]

_BESIDE = 15
"""Characters from "the answer is" to the answer: `\\boxed{`, `equal to $`."""
_THE_ANSWER = r"the\s+(?:(?:final|correct|right|expected|known|desired|stated|target)\s+)*(?:answer|result)"
_BE = r"(?:is|was|equals|(?:must|should|will|has\s+to|needs\s+to)\s+be)"
_LEANS_ON = re.compile(
    rf"""
    \b(?:since|because|as|given(?:\s+that)?|knowing(?:\s+that)?|(?:we|i)\s+(?:already\s+)?know(?:\s+that)?
       |(?:states?|says?|tells?\s+(?:us|me))(?:\s+that)?)\s+
    the\s+(?:{RIGHT}\s+)*(?:answer|result)\s+{_BE}\b
    | (?P<only>\bthe\s+(?:{RIGHT}\s+)*answer\s+(?:must|should|has\s+to|needs\s+to|is\s+supposed\s+to)\s+be\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WORKS_TOWARDS = re.compile(
    r"\W{0,6}(?:(?:so|and|then|now)\W+)?(?:let\b|work(?:ing)?\b|(?:we|i)\s+(?:need|must|can|have|work)\b)",
    re.IGNORECASE,
)
"""What follows an answer that the way is looked for from."""
_GETTING = (
    r"(?:arrive\s+at|reach|get(?:\s+to)?|obtain|find|determine|derive|achieve|come\s+to"
    r"|verify|confirm|check|prove|show)"
)
_HEADS_FOR = re.compile(
    rf"""
    \b(?:(?:to|how\s+to|how\s+(?:we|you|one|i)(?:\s+can)?)\s+{_GETTING}
       |(?:verify|show|prove|confirm|demonstrate|check|see|explain)\s+(?:that|why|how)|how)\s+{_THE_ANSWER}\b
    | \b(?:in|by)\s+the\s+(?:prompt|question|problem|instructions?|task)\W+{_THE_ANSWER}\b
    | \b{_THE_ANSWER}\s+(?:is|was)\s+(?:already\s+)?(?:known|given|said|stated)\b
    | (?P<bare>\b(?:how\s+(?:we|you|one|i|to)(?:\s+can)?\s+(?:get|arrive|reach|obtain)(?:\s+(?:to|at))?
       |work(?:ing)?\s+back(?:wards?)?\s+from))\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TO_IT = re.compile(rf"(?:[\s$({{\[*\\]|boxed\b|(?:of|as|being|to\s+be|{_BE})\b){{0,10}}", re.IGNORECASE)
"""Between what heads for an answer and the answer: no comma, behind which the work may begin."""
_BACKWARDS = re.compile(
    rf"\bwork(?:ing)?\s+back(?:wards?)?\s+from\s+(?:the|this|that|our)\s+(?:{RIGHT}\s+)*answer\b"
    r"(?!\s+(?:choices?|options?)\b)",
    re.IGNORECASE,
)
_MATCHES = re.compile(
    rf"\b(?:match(?:es|ed|ing)?|agree[sd]?\s+with|(?:consistent|in\s+line)\s+with|same\s+as)\s+the\s+(?:{RIGHT}\s+)*answer\s+"
    r"(?:that\s+(?:is|was)\s+)?(?:given|provided|stated|mentioned)\s+in\s+the\s+(?:question|problem|prompt|task|statement)\b",
    re.IGNORECASE,
)


def leans_on_the_answer(plain: str, question: str, reference: Reference) -> bool:
    """Whether a text without markup begins with "since the answer is 18", the gold or what its option says."""
    leaning = list(at_first(_LEANS_ON, plain, question, HARDLY_ANY))
    return any(
        0 <= start - found.end() <= _BESIDE and (not found["only"] or _WORKS_TOWARDS.match(plain, stop))
        for start, stop in (_golds(plain, reference) if leaning else ())
        for found in leaning
    )


def heads_for_the_answer(plain: str, question: str, reference: Reference) -> bool:
    """Whether a text without markup begins with a way to an answer that it says, as who was shown it does."""
    if "answer" not in question.casefold() and (_MATCHES.search(plain) or any(at_first(_BACKWARDS, plain, question))):
        return True
    heading = list(at_first(_HEADS_FOR, plain, question))
    is_asked = any(_golds(question, reference)) if heading else False
    return any(
        start >= found.end() and _TO_IT.fullmatch(plain, found.end(), start) and not (found["bare"] and is_asked)
        for start, _ in (_golds(plain, reference) if heading else ())
        for found in heading
    )


def _golds(text: str, reference: Reference) -> Sequence[Span]:
    return [span for gold in golds_of(reference.answer, reference.option) for span in gold_spans(text, gold)]
