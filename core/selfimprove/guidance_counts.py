"""What `resample` counted, in words: whom it guided, what became of samples and critiques, what the leak probe found.

One table of labels; a count that it does not know is shown by its own name in words, so that none is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Counts = Mapping[str, int]

_ALL, _CRITIQUE, _OTHER = "all", "critique.", "other"
_PROMPTS = {
    "tail": "in the tail",
    "mastered": "mastered",
    "noReference": "without a reference",
    "noPrefix": "without a prefix to be shown",
    "unreadableGold": "with an answer that can't be read",
    "tooLong": "turns too long for the model",
    "untaught": "turns without a critique",
}
_LEAKS = {
    "copy": "copied from the reference",
    "speaks of the hint": "speaking of the hint",
    "answer without reasoning": "without reasoning",
    "adds nothing": "adding nothing to what was given",
}
_SAMPLES = {
    "tried": "tried",
    "accepted": "accepted",
    "not accepted": "not accepted",
    "truncated": "truncated",
    **_LEAKS,
    "goldGiven": "given the gold",
    "goldGivenAccepted": "accepted though given the gold",
}
_CRITIQUES = {
    "critique.given": "given",
    "critique.states the answer": "stating the answer",
    "critique.nonsense": "nonsense",
    "critique.too long": "too long for the teacher",
    "critique.no wrong attempt": "without a wrong attempt",
}
_PROBE = {
    "probed": "asked plainly",
    "probeHeld": "of these held",
    "probedReasoned": "asked from the reasoning",
    "probeReasonedHeld": "of these held",
    "unprobed": "not asked",
}
_TOKENS = {
    _ALL: "in all",
    "teacherTokens": "the teacher's",
    "probeTokens": "the leak probe's",
    "critiqueTokens": "judges' critiques",
    "promptTokens": "read by judges",
    "cachedTokens": "of these cached",
}
_LABELS: Mapping[str, Mapping[str, str]] = {
    "prompts": _PROMPTS,
    "samples": _SAMPLES,
    "critiques": _CRITIQUES,
    "leak probe": _PROBE,
    "tokens": _TOKENS,
}
_GIVEN = ("goldGiven", "goldGivenAccepted")
_LEFT_OUT = ("noReference", "noPrefix", "unreadableGold", "tooLong")
_ALWAYS = ("tail", "mastered", "tried", "accepted", "critique.given", *list(_PROBE)[:4])
"""Said when they are 0, too."""


def in_words(counts: Counts, tokens: int) -> dict[str, str]:
    """What was counted -> a line of it, e.g. `critiques` -> `80 asked, 0 given, 80 nonsense`; without empty ones.

    `tokens`: all that were sampled, the teacher's and the leak probe's among them.
    """
    of: dict[str, dict[str, int]] = {kind: {} for kind in (*_LABELS, _OTHER)}
    for name, n in {**counts, _ALL: tokens}.items():
        of[_kind(name)][name] = n
    return {kind: line for kind, found in of.items() if (line := _line(kind, found))}


def in_short(counts: Counts) -> str:
    """What one line about the step can't leave out; empty where it counted nothing of the sort."""
    lines = in_words(counts, 0)
    few = {name: counts.get(name, 0) for name in ("accepted", *_LEAKS, *_GIVEN, *_LEFT_OUT)} if counts else {}
    said = [f"{kind}: {lines[kind]}" for kind in ("critiques", "leak probe") if kind in lines]
    return "; ".join(filter(None, [_listed(few, {**_PROMPTS, **_SAMPLES}), *said]))


def leaks_in_words(leaks: Counts) -> str:
    """How the hint showed in samples that were dropped for it: `17 copied from the reference, 1 without reasoning`."""
    return _listed(leaks, _LEAKS)


def _line(kind: str, counts: Counts) -> str:
    labels = _LABELS.get(kind, {})
    if kind != "critiques" or not counts:
        return _listed(counts, labels)
    return f"{sum(counts.values()):,} asked, {_listed({'critique.given': 0, **counts}, labels)}"


def _listed(counts: Counts, labels: Mapping[str, str]) -> str:
    """In the order of the labels, then the others."""
    order = [*(name for name in labels if name in counts), *(name for name in counts if name not in labels)]
    shown = [name for name in order if counts[name] or name in _ALWAYS]
    return ", ".join(f"{counts[name]:,} {labels.get(name) or _spelled(name)}" for name in shown)


def _kind(name: str) -> str:
    if name.startswith(_CRITIQUE):
        return "critiques"
    return next((kind for kind, labels in _LABELS.items() if name in labels), _OTHER)


def _spelled(name: str) -> str:
    """A name as words: `notAsked` -> `not asked`, `critique.off topic` -> `off topic`."""
    words = name.removeprefix(_CRITIQUE).replace(".", " ")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words).lower()
