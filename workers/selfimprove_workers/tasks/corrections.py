"""What a response says after it has taken its answer back: `The answer is 5. Actually, it should be 6.`

An answer that is declared again the usual way needs none of this: the last one counts. Here are the other ways. What
only may begin a correction (`Actually`, `Wait`) does so where an answer follows it at once; a plain `No,` or `I made a
mistake` always does, and where no answer follows it, there is none.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.extract import declared

MOST = 4
"""How many places that look like a correction are tried, from the last."""
NEAR, FAR = 120, 400
"""How far behind the declaration a `No,` and any other correction may begin: farther on they answer something else."""
MARKER = re.compile(r"nswer|NSWER|box|####")
"""What stands in every text that declares an answer, before any correction of it."""
ITEM = re.compile(r"^[ \t*_(]{0,4}[A-Ja-j1-9][.):][ \t*_]*\Z", re.MULTILINE)
"""Up to the verdict on a choice: `B. No, since ...`."""
BEGINS = r"(?:[.!?:;,)\]}>*…—–(\n]|\s-|(?<=\w)\$)[\s*_\"(]{0,6}(?:(?i:but|oh|ah|hm+|um|uh|well)\b[\s,.…—–-]{1,4})?"
SHOULD = r"(?:it|that|this|the\s(?:\w{1,10}\s)?answer)\s(?:should|must|ought\sto)\s(?:\w{1,10}\s)?(?:be|have\sbeen)\b"
IS_WRONG = r"(?:is|was)(?:n['’]t|\snot)?\s(?:\w+ly\s)?(?:wrong|incorrect|mistaken|false)"
NO = r"(?:no|nope)(?!\W{1,3}(?:really|seriously|kidding|problem)\b)(?=\s?[,.!:;—–…]|\s(?:wait|sorry)\b|\s-)"
STRONG = (
    r"oops|correction\b\s?:|scratch\sthat|my\s(?:mistake|bad)\b"
    r"|i\s(?:have\s)?(?:made|see)\s(?:an?|the|my)\s(?:\w{1,12}\s)?(?:mistake|error)\b|let\sme\scorrect\b"
    r"|(?:that|this|it)(?:['’]s|\sis|\swas)\s(?:wrong|incorrect|not\s(?:right|correct))\b"
)
WEAK = r"actually|wait|hold\son|hang\son|sorry|(?:i\s|my\s)?apolog(?:ies|i[sz]e)|(?:or\s)?rather|i\smean(?:t)?\b"
ANSWER = r"[\s:*_$\\(\[{]{0,6}[-−]?[$€£]?\s?(?:\.?\d|\\?(?:d?frac|sqrt|pi)\b|[A-J](?![\w'’])|[b-hj-z](?![\w'’]))"
ASSERTED = re.compile(
    rf"[\s,.!:;…—–-]{{0,4}}(?:no\b[\s,.!]{{1,3}})?(?:{ANSWER}|[^.!?\n\d]{{0,60}}?(?:\b(?:is|are|was|were|be|equals?|get|have)\b|['’]s\b|=)"
    rf"(?:\s(?:just|only|really|exactly|option|choice|the))?{ANSWER}|{SHOULD})",
    re.IGNORECASE,
)
CUE = re.compile(rf"{BEGINS}(?P<word>(?P<no>(?i:{NO}))|(?P<strong>(?i:{STRONG}))|(?i:{WEAK}))(?!\w)")


def corrected(text: str) -> str:
    """The part of a text behind the last correction of an answer that it declares; all of it where there is none."""
    marker = MARKER.search(text)
    cues = list(CUE.finditer(text, marker.end())) if marker else []
    for cue in reversed(cues[-MOST:]):
        if _corrects(text, cue) and _is_declared(text[: cue.start() + 1], NEAR if cue["no"] else FAR):
            return text[cue.end() :].lstrip(" \t,.!:;…—–")
    return text


def _corrects(text: str, cue: re.Match[str]) -> bool:
    if cue["no"]:
        return ITEM.search(text, max(0, cue.start() - 6), cue.start("word")) is None
    return cue["strong"] is not None or ASSERTED.match(text, cue.end()) is not None


def _is_declared(text: str, reach: int) -> bool:
    """Whether a text declares an answer near its end."""
    found = declared(text) if MARKER.search(text, max(0, len(text) - reach)) else None
    return found is not None and re.search(r"\w", found.payload) is not None
