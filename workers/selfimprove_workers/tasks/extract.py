"""Where a response says its answer: the channels, from the most declared to the least.

Thinking is cut off first. Then, the last of each kind counts:

1. `boxed`: `\\boxed{...}`; boxes that a comma, a semicolon, "and" or "or" joins, or that stand side by side on a line,
   are one answer. Of boxes on lines of their own the last counts, as in the grader that came with
   MATH; math-verify 0.9 makes one list of any that stand near: of an answer and its correction too.
2. `tag`: `<answer>...</answer>`, `<final_answer>...</final_answer>`.
3. `hashes`: `#### ...`, as GSM8K writes it.
4. `key`: `"answer": ...` of a JSON object, or `final_answer`, or `result`, that nothing comes after; or, where there is
   no 5., of one that the response begins with.
5. `says`: "the answer is ...", "Answer: ...", or below a heading "Answer".

Every search is linear in the response, whatever it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from selfimprove_workers.tasks.aligned import without_rows
from selfimprove_workers.tasks.context import is_stated
from selfimprove_workers.tasks.phrases import DISPLAY, sentence_begin
from selfimprove_workers.tasks.text import closing_at

MAX_PAYLOAD = 4000
"""What is read after a marker. A longer box is cut: it is no final answer."""


class Found(NamedTuple):
    """What a channel holds, as it was written."""

    channel: str
    payload: str
    after: str = ""
    """What the response still says after it (only of `says`)."""

    @property
    def is_closed(self) -> bool:
        """Whether the channel has an end mark, so that what it holds is all of it even in a response that was cut."""
        return self.channel in ("boxed", "tag", "key")


THINK_OPEN = re.compile(r"<(?:think|thinking)>", re.IGNORECASE)
THINK_CLOSE = re.compile(r"</(?:think|thinking)>", re.IGNORECASE)
BOX_EDGE = r"(?:[\s$&\\()\[\]]|\\q?quad\b){0,12}"
BETWEEN_BOXES = re.compile(
    rf"[ \t$&\\()]{{0,12}}|{BOX_EDGE}(?:[,;]|(?:[,;]\s*)?(?:and\b|or\b|\\text\{{[\s,]*(?:and|or)\s*\}})){BOX_EDGE}"
    r"(?:[A-Za-z](?:_\{?\w\}?)?\s?=\s?)?"
)
MAX_BETWEEN = 60
TAGS = ("answer", "final_answer")
KEYED = re.compile(
    r"\"(?P<key>(?i:(?:final|corrected)[_ ]?answer|answer|result))\"\s*:\s*"
    r"(?P<value>\"(?:[^\"\\]|\\.){1,4000}\"|-?\d[\d.eE+-]{0,40}|\[[^\[\]{}]{1,400}\])(?=\s*(?:,\s*\"|\}))"
    r"|(?:(?<=[:,\[])|(?<=[:,\[]\s))\"(?:[^\"\\\n]|\\.){0,4000}\"|(?P<brace>[{}])"
)
"""A value that a JSON object calls its answer; between them other strings, and the braces that tell what is in what."""
IN_PYTHON = re.compile(
    r"\{[^{}]{0,2000}?'(?:final_)?answer'\s*:\s*(?P<value>'[^'\n]{1,400}'|-?\d[\d.]{0,40})\s*(?:,\s*'[^{}]{0,2000})?\}"
)
OPENING_OBJECT = re.compile(r"\s*(?:```(?:json)?\s*)?(?=\{)")
ANSWER_KEY = re.compile(r"\"(?:(?:final|corrected)[_ ]?)?answer\"\s*:", re.IGNORECASE)
EXPLAINS = re.compile(
    r"[\s`*_#]*(?:(?:here(?:['’]s|\sis)\s)?(?:the\s|my\s|an?\s)?(?:explanation|reasoning|reason)s?\b|(?:this\sis\s)?because\b"
    r"|i\s(?:\w+ly\s)?(?:added|subtracted|multiplied|divided|counted|found|got|computed|calculated|used|chose)\b)",
    re.IGNORECASE,
)
LAST_NUMBER = re.compile(r"(?<![\d.,])\d[\d.,]*(?=\D*\Z)", re.ASCII)
CONCLUDES = re.compile(r"=\s?\S|\b(?:so|thus|hence|therefore|then|final|result|total)\b", re.IGNORECASE)
TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|sorry|oops|wrong|incorrect|mistakes?|errors?|correction|apolog\w+|instead)\b", re.IGNORECASE
)
NOTHING_SAID = re.compile(r"[\W_]*(?:</?\w{1,12}>\W*)?")
KEYS = ("result", "answer", "finalanswer", "correctedanswer")
"""The one that counts least first."""
SAYS = re.compile(
    r"answers?\b\W{0,4}(?:(?:to|for|of|in)\b[^.\n:=]{0,80}?)?[\s*_]*(?:\b(?:is|are|was|would be|equals)\b|:|=)[\s*_:]*",
    re.IGNORECASE,
)
HEADING = re.compile(r"answer[*_]*[^\S\n]*\n\s*", re.IGNORECASE)
BEFORE_HEADING = re.compile(
    r"(?:\A|\n)[^\S\n]*(?:#{1,3}\s|\*\*|__)\W{0,6}(?:(?:the|final|correct)\s){0,2}\Z", re.IGNORECASE
)
"""Of a line of its own in bold or behind hashes: `### Final Answer`."""
FENCE = re.compile(r"```(?:text|txt|plaintext)?[^\S\n]*\n(?P<inner>[^`]+?)\s*```")
"""An answer that is set apart as code is."""
DENIAL = re.compile(
    r"answers?\b(?:\s+(?:to|for|of|in)\b[^.\n:=]{0,80}?)?[\s*_]*(?:(?:\w+ly|therefore|thus|also)\s+)?"
    r"(?:(?:is|are|was|were|does|do|did|can|could|will|would|should|must|may|might|has|have|ai)"
    r"(?:n['’]t|(?:\s+(?:\w+ly|also|just|still|therefore|thus|of\s+course))?\s+"
    r"(?:not|never|neither|no\s+longer|(?:anything|other|different)\s+(?:but|than|from)))"
    r"|(?:ca|wo)n['’]t|cannot|(?:(?:is|are)\s*)?[:=][\s*_]*(?:it\s+is\s+)?not|≠|!=)(?!\w)"
    r"(?:(?!\s(?:but|because|since|so|as|it|rather|instead)\b|\s[—–-]\s"
    r"|[.:;!?—\n](?!\d)|,(?!\d|\s(?:n?or\s|(?:and\s)?[-−$\\(]{0,3}\d))).){0,200}[.!?]?",
    re.IGNORECASE,
)
"""`The answer isn't 2`, to the end of the clause: the number after a comma is in it, what comes after `but` is not."""
DENIED_BEFORE = re.compile(
    r"(?<!\S)(?:(?:so|but|thus|hence|therefore),?\s+)?\S{1,80}\s+(?:is|are|was|were|can|could)(?:n['’]t|not|\s+not|\s+never)\s+(?:be\s+)?"
    r"(?:the|our|my|an?)\s(?:\w{1,20}\s){0,2}\Z",
    re.IGNORECASE,
)
"""`2 is not the answer`, up to the word answer."""
SUPPOSED_BEFORE = re.compile(
    r"\b(?:if|suppos\w*|assum\w*|imagine)\s+(?:that\s+)?(?:the|our|my)\s(?:\w{1,20}\s){0,2}\Z", re.IGNORECASE
)
SUPPOSED = re.compile(r"answers?\s+(?:is|was|were|had|would)\b(?:[^.,:;\n]|\.(?=\d)){0,80}", re.IGNORECASE)
"""`If the answer were 42`, to the end of the clause."""
OF_OTHERS = re.compile(
    r"\b(?:(?:wrong|incorrect|other|second[- ]best|alternative|tempting)\s"
    r"|(?:many|some|most|people|students|others|might|may|misconception)\s(?:\w+\s){0,4}"
    r"(?:think|say|believe|assume|claim|guess|that)\s(?:that\s)?(?:the\s)?(?:correct\s)?"
    r"|if\b[^.\n]{1,100},\s(?:then\s)?(?:the|our)\s(?:correct\s)?)\Z",
    re.IGNORECASE,
)
"""What stands before an answer that is not the response's own: `A common wrong`, `many think the`."""
REJECTION = (
    r"[\s$\\)\].,]{0,8}(?:is|was)(?:\s+(?:\w+ly\s+)?(?:wrong|incorrect|false|mistaken|an?\s+(?:mistake|error))"
    r"|(?:n['’]t|\s+(?:\w+ly\s+)?not)\s+(?:it|right|correct|true|valid|the\s+(?:\w+\s+)?answer))\b"
)
REJECTED = re.compile(REJECTION)
"""What a box is followed by that is taken back."""
BOX_REJECTED = re.compile(r"\\boxed\{[^{}]{0,200}\}" + REJECTION)
BEFORE_DENIAL = re.compile(r"(?:[A-Za-z]{1,20}\s){0,4}\Z")
REACH = 150
MARKERS = 8
"""How many places that look like a marker are tried, from the last."""

