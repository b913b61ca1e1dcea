"""What a response asserts about the choices: the rest, which only denies, asks, supposes or lists, is taken out first.

`Option A is wrong`, `it can't be (C)`, `is it A?`, `if A is right`, `A, B, C, D`: a choice named so is no answer. Whole
clauses go, so that what is left is sure: a reader that finds nothing in it finds no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

OPENING, CLOSING = "⟦", "⟧"
"""The brackets of a label that stands for its choice's text. Whoever writes them writes a label in brackets."""
PART = "…"
"""Stands in them for a text that is only a part of a longer name: no choice, nor is another then the only one."""
MOST_WORDS_OF_A_NAME = 3
"""A longer text of a choice is a statement of its own."""
EDGE = 60
BEFORE_NAME = re.compile(
    r"(?:\A|[^\w\s'’-]\s*|\n|\s[–—-]\s|\b(?:an?|the|this|that|these|those|its?|their|his|her|our|your|my|some|more|most"
    r"|both|either|is|are|was|were|be|been|being|am|becomes?|remains?|stays?|it['’]s|that['’]s|called|named|means|also|just"
    r"|only|simply|probably|likely|clearly|definitely|so|thus|hence|therefore|then|and|or|but|not|nor|neither|than|as|if|by"
    r"|under|to|into|from|with|via|through|on|in|at|for|like|about|over|using|choose|pick|select|say|guess|think|believe|answer"
    r"|option|choice|need|use|make|cause|produce|release|will|would|can|could|must|should|may|might|does|do|did|cannot|never"
    r"|[a-z]{3,}[^\Wsu]s|[a-z]+n['’]t|(?:force|because|made|consists?|result|instead|case|effects?|form|out|think)\sof"
    r"|of\sthe)\s+)\Z",
    re.IGNORECASE,
)
"""What the name of a choice stands alone after: a mark, an article, a verb. An adjective makes another name of it."""
AFTER_NAME = re.compile(
    r"\W*\Z|\s*[^\w\s'’-]|\s*\n|\s+[–—-]\s|\s+(?:is|are|was|were|be|being|(?:is|are)n['’]t|will|would|can|could|must|should"
    r"|may|might|does|do|did|has|have|had|makes?|fits?|seems?|looks?|sounds?|because|since|as|so|thus|hence|therefore|for|and"
    r"|or|but|nor|not|in|on|to|by|from|with|at|that|which|who|when|where|while|if|than|into|during|after|before|through|due"
    r"|it|they|there|here|instead|too|only|again|best|correctly"
    r"|[a-z]+[septd]\s(?:an?|the|this|that|it|its|their|most|more|less|up|down|out|to|in|on|from|with|by|as|at|when|because))\b",
    re.IGNORECASE,
)
"""What may follow a name: a mark, a verb, a preposition. Another noun makes another name of it: `heat loss`."""
COUNT = re.compile(r"\d[\d.,]*", re.ASCII)
COUNTED_BEFORE = re.compile(
    r"(?:\A|\b(?:is|are|was|were|has|have|makes?|gives?|gets?|leaves|equals?)\s|=\s)\$?\Z", re.IGNORECASE
)
COUNTED_AFTER = re.compile(r"(?:\s[a-z]+){1,2}(?:\s(?:in total|in all|altogether|left))?\W*\Z")
"""What a text ends with after a number: the noun that is counted, `So there are 24 apples.`"""

