"""Words that answer a remark on an earlier attempt, which training never shows: "you're right", "let's try again".

Only who was shown one speaks of it. Who finds a mistake of its own, on the way or in another strategy, mends its work.
"""

from __future__ import annotations

import re

from selfimprove_workers.guidance.beginnings import at_first

_FAULT = r"(?:mistakes?|errors?|oversight|confusion|miscalculation|slip|misunderstanding|misreading)"
_EARLIER = r"(?:previous|earlier|first|last|original|initial)"
_LETS = r"\blet(?:['’]?s|\s+(?:us|me))\s+(?:now\s+)?"
_PHRASES = re.compile(
    rf"\b(?:in|on)\s+my\s+{_EARLIER}\s+(?:try|response)\b|\b(?:my\s+{_EARLIER}|the\s+previous)\s+(?:attempt|answer|solution)\b"
    r"|\bthe\s+(?:original\s+attempt|student(?:['’]s)?\s+(?:\w+\s+)?(?:attempt|solution|work|reasoning))\b",
    re.IGNORECASE,
)
_FIRST_PHRASES = re.compile(
    rf"""
    \bi\s+(?:can\s+)?(?:now\s+)?see\s+(?:now\s+)?(?:where|what|how|that)\s+i\s+(?:went|did|was|got\s+it)\s+
      (?:wrong|incorrectly)\b
    | \bmy\s+(?:(?:{_EARLIER}|own)\s+)?{_FAULT}\b
    | \bi\s+apologi[sz]e\b | \b(?:my\s+)?apologies\b(?=\s*(?:[,.!;:–—]|for\b|about\b))
    | \b{_FAULT}\s+in\s+(?:my|the)\s+(?:{_EARLIER}\s+)?(?:attempt|solution|work|reasoning)\b
    | \b(?:up)?on\s+re-?(?:viewing|checking|examining)\s+(?:my|the\s+{_EARLIER})\s+(?:attempt|answer|solution|work)\b
    | \A\W*(?:i['’]m\s+)?sorry\s+(?:for|about)\s+(?:that|this)\b
    | \bi\s+made\s+(?:a|an|some)\s+(?:\w+\s+)?(?:mistake|error)s?\b
    | (?:\A\W*|[.!?,\n]\s{{0,4}}|\bi(?:\s+am|['’]m)\s+(?:so\s+|very\s+)?)sorry\s+(?:for|about)\s+(?:my|the|that|this)\s+
      (?:\w+\s+)?{_FAULT}\b
    | \b(?:corrected|revised)\s+(?:[\w-]+\s+)?(?:solution|answer|attempt|version)\b | \A\W*(?:corrected|revised)\s*:
    | \bi\s+(?:forgot|missed|overlooked|misread|miscalculated|miscounted|misunderstood|should\s+have)\b
    | \b(?:the|this|that)\s+{_FAULT}\s+(?:was|is)\b
    | {_LETS}(?:correct|fix|rectify|revise|redo|revisit)\s+(?:that|this|it|my|our)\b
    | {_LETS}(?:correct|fix|rectify|revise|redo|revisit|re-?work)\s+(?:the|an?|our|these)\s+(?:\w+\s+)?
      (?:{_FAULT}|attempt|solution|answer|steps?|calculations?|reasoning|work|problem|question)\b
    | {_LETS}(?:re-?evaluate|re-?examine|re-?assess|re-?consider|re-?check|re-?calculate|re-?visit|re-?think)\b
    | {_LETS}(?:try|solve|do|approach|attempt|work|go)\b(?:\s+[\w-]+){{0,7}}?\s+again\b
    | {_LETS}start\s+(?:over|again|afresh|from\s+scratch)\b
    | \b(?:carefully|correctly|careful)\s+this\s+time\b
    | \A\W*(?:think\W+)?(?:(?:ah|oh|okay|ok)\W+)?(?:i\s+(?:see|understand)(?:\s+now)?|got\s+it|understood
      |(?:great|good)\s+point|thanks|thank\s+you)\s*[.!](?!\w)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def answers_a_remark(plain: str, question: str) -> bool:
    """Whether a text without markup speaks of an earlier attempt, or begins as who was told of a mistake does."""
    asked = question.casefold()
    is_earlier = any(found[0].casefold() not in asked for found in _PHRASES.finditer(plain))
    return is_earlier or any(
        not _is_asked_about(found[0], asked) for found in at_first(_FIRST_PHRASES, plain, question)
    )


def _is_asked_about(phrase: str, asked: str) -> bool:
    """Whether the mistakes or the solutions of a text are the question's: `Ann made 3 mistakes`, `a salt solution`."""
    known = re.findall(rf"\b(?:{_FAULT}|solution)\b", phrase.casefold())
    return any(word.rstrip("s") in asked for word in known)
