"""A declared number that is taken back at once: `The answer is 15. Wait, I forgot to subtract one. 15 - 1 = 14.`

Only by a sentence right behind it that begins with `Wait` or `Correction` and says that it was wrong, and only where a
calculation or another declaration follows. `corrections` has those that name the right answer at once.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.corrections import ends_declaring

MOST = 4
"""How many places that look like a retraction are tried, from the last."""
WRONG = (
    r"(?:that|this|it)(?:['’]s|\sis|\swas)\s(?:wrong|incorrect|not\s(?:quite\s)?(?:right|correct))"
    r"|i(?:['’]ve|\shave)?\smade\san?\s(?:\w{1,12}\s)?(?:mistake|error)"
    r"|i\sforgot\s(?:to\s(?:add|subtract|multiply|divide|count|include|convert|double|halve|take|account)|about)\b"
)
RETRACTION = re.compile(
    rf"(?<=[\s*_])(?:wait[,.!—–-]{{1,3}}\s?(?:no,\s|actually,\s|but\s)?(?:{WRONG})[^.!?:;\n]{{0,120}}[.!:;]"
    r"|correction:)[*_]{0,3}\s+(?=\S)",
    re.IGNORECASE,
)
COMES_TO = re.compile(r"=\s?[-−$€£\\(*]{0,4}\d|\banswer\s(?:is|should\sbe)\W{1,6}\d|\\boxed\{|####\s?\S", re.IGNORECASE)


def without_retracted(text: str) -> str:
    """The rest of a text from where it takes back the number that it declared; all of it where it takes none back."""
    if "ait" not in text and "orrection" not in text and "CORRECTION" not in text:
        return text
    found = [each for each in list(RETRACTION.finditer(text))[-MOST:] if _is_retracted(text, each)]
    return text[found[-1].end() :] if found else text


def _is_retracted(text: str, found: re.Match[str]) -> bool:
    return COMES_TO.search(text, found.end()) is not None and ends_declaring(text[: found.start()].rstrip(" \n*_"))