BARE_COMMAND = re.compile(
    r"(?<!\\)\\(?:[bdtf]?frac|text|times|tan|theta|t?binom|begin|beta|ne|neq|nu|rho|right)(?![a-z])"
)
"""LaTeX that is not escaped as JSON asks, which would read `\\f` as a form feed."""


def final_part(response: str) -> str | None:
    """The response without its thinking; None when a thought was begun and never ended."""
    if "<think" not in response and "</think" not in response and "<THINK" not in response.upper():
        return response
    closes = [mark.end() for mark in THINK_CLOSE.finditer(response)]
    start = closes[-1] if closes else 0
    return None if THINK_OPEN.search(response, start) else response[start:]


def without_denials(text: str) -> str:
    """A text without what it says that the answer is not, at the last places where it speaks of an answer."""
    text = BOX_REJECTED.sub("", text) if "\\boxed" in text else text
    end = len(text)
    for place in _markers(text):
        denial = DENIAL.match(text, place, end)
        before = SUPPOSED_BEFORE.search(text, max(0, place - REACH), place)
        denial = SUPPOSED.match(text, place, end) if before else denial
        before = before or (BEFORE_DENIAL if denial else DENIED_BEFORE).search(text, max(0, place - REACH), place)
        if denial or before:
            begins, ends = before.start() if before else place, denial.end() if denial else place + len("answer")
            text = text[:begins] + text[ends:]
        end = place
    return text