UNSAID = re.compile(
    r"\b(?:not|never|neither|nor|none|cannot|cant|isnt|doesnt|dont|wont|wrong|incorrect|false|untrue|impossible"
    r"|implausible|unlikely|improbable|invalid|irrelevant|unrelated|mistaken|misleading|tempting|less|eliminat\w*|exclud\w*|rul\w*\s+out|ruled|reject\w*|discard\w*"
    r"|dismiss\w*|doubt\w*|rather\s+than|instead\s+of|as\s+opposed\s+to|unlike|except|(?:any|no|every)thing\s+but|all\s+but|no\s+way"
    r"|an?\s+(?:\w+\s+)?(?:misconception|myth|trap|distractor|mistake)"
    r"|if|whether|suppose|assum\w+)\b|n['’]t\b|\bno\W*\Z|\?\W*\Z|\b(?:is|are)\s+out\b",
    re.IGNORECASE,
)
GOES_ON = re.compile(
    r"\W*(?:is|are|was|were|does|do|can|could|would|will|has|have|seems?|looks?)(?:n['’]t)?\b", re.IGNORECASE
)
"""A clause without a subject of its own: `Option A, which is dry, is wrong`."""
REASON = re.compile(r"\W*(?:because|since|as)\b", re.IGNORECASE)
SUBORDINATE = re.compile(r"\W*(?:because|since|as|while|whereas|although|though)\b", re.IGNORECASE)
COMPARED = re.compile(r"\s(?:than|compared\s(?:to|with)|over)\s.*", re.DOTALL)
SENTENCE_ENDS = re.compile(r"[.!?]\W*\Z")
LISTED_BY = re.compile(r"[\s,;/&|-]*(?:\b(?:and|or|nor)\b\s*)?", re.IGNORECASE)
LEAVES = re.compile(r"(?<=\.)\s+(?:(?:so|thus)\s+)?(?:that|this|which)\s+(?:only\s+)?leaves\b", re.IGNORECASE)
VERB = re.compile(r"\s+(?:is|are|was|were|can|could|does|do|would|will|must|has|have|seems?|looks?)\b")
AFTER_BARE = re.compile(r"\W*\Z|\s*[.,:;/&|)\]!?\n]|\s+(?:and|or|nor|both|all)\b")
TOKEN = re.compile(r"[\w.%°/+-]*\w[%°]?")
PERCENT = re.compile(r"(?<=\d)\s*(?:%|per\s?cent\b)")
BEFORE_UNIT = re.compile(r"(?<![^\s+-])(\d[\d.,]*)(?=°?[^\W\d_])")
"""Where a space may stand or not: `100 °C`."""
UNIT = re.compile(r"°|[^\W\d_]")
BETWEEN_WORDS = r"[^\w.%°/+-]"


def asserted(text: str, choices: Mapping[str, str]) -> str:
    """The clauses of a text that assert something; a choice's own text in them stands as its label in brackets."""
    text = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    text = labelled(text, choices)
    labels = tuple(choices)
    return "\n".join(_said(_borders(labels).split(_without_listings(text, labels))))


def main_clauses(said: str) -> str:
    """What is asserted without the reasons, the contrasts and the comparisons: `⟦A⟧ is hot because ⟦B⟧ is not`."""
    kept, is_main = [], True
    for clause in said.split("\n"):
        subordinate = SUBORDINATE.match(clause)
        is_main = not subordinate if is_main else False
        if is_main:
            kept.append(COMPARED.sub(" ", clause))
        is_main = is_main or SENTENCE_ENDS.search(clause) is not None or (not kept and clause.endswith(","))
    return "\n".join(kept)


def _stands_alone(text: str, found: re.Match[str]) -> bool:
    """Whether a choice's text is not just a part of a longer name or denied by it: `salt water`, `no water`."""
    if len(found[0].split()) > MOST_WORDS_OF_A_NAME:
        return True
    before, after = text[max(0, found.start() - EDGE) : found.start()], text[found.end() : found.end() + EDGE]
    if COUNT.fullmatch(found[0]) and COUNTED_BEFORE.search(before) and COUNTED_AFTER.match(after):
        return True
    return BEFORE_NAME.search(before) is not None and AFTER_NAME.match(after) is not None


def labelled(text: str, choices: Mapping[str, str]) -> str:
    """The text with the labels of choices, in their own brackets, for the choices' texts."""
    pattern, labels = _texts(tuple(choices.items()))

    def label(found: re.Match[str]) -> str:
        known = labels.get(plain(found[0]))
        if known is None:
            return found[0]
        return f"{OPENING}{known if _stands_alone(text, found) else PART}{CLOSING}"

    return pattern.sub(label, text) if labels else text


def _said(clauses: list[str]) -> list[str]:
    """The clauses that assert. What goes with one that doesn't is its subject before it and its reason behind it."""
    kept: list[str] = []
    is_said = True
    for clause in clauses:
        is_said = not UNSAID.search(clause) and (is_said or not REASON.match(clause))
        if is_said:
            kept.append(clause)
        elif GOES_ON.match(clause):
            while kept and not SENTENCE_ENDS.search(kept[-1]):
                kept.pop()
    return kept


