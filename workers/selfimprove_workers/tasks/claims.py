"""The one answer that a response in words gives, chosen by the response alone: the gold is never seen here.

What a channel declares is it; else a fenced block or a formula set apart that ends the response, a first line that a
last paragraph explains (`explained`), a `Yes` or `No` that the rest of it explains, or its last line. Of a line that
says more than the answer the answer is what stands in its only bold span, after `is` at the end of its last sentence,
after a name and a colon, on the right of `=` or of an arrow. Readings are all of the same claim: the line, and what it
says in it. What is denied, doubted, asked or one of two is read no further than to the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfimprove_workers.tasks.explained import explained_claim
from selfimprove_workers.tasks.extract import Found

MAX_LINE = 600
"""A longer line is read as it is."""
FENCE = re.compile(r"```(?P<language>[\w-]*)\n(?P<inner>.*?)```", re.DOTALL)
NO_CODE = ("", "text", "txt", "plaintext", "json")
SET_APART = re.compile(r"(?:\\\[|\$\$)(?P<inner>[^$]{1,400}?)(?:\\\]|\$\$)\s*\.?\s*\Z", re.DOTALL)
LEADING = re.compile(
    r"[\s*_\"'`]{0,6}(?P<word>yes|no|true|false)\b[*_\"'`]{0,4}(?:[.,;:]|\s*\n|\s+[–—-]\s|\s+(?:because|since|as)\b)",
    re.IGNORECASE,
)
GOES_BACK = re.compile(
    r"\b(?:however|but|actually|wait|sorry|oops|correction|although|though|unless|or)\b"
    r"|(?:\A|[.!?,;:\n])\W*(?:(?:so|therefore|thus|hence|then|finally)\b(?=[^.!?\n]*(?:\b(?:not|no|yes|true|false|answer|follow\w*"
    r"|valid|correct|possible)\b|n['’]t\b))|(?:yes|no|true|false)\b(?=\W*(?:[.,;!?\n]|\Z)))"
    r"|\b(?:is|say|it's)\W+(?:yes|no|true|false)\b",
    re.IGNORECASE,
)
"""What may make another answer of a first `Yes`: a turn, a conclusion, a second such word."""
ANOTHER_SENTENCE = re.compile(r"(?<=[\w)\]*\"'”’`$}%])[.!]\s+(?=[\"*'“]?[A-Z])")
TURN = re.compile(
    r"\W*(?:no|not|nope|wait|actually|sorry|oops|or|but|however|correction|hm+)\b"
    r"|.*\b(?:right|correct|wrong|incorrect|answer|one|instead|rather|should)\b",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?<=[\w)\]*\"'”’`$}%])[.!]\s+(?=\S)")
REASON = re.compile(r",?\s(?:because|since|whereas|although|though|which|where|while)\s.*", re.DOTALL)
ADDED = re.compile(r"\s\((?:HH:MM(?::SS)?|[^()]*[A-Za-z]{2,}\s[^()]*[A-Za-z]{2,}[^()]*)\)\W*\Z")
"""A parenthesis of words at the end."""
COPULA = re.compile(
    r"\b(?:(?:is|are|was|were|be|equals|becomes|gives|returns|lasts|lasted|(?:falls|fell)\son"
    r"|(?:simplifies|reduces|evaluates|comes)\sto|(?:we|you)\s(?:get|have|obtain))\b"
    r"|(?:it|that|this)['’]s\b)\s*[*_]{0,3}(?::\s*|\s)",
    re.IGNORECASE,
)
UNSURE = re.compile(
    r"\b(?:not|never|no|nor|neither|none|cannot|if|whether|unless|doubt\w*|suppos\w*|assum\w*|wrong\w*|incorrect\w*|mistak\w*"
    r"|false\w*|untrue|myth|unlikely|hardly|than|instead|can|could|might|may|maybe|perhaps|possibly|or|either|but|thought"
    r"|(?<!\bi )(?:say|says|said|think|thinks|believe|believes|claim|claims|guess|guesses|argue|argues)|den(?:y|ies))\b"
    r"|n['’]t\b|\?",
    re.IGNORECASE,
)
SUBORDINATE = re.compile(
    r"(?:\A|[,;]\s|\s)(?:and|because|since|as|while|whereas|although|though|when|that|which|who)\s[^,;]*\Z",
    re.IGNORECASE,
)
"""What ends in a clause that is no main one, up to its verb; `I think that` begins one that is meant."""
MEANT = re.compile(r"\b(?:i\s\w+|means?|show\w*|conclude|find|follows)\sthat\s[^,;]*\Z", re.IGNORECASE)
BOLD = re.compile(r"(?<![\w)])\*\*(?!\s)(?P<inner>[^*\n]{1,200})(?<!\s)\*\*(?![\w(:])")
NAMED = re.compile(
    r"[\W_]{0,4}(?!(?:note|hint|question|example|input|given|original|step|reminder)\b)"
    r"[a-z][\w'’-]*(?:\s[\w'’-]+){0,5}\s?:[*_]{0,3}\s+(?P<inner>\S.*)\Z",
    re.DOTALL | re.IGNORECASE,
)
RIGHT_SIDE = re.compile(r"(?:\A|\s)(?:=|->|→|⇒|=>)\s")
SEVERAL = re.compile(r"[,;]|\b(?:and|or)\b")
EITHER = re.compile(r"\bor\b")
SUBJECT = re.compile(
    r"(?P<adverb>(?:So|Thus|Hence|Therefore),?\s)?(?!(?:The|This|That|These|Those|It|There|He|She|They|We|You|I|A|An|One|In|On|At"
    r"|If|Yes|No|True|False|Let|Each|Both|All|My|Our|Her|His|Its|Their|What|When|So|Thus|Hence|Therefore)\b)"
    r"(?P<name>[A-Z][a-z]{1,20})\s(?:is\sthe|was\sthe|lives|owns|drinks|has|likes|sits)\b"
)
"""A name that a sentence says something of: `Arnold lives in the first house.`"""
NAMED_LIST = re.compile(r"[A-Za-z]\s?[=≈]\s?(?P<inner>[^=≈A-Za-z]+)")
ADVERB = re.compile(r"(?:so|thus|hence|therefore|return),?\s+(?=\S+(?:\s\S+){0,3}\Z)", re.IGNORECASE)
"""Before an answer of a few words: `Therefore, Yes.`"""
PRESENTED = re.compile(r"(?:the|our|my)\s", re.IGNORECASE)


def claim_of(text: str, found: Found | None) -> tuple[str, ...]:
    """The readings of the one answer that a text gives, the longest first; none of an empty text.

    `found`: what it declares, which is it then. A text that corrects itself is given corrected.
    """
    if found is None:
        line = _last_claim(text)
        return tuple(dict.fromkeys(_readings(line, is_all=line == text.strip()))) if line else ()
    payload = found.payload.strip()
    head = _first_sentence(payload) if found.channel == "says" else payload
    return tuple(dict.fromkeys([payload, *_readings(head)]))


def _last_claim(text: str) -> str:
    """The part of a text that holds its answer, without what declares it."""
    whole = text.strip()
    fences = list(FENCE.finditer(whole))
    if fences and (fences[-1].end() == len(whole) or fences[-1]["language"].lower() in NO_CODE):
        return fences[-1]["inner"].strip()
    if "\n" not in whole or (whole[0] in "[{" and whole[-1] in "]}"):
        return whole
    formula = SET_APART.search(whole[-MAX_LINE:])
    if formula:
        return formula["inner"].strip()
    explained = explained_claim(whole)
    if explained:
        return explained
    last = whole.rsplit("\n", 1)[-1].strip()
    word = leading_word(whole) if len(last.split()) > 3 else None
    return word or last


def leading_word(text: str) -> str | None:
    """The `Yes` or `No` that a text begins with and the rest of it explains; None where it may turn to another."""
    found = LEADING.match(text)
    return None if found is None or GOES_BACK.search(text[found.end() :]) else found["word"]


def _first_sentence(payload: str) -> str:
    """What is declared, without the sentences behind it; all of it where they take it back."""
    end = ANOTHER_SENTENCE.search(payload[:MAX_LINE])
    return payload[: end.start()] if end and not TURN.match(payload, end.end()) else payload


def _readings(line: str, is_all: bool = False) -> Iterator[str]:
    """A line, and what it says in it. `is_all`: the response is nothing else."""
    yield line
    if len(line) > MAX_LINE or "\n" in line:
        return
    adverb = ADVERB.match(line)
    if adverb:
        yield line[adverb.end() :]
    word = leading_word(line)
    if word:
        yield word
        return
    rest = ADDED.sub("", line)
    yield rest
    said = _stated(rest) or _named(rest)
    if said:
        yield said
    right = _right_side(said or rest)
    if right:
        yield right
    subject = SUBJECT.match(line)
    if subject and (is_all or subject["adverb"]) and not UNSURE.search(line):
        yield subject["name"]


def _stated(line: str) -> str | None:
    """What the last sentence of a line says at its end that something is, or has in its only bold span."""
    sentence = REASON.sub("", SENTENCE.split(line)[-1])
    bold = list(BOLD.finditer(sentence))
    copulas = [copula for copula in COPULA.finditer(sentence) if sentence[copula.end() :].strip(" .*_")]
    verb = next((copula for copula in copulas if ":" in copula[0]), copulas[-1] if copulas else None)
    only = bold[0] if len(bold) == 1 and not bold[0]["inner"].endswith(":") else None
    if only and (verb is None or _is_bold_the_answer(sentence, only, verb)):
        around = sentence[: only.start()] + sentence[only.end() :]
        return only["inner"] if around.strip() and not UNSURE.search(around) else None
    if verb is None or len(bold) > 1 or sentence.rstrip().endswith("?"):
        return None
    before = sentence[: verb.start()]
    said = sentence[verb.end() :].strip()
    is_aside = EITHER.search(said) or (SUBORDINATE.search(before) and not MEANT.search(before))
    return None if is_aside or UNSURE.search(before) else said


def _is_bold_the_answer(sentence: str, bold: re.Match[str], verb: re.Match[str]) -> bool:
    """Whether the bold span is what something is, or what is said to be it: `**99 days** is the difference.`"""
    if bold.start() >= verb.end() - 3:
        return True
    return not sentence[: bold.start()].strip() and PRESENTED.match(sentence, verb.end()) is not None


def _named(line: str) -> str | None:
    """What follows a few words and a colon: `Sorted words: a, b`."""
    found = NAMED.match(line)
    return None if found is None or UNSURE.search(line, 0, found.start("inner")) else found["inner"]


def _right_side(text: str) -> str | None:
    """The last side of a chain, which is one and no list of several."""
    listed = NAMED_LIST.fullmatch(text)
    if listed:
        return listed["inner"].strip()
    *sides, last = RIGHT_SIDE.split(text)
    is_chain = bool(sides) and bool(last.strip()) and not SEVERAL.search(text)
    return last.strip() if is_chain and not UNSURE.search("=".join(sides)) else None