def declared(text: str) -> Found | None:
    """The answer that a text declares, by the first channel that has one."""
    found = boxed(text) or tagged(text) or hashed(text)
    if found is not None:
        return found
    return keyed(text) or keyed_at_the_beginning(text) or said(without_denials(text))


def boxed(text: str) -> Found | None:
    r"""The last `\boxed{...}` that is closed, with the boxes that stand next to it."""
    if "box" not in text:
        return None
    boxes: list[tuple[int, int, str]] = []
    for mark in list(re.finditer(r"\\(?:boxed|fbox)\s*(?=\{)", text))[-MARKERS:]:
        end = closing_at(text[: mark.end() + MAX_PAYLOAD], mark.end())
        inner = without_rows(text[mark.end() + 1 : end - 1].strip()) if end > 0 else ""
        if inner and not REJECTED.match(text, end) and not (boxes and mark.start() < boxes[-1][1]):
            boxes.append((mark.start(), end, inner))
    if not boxes:
        return None
    answer = [boxes.pop()]
    while boxes and _are_joined(text[boxes[-1][1] : answer[0][0]]):
        answer.insert(0, boxes.pop())
    return Found("boxed", ", ".join(dict.fromkeys(inner for _, _, inner in answer)))


def _are_joined(between: str) -> bool:
    return len(between) <= MAX_BETWEEN and BETWEEN_BOXES.fullmatch(between) is not None


def tagged(text: str) -> Found | None:
    """What the last `<answer>...</answer>` holds, or the last `<final_answer>...</final_answer>`."""
    for name in TAGS:
        end = text.rfind(f"</{name}>")
        start = text.rfind(f"<{name}>", 0, end) if end > 0 else -1
        inner = text[start + len(name) + 2 : end].strip() if start >= 0 else ""
        if inner:
            return Found("tag", inner[:MAX_PAYLOAD])
    return None


def hashed(text: str) -> Found | None:
    """What follows the last `####` on its line."""
    start = text.rfind("####")
    if start < 0:
        return None
    line = text[start + 4 : start + 4 + MAX_PAYLOAD].partition("\n")[0].strip()
    return Found("hashes", line) if line else None


