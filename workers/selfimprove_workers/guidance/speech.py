"""Words by which a sample points at a hint that training never shows: "as given", "the provided answer".

Some do wherever they stand. Others are any solution's own once it has begun, and tell only at its beginning. What only
one kind of hint explains is looked for where that was shown: who is told of no mistake answers no remark.
"""

from __future__ import annotations

import re

from selfimprove_workers.guidance.base import Reference
from selfimprove_workers.guidance.beginnings import at_first
from selfimprove_workers.guidance.framing import Frame, echoes
from selfimprove_workers.guidance.leaning import heads_for_the_answer, leans_on_the_answer
from selfimprove_workers.guidance.markup import without_markup
from selfimprove_workers.guidance.phrases import NO_CHOICES, RIGHT
from selfimprove_workers.guidance.remarks import answers_a_remark
from selfimprove_workers.guidance.retelling import retells
from selfimprove_workers.guidance.thirdly import speaks_of_the_user

_NOTHING_KNOWN = Reference(None)
_NO_FRAME = Frame()
_GIVEN = r"(?:given|provided|shown|stated|mentioned|reference|suggested|supplied)"
_SHOWN = r"(?:answer|solution|hint|result|explanation|reasoning)"
_NO_FORM = r"(?!\s+(?:be\s+)?(?:an?|the|in|as|at|to|within|of|expressed|given|written|rounded|simplified)\b)"
"""Behind "the answer should": what a question asks of any answer."""
_REMARK = (
    r"(?:feedback|correction|critique|hint|comments?|clarification|explanation|guidance|advice|suggestions?|reminder"
    r"|(?:your|the)\s+help|patience|pointing|noting|noticing|correcting|catching|telling|showing|explaining|clarifying"
    r"|reminding)"
)
_HINT_PHRASES = re.compile(
    rf"""
    \bas\s+(?:was\s+|already\s+)?(?:given|provided|suggested|supplied|you\s+(?:said|pointed\s+out|mentioned|noted))\b
    | \byou(?:['’]ve|\s+have)?\s+(?:rightly\s+|correctly\s+)?(?:pointed\s+out|(?:gave|provided|showed|told)\s+me)\b
    | \b{_GIVEN}\s+(?:final\s+|correct\s+)?(?:(?P<hint>answer|solution)|{_SHOWN})\b{NO_CHOICES}
      (?!\s+(?:of|from)\s+(?:the\s+)?(?:\w+\s+)?(?:step|part|line|equation)s?\b)
    | \b{_SHOWN}\s+(?:is|was|that\s+(?:is|was)|has\s+been)\s+(?:already\s+)?(?:given|provided|stated|shown\s+above)\b
      (?!\s+(?:in\b(?!\s+the\s+(?:solution|prompt)\b)|as\b(?!\s+\W{{0,2}}\d)|by\b))
    | \b{_SHOWN}\s+(?:that\s+)?(?:you(?:['’]ve|\s+have)?|i\s+(?:was|have\s+been))\s+
      (?:gave|given|provided|shown|showed|told|mentioned|suggested|supplied)\b
    | \b(?:according\s+to|based\s+on|as\s+in|following|per)\s+(?:the|this|your)\s+(?:above\s+)?
      (?:answer|solution|hint|explanation|feedback|critique|correction|reference)\b{NO_CHOICES}
      (?!(?<=reference)\s+(?:frame|point|angle|line|table|system|level|price|temperature|class|book|number)s?\b)
    | \b(?:final|correct|right)\s+answer\s+(?:given|provided|supplied|stated)\b(?!\s+(?:as|in|that|the|these|this)\b)
    | \bthe\s+(?:{RIGHT}\s+)?(?:answer|solution|hint|explanation|reasoning)\s+(?:given|provided|stated|supplied)
      (?=\s*(?:[.,;:!?)]|$|(?:is|was|of|and|shows?|says?|states?)\b))
    | \b(?:(?:we|i)\s+(?:are|am|were|was|have\s+been)|we['’]re|i['’]m|(?:we|i)['’]ve\s+been)\s+told\s+(?:that\s+)?
      the\s+(?:{RIGHT}\s+)?(?P<told>answer|solution)\s+(?:is|was|equals|must|should|will)\b{_NO_FORM}
    | \bknowing\s+(?:that\s+)?the\s+{RIGHT}\s+(?:answer|result|solution)\b{NO_CHOICES}
    | \b(?:match(?:es|ed|ing)?|agree[sd]?\s+with|(?:consistent|in\s+line)\s+with|same\s+as)\s+(?:the|your)\s+
      (?:expected|correct|right|known|stated|desired|intended)\s+(?:final\s+)?(?:answer|result|solution)\b{NO_CHOICES}
    | \b(?:your|my)\s+teacher\s+(?:said|says|told|tells|noted|notes|mentioned|pointed|wrote|writes)\b
    | (?:\A|[.!?(\n]\s{{0,4}})(?:follow|end|finish)\s+(?:this\s+|it\s+|up\s+)?with\s+(?:the|that|this)\s+
      (?:{RIGHT}\s+)?answer\b
    | \bthe\s+hint\b | \byour\s+(?:hint|feedback|critique|correction|comments?|suggestion|advice|guidance)\b
    | \bthank(?:s|\s+you)(?:\s+(?:so\s+|very\s+)?much|\s+a\s+lot)?\s+for\s+(?:(?:the|your|this|that)\s+)?(?:\w+\s+)?
      {_REMARK}\b
    | (?<!\bif\s)\byou(?:['’]re|\s+(?:are|were))\s+(?:absolutely\s+|quite\s+|completely\s+|indeed\s+)?(?:right|correct)
      (?=\s*(?:[,.!;:–—]|-\s|$|\b(?:that|about|and\s+i)\b))
    | \bgood\s+catch\b | \b(?:my|your)\s+own\s+words\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What answers a remark, or points at a text that is not there. "As shown above" is most often the sample's own."""
_NO_HINT = re.compile(
    r"[\s,]+(?:by\b|below\b|in\s+the\s+(?:problem|question|exercise|task|statement)\b)", re.IGNORECASE
)
"""What makes a phrase point at the question, or at a formula."""
_DOING = re.compile(r"\s+(?:by\s+(?:\w+ing|substitution)|in\s+the\s+(?:problem|question))\b", re.IGNORECASE)
"""Behind "the given answer" it makes nothing of the kind, where the question gives none."""
_A_LIQUID = re.compile(
    rf"(?<!according\sto\sthe\s)(?<!based\son\sthe\s)(?<!following\sthe\s)(?:{_GIVEN}\s+solution|the\s+solution\s+{_GIVEN})\b",
    re.IGNORECASE,
)
"""What may be poured, in a question of solutions that are: not `according to the provided solution`."""
_OF_LIQUIDS = re.compile(
    r"\b(?:acid|chemical|litmus|salt|saline|alcohol|sugar|concentrat\w+|dissolv\w+|dilut\w+|liquid|lit(?:er|re)s?|ml|mixture|water)\b",
    re.IGNORECASE,
)
_FIRST_PHRASES = re.compile(
    rf"""
    \bfrom\s+the\s+(?:solution|answer|explanation)\W+(?:we|i|you|it|one)\s+(?:can\s+)?(?:see|know|get|learn|find)\b
    | \bthe\s+(?:solution|answer|explanation)\s+
      (?:above\s+(?:gives?|uses?)|(?:above\s+)?(?:shows?|says?|states?|tells?|explains?))\b
    | \bas\s+(?:\w+\s+){{1,2}}in\s+the\s+(?:solution|answer|explanation)\b{NO_CHOICES}
    | \bas\s+(?:the|my|your)\s+(?P<person>teacher|tutor)\b
    | \bas\s+(?:mentioned|stated|noted|shown|said)\s+(?:above|before|earlier|previously)\W+the\s+
      (?:final\s+|correct\s+)?answer\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def speaks_of_hint(
    said: str, question: str = "", reference: Reference = _NOTHING_KNOWN, frame: Frame = _NO_FRAME
) -> bool:
    """Whether a text points at something that only a hint could have shown.

    `frame`: what kind of hint that was, and the words of the template around it, which nobody says by chance. What the
    question says too may be said again.
    """
    plain = without_markup(said)
    return (
        _points_at_it(said, question)
        or _begins_with_it(plain, question)
        or leans_on_the_answer(plain, question, reference)
        or (frame.hint in ("answer", "rationale") and heads_for_the_answer(plain, question, reference))
        or (frame.hint == "rationale" and retells(plain, question))
        or (frame.hint == "critique" and answers_a_remark(plain, question))
        or speaks_of_the_user(plain, question, frame.hint)
        or echoes(plain, frame, question)
    )


def _points_at_it(said: str, question: str) -> bool:
    asked, is_of_liquids = question.casefold(), _is_of_liquids(question)
    return any(
        not _is_excused(said, found, asked)
        and found[0].casefold() not in asked
        and not (is_of_liquids and (found["told"] == "solution" or _A_LIQUID.match(said, found.start())))
        for found in _HINT_PHRASES.finditer(said)
    )


def _is_excused(said: str, found: re.Match[str], asked: str) -> bool:
    """Whether what follows a phrase makes it one of the question's or of a formula's."""
    is_of_a_hint = found["hint"] and found["hint"].casefold() not in asked and _DOING.match(said, found.end())
    return _NO_HINT.match(said, found.end()) is not None and not is_of_a_hint


def _is_of_liquids(question: str) -> bool:
    return "solution" in question.casefold() and _OF_LIQUIDS.search(question) is not None


def _begins_with_it(plain: str, question: str) -> bool:
    asked, is_of_liquids = question.casefold(), _is_of_liquids(question)
    return any(
        not (found["person"] and found["person"].casefold() in asked)
        and not (is_of_liquids and "solution" in found[0].casefold())
        for found in at_first(_FIRST_PHRASES, plain, question)
    )
