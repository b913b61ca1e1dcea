"""How a thinking model speaks of a hint: in the third person, of the user who gave it, or of the feedback it was.

"The user says the final answer is 8", "the solution they provided". Wherever it stands, since thoughts come back to
what they were given; a question with users of its own is let alone.
"""

from __future__ import annotations

import re

_HAS = r"(?:['’]s|\s+(?:has|had|have|also|already|just|is|was))*"
_SAYS = (
    r"(?:sa(?:id|ys|ying)|stat(?:es|ed|ing)|mention(?:s|ed|ing)|t(?:ells|old)\s+(?:me|us)|not(?:es|ed|ing)|claim(?:s|ed)"
    r"|point(?:s|ed|ing)\s+out|correct(?:s|ed)|confirm(?:s|ed))"
)
_GIVES = r"(?:gave|gives|given|provid(?:es|ed)|includ(?:es|ed)|shar(?:es|ed)|show(?:s|ed)|suppl(?:ies|ied))"
_HINT = r"(?:answer|solution|hint|explanation|reasoning|reference|feedback|correction|critique)"
_RIGHT = r"(?:(?:final|correct|right|expected|reference|full|complete|step-by-step)\s+){0,3}"
_USER = re.compile(
    rf"""
    \bthe\s+user{_HAS}\s+{_SAYS}(?:\s+that)?\s+(?:the|my)\s+(?!\w+\s+(?:asks?|is\s+asking)\b){_RIGHT}
      (?:answer|solution|result|(?:\w+\s+)?(?:step|subtraction|addition|multiplication|division|calculation|mistake|error|attempt))\b
    | \bthe\s+user{_HAS}\s+{_GIVES}\s+(?:(?:me|us)\s+)?(?:the|an?|his|her|their)\s+{_RIGHT}{_HINT}\b
    | \bthe\s+user['’]s\s+(?:feedback|correction|critique|hint|solution|answer|remark|comment)\b
    | \bthe\s+user\s+(?:does\s*n[o'’]t|doesn['’]t|does\s+not)\s+want\s+me\s+to\s+(?:copy|mention|repeat)\b
    | \baccording\s+to\s+the\s+(?:user|feedback|critique)\b
    | \b{_HINT}\s+(?:that\s+)?(?:the\s+user|they)(?:\s+(?:has|have|had|already))*\s+{_GIVES}\b
    | \bthey{_HAS}\s+(?:{_GIVES}|told)\s+(?:me|us)\s+(?:that\s+)?(?:the|an?)\s+{_RIGHT}{_HINT}\b
    | \bthe\s+(?:feedback|critique)\s+(?:says?|said|is|was|states?|points?|mentions?|notes?)\b
    | \b(?:taking|considering|given|using|with)\s+the\s+feedback\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OF_ITS_OWN = re.compile(r"\b(?:users?|feedback|critiques?)\b", re.IGNORECASE)


def speaks_of_the_user(plain: str, question: str) -> bool:
    """Whether a text without markup says what the user, or the feedback, has told."""
    return _OF_ITS_OWN.search(question) is None and _USER.search(plain) is not None