def keyed(text: str) -> Found | None:
    """The value that the JSON object at the end of a text calls its answer: `final_answer`, `answer` or `result`.

    An object inside of it counts only where it has none of its own. One after which more is said may be a tool's.
    """
    if '":' not in text and '" :' not in text:
        return _in_python(text) if "nswer'" in text else None
    best, payload, ends = (0, 0, 0), "", len(text)
    objects = depth = 0
    for found in KEYED.finditer(text):
        if found["brace"] == "{":
            objects, depth = objects + (depth == 0), depth + 1
        elif found["brace"] == "}":
            depth = max(0, depth - 1)
            ends = found.end() if depth == 0 and objects == best[0] else ends
        elif found["key"] and (value := _unquoted(found["value"]).strip()):
            place = (objects, -depth, KEYS.index(re.sub("[_ ]", "", found["key"].lower())))
            if not payload or place >= best:
                best, payload, ends = place, value, found.end()
    return Found("key", payload) if payload and NOTHING_SAID.fullmatch(text, ends) else None


def keyed_at_the_beginning(text: str) -> Found | None:
    """What the JSON object that a text begins with calls its answer, where the rest only explains it."""
    opening = OPENING_OBJECT.match(text)
    end = closing_at(text[: opening.end() + MAX_PAYLOAD], opening.end()) if opening else -1
    if end < 0 or not ANSWER_KEY.search(text, 0, end) or TAKEN_BACK.search(text, end):
        return None
    found, rest = keyed(text[:end]), text[end:]
    if found is None or said(without_denials(rest)) is not None:
        return None
    may_conclude = CONCLUDES.search(rest) or _states_number(rest)
    return found if EXPLAINS.match(rest) or not may_conclude or _ends_with(rest, found.payload) else None


def _states_number(text: str) -> bool:
    """Whether the last sentence of a text may say that something is a number, rather than speak of it: `at $2 each`."""
    last = LAST_NUMBER.search(text)
    begin = sentence_begin(text, last.start()) if last else None
    return last is not None and (begin is None or is_stated(text[begin : last.start()].rstrip(" *_$")))


def _ends_with(text: str, answer: str) -> bool:
    """Whether an answer is the last number of a text."""
    *_, last = ["", *re.findall(r"\d+(?:\.\d+)?", text)]
    return bool(last == answer)


def _in_python(text: str) -> Found | None:
    """What a Python dict at the end of a text calls its answer."""
    *_, last = [None, *IN_PYTHON.finditer(text)]
    if last is None or not NOTHING_SAID.fullmatch(text, last.end()):
        return None
    return Found("key", last["value"].strip("'"))


def _unquoted(value: str) -> str:
    """What a JSON string holds, where it is one; any other value as it is written."""
    if not value.startswith('"'):
        return value
    try:
        return value[1:-1] if BARE_COMMAND.search(value) else str(json.loads(value, strict=False))
    except ValueError:
        return value[1:-1]


def said(text: str) -> Found | None:
    """What follows the last "answer is" or "Answer:", to the end of its line or of the next that is not empty.

    A formula set apart that begins it is on that line, however many lines it takes; a block of code is what it holds.
    """
    for place in _markers(text):
        if OF_OTHERS.search(text, max(0, place - REACH), place):
            continue
        match = SAYS.match(text[: place + 401], place) or _heading(text, place)
        rest = text[match.end() : match.end() + MAX_PAYLOAD].lstrip() if match else ""
        fence = FENCE.match(rest)
        if fence:
            return Found("says", fence["inner"].strip(), rest[fence.end() :].strip())
        if rest:
            formula = DISPLAY.match(rest)
            end_of_line = rest.find("\n", formula.end() if formula else 0)
            line = rest if end_of_line < 0 else rest[:end_of_line]
            return Found("says", line.strip(), rest[len(line) :].strip())
    return None


def _heading(text: str, place: int) -> re.Match[str] | None:
    """The word answer, where it is all that a heading says."""
    is_begun = BEFORE_HEADING.search(text, max(0, place - REACH), place)
    return HEADING.match(text, place) if is_begun else None


def _markers(text: str) -> Iterator[int]:
    """The last places where the word answer stands, the last first."""
    end = len(text)
    for _ in range(MARKERS):
        end = max(text.rfind("nswer", 0, end), text.rfind("NSWER", 0, end))
        if end < 1:
            return
        yield end - 1
