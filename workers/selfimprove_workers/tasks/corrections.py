"""What a response says at once instead of an answer that it declared: `The answer is 5. Actually, it should be 6.`

Only words that leave no doubt correct: right behind the declaration, in the same sentence or at the beginning of the
next, a cue (`Actually`, `Wait, no`, `Sorry`) and at once a number or a label that is the answer instead. A check
(`Wait, 6 - 1 = 5`), a `No` to a question or to an option, and an answer that is only said to be wrong change nothing.
An answer that is declared again the usual way needs none of this: the last one counts.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.extract import declared

MOST = 4
"""How many places that look like a correction are tried, from the last, and how often a correction is corrected."""
MARKER = re.compile(r"nswer|NSWER|box|####")
"""What stands in every text that declares an answer, before any correction of it."""
REACH = 300
"""How far before a correction the declaration may begin."""
PAUSE = r"[\s,.!:;…—–*_-]{1,6}"
APOLOGY = r"(?:i\s|my\s)?apolog(?:ies|i[sz]e)(?:\sfor\s(?:the|that|my|any)\s(?:mistake|error|confusion|oversight))?"
BLAME = (
    r"i\smade\san?\s(?:\w{1,12}\s)?(?:mistake|error)|my\s(?:mistake|bad)"
    r"|(?:that|this|it)(?:['’]s|\sis|\swas)\s(?:wrong|incorrect|not\s(?:right|correct))"
)
CUE = (
    rf"(?:actually|wait|no(?:pe)?|hold\son|hang\son|sorry|oops|correction|scratch\sthat|on\ssecond\sthought|{APOLOGY}|{BLAME}"
    r"|let\sme\scorrect\s(?:that|this|it|myself)|or\srather|make\s(?:that|it)|i\smeant?)"
)
CHAIN = rf"(?:(?:but|oh|ah|hm+|uh|um)\b{PAUSE})?{CUE}\b(?:{PAUSE}{CUE}\b){{0,3}}"
NO = rf"no(?:pe)?\b(?!{PAUSE}{CUE}\b)"
"""Alone it may answer a question, or be an option's first word."""
SAYS = (
    r"(?:(?:it|that)\s(?:should|must)\s(?:be|have\sbeen)|it\sis|it['’]s"
    r"|the\s(?:(?:correct|right|final|actual)\s)?(?:answer|total|result)\s(?:is|should\sbe))\b"
)
VALUE = (
    r"[\s:*_$(\[]{0,6}(?:(?:option|choice)\s\(?)?"
    r"(?P<value>[-−]?[$€£]?(?:\d{1,15}(?:,\d{3})*(?:\.\d+)?|\.\d+|\\d?frac\{\d+\}\{\d+\})(?:/\d+)?\\?%?"
    r"|(?-i:[A-J])(?![\w'’]))"
)
IS_RIGHT = r"\sis\sthe\s(?:right|correct)\s(?:one|answer|choice|option)"
ENDS = (
    r"[*_$)\]\"]{0,6}(?=[.!](?:\W|\Z)|,\s(?:because|since|as|so|not)\b|\s*(?:\n|\Z))"
    r"(?![^.!?\n]{0,100}\?)"
)
CORRECTION = re.compile(
    rf"(?<=[\s.!?,;:)\]}}>*…—–(-])(?:(?P<no>{NO})|(?!{NO}){CHAIN})"
    rf"(?:{PAUSE}(?:so\s)?(?P<says>{SAYS})|{PAUSE})?{VALUE}(?:{IS_RIGHT}|\s(?P<noun>[a-z]{{2,20}}))?{ENDS}"
    rf"|(?<=\s)however,\s(?P<other>\d{{1,15}}|(?-i:[A-J])){IS_RIGHT}{ENDS}",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?<!\b[A-J])[.!]\s+\S|\?\s*\S")
"""Where another sentence begins; behind a label its text may follow."""


def corrected(text: str) -> str:
    """The rest of a text from its last correction on, as a declaration; all of it where it corrects nothing."""
    for _ in range(MOST if MARKER.search(text) else 0):
        found = next(
            (each for each in reversed(list(CORRECTION.finditer(text))[-MOST:]) if _corrects(text, each)), None
        )
        if found is None:
            break
        text = f"The answer is {found['value'] or found['other']}{text[found.end() :]}"
    return text


def _corrects(text: str, found: re.Match[str]) -> bool:
    before = text[: found.start()].rstrip()
    if found["no"] and not found["says"] and before[-1:] not in "?,—–-":
        return False
    if found["noun"] and found["noun"] not in before[-REACH:]:
        return False
    return ends_declaring(before)


def ends_declaring(text: str) -> bool:
    """Whether the last sentence of a text declares an answer."""
    begin = max(0, len(text) - REACH)
    found = declared(text) if MARKER.search(text, begin) else None
    if found is None or found.after or SENTENCE.search(found.payload):
        return False
    return _bare(text).endswith(_bare(found.payload)) if re.search(r"\w", found.payload) else False


def _bare(text: str) -> str:
    """A text without what closes it: brackets, marks, a tag."""
    return re.sub(r"\W+\Z", "", re.sub(r"\W*(?:</answer>)?\W*\Z", "", text[-REACH * 2 :]))
