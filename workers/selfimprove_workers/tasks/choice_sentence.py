"""What one plain sentence says of the choices, without a word of answers or options: `The heart pumps blood.`"""

from __future__ import annotations

import re
from collections.abc import Mapping

from selfimprove_workers.tasks.assertions import UNSAID, plain, texts

MOST_WORDS_OF_A_SENTENCE = 25
WORD = re.compile(r"[^\W\d_]{3}")
BEFORE_SUBJECT = re.compile(r"\W*(?:(?:the|an?)\s+)?", re.IGNORECASE)
AFTER_SUBJECT = re.compile(r"\s+(?!is\b|was\b|has\b)[a-z]+s\s+\w")
BEFORE_OBJECT = re.compile(
    r"\W*(?:(?:[Tt]he|[Aa]ll|[Mm]ost)\s+)?(?!This|Its|As\b|Is\b|Us\b|Yes)[A-Za-z][a-z]+s\s+[a-z]{3,}\s+(?:(?:the|an?)\s+)?"
)
SENTENCE_GOES_ON = re.compile(r"[.!?]\s|\n|\?\Z|[:;]")


def told_in_a_sentence(text: str, choices: Mapping[str, str]) -> str | None:
    """The one choice whose text is subject or object of a sentence: `The heart pumps blood`, `Plants absorb nitrogen`.

    No other choice may be a longer name of the same, nor the text a number, of which sentences have others.
    """
    if len(text.split()) > MOST_WORDS_OF_A_SENTENCE or SENTENCE_GOES_ON.search(text.strip()) or UNSAID.search(text):
        return None
    pattern, labels = texts(tuple(choices.items()))
    names = list(pattern.finditer(text)) if labels else []
    said = plain(names[0][0]) if len(names) == 1 else ""
    if not WORD.search(said) or re.search(r"\d", said) or sum(said in plain(each) for each in choices.values()) > 1:
        return None
    before, after = text[: names[0].start()], text[names[0].end() :]
    is_subject = BEFORE_SUBJECT.fullmatch(before) and AFTER_SUBJECT.match(after)
    return labels[said] if is_subject or BEFORE_OBJECT.fullmatch(before) else None