def plain(text: str) -> str:
    """The words of a text, in one spelling; a number's unit apart from it, and its percent sign at it."""
    words = " ".join(TOKEN.findall(PERCENT.sub("%", text.casefold())))
    return BEFORE_UNIT.sub(r"\1 ", words)


@lru_cache(maxsize=256)
def name_of(labels: tuple[str, ...]) -> str:
    """The pattern of a label, with what may stand around it, as the group `label`."""
    either = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    return (
        r"(?:(?i:options?|choices?|letters?|answers?)\s+)?[(\[*\"'⟦]{0,3}(?<![\w'’])(?<!\d\.)"
        rf"(?P<label>{either})(?!\w|['’]\w|\.\d)[)\]*\"'⟧]{{0,3}}"
    )


@lru_cache(maxsize=256)
def _texts(choices: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """The pattern of the texts, the longest first, and the label of each; without any that is a label or not unique."""
    labels = {label.casefold() for label, _ in choices}
    spelled = [plain(text) for _, text in choices]
    by_text = {
        text: label
        for text, (label, _) in zip(spelled, choices, strict=True)
        if text and text not in labels and spelled.count(text) == 1
    }
    either = "|".join(map(_spelled, sorted(by_text, key=len, reverse=True)))
    return re.compile(rf"(?<![\w.%°/+-])(?<!\d,)(?:{either})(?![.%°/^+-]*\w|[%°])", re.IGNORECASE), by_text


def _spelled(text: str) -> str:
    """The pattern of a text by its words as `plain` has them."""
    pattern = ""
    for before, word in pairwise(("", *text.split(" "))):
        is_unit = before[-1:].isdigit() and UNIT.match(word)
        apart = rf"{BETWEEN_WORDS}{'*' if is_unit else '+'}" if before else ""
        pattern += apart + re.escape(word).replace("%", r"\s*(?:%|per\s?cent)")
    return pattern


def _without_listings(text: str, labels: tuple[str, ...]) -> str:
    """The text without choices that are named side by side: `A, B and C`, `(A) red (B) blue`."""
    pieces, end = [], 0
    for group in _side_by_side(text, labels):
        if len({name["label"] for name in group}) > 1:
            pieces.append(text[end : group[0].start()])
            end = group[-1].end() - bool(LEAVES.match(text, group[-1].end()))  # then its dot ends a sentence
    return "".join([*pieces, text[end:]])


def _side_by_side(text: str, labels: tuple[str, ...]) -> Iterator[list[re.Match[str]]]:
    group: list[re.Match[str]] = []
    for name in re.finditer(name_of(labels) + r"[.:]?", text):
        if not _is_name(name, text):
            continue
        if group and not _continues(group[-1], name, text):
            yield group
            group = []
        group.append(name)
    if group:
        yield group


def _is_name(name: re.Match[str], text: str) -> bool:
    """Whether a match is a label, not the article A or the pronoun I."""
    is_marked = name[0] != name["label"]
    return is_marked or bool(AFTER_BARE.match(text, name.end()) or VERB.match(text, name.end()))


def _continues(before: re.Match[str], name: re.Match[str], text: str) -> bool:
    """Whether nothing but a comma or an "or" is between two names. Of `B. A is dry` they are two sentences."""
    is_begun = before[0].endswith(".") or "\n" in text[before.end() : name.start()]
    begins = is_begun and VERB.match(text, name.end())
    return not begins and LISTED_BY.fullmatch(text, before.end(), name.start()) is not None


@lru_cache(maxsize=256)
def _borders(labels: tuple[str, ...]) -> re.Pattern[str]:
    """Where clauses meet: after a mark, before a conjunction. The dot of `A. red` is none."""
    name = name_of(labels).replace("?P<label>", "?:")
    return re.compile(
        r"(?<=[.,;!?])(?:(?<!^\w\.)(?<!\n\w\.)|(?!\s+⟦))\s+|\n+"
        r"|\s+(?=(?:because|since|so|thus|hence|therefore|whereas|while|although|though|however|rather\s+than|instead\s+of"
        rf"|as\s+opposed\s+to|and\s+not|and\s+{name}\s+(?:is|are|was))\b)"
        r"|(?<!anything)(?<!nothing)(?<!everything)(?<!none)(?<!all)\s+(?=but\b)",
        re.IGNORECASE,
    )
