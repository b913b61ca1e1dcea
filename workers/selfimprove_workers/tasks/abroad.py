"""What a response declares in another language than English: `La respuesta es ...`, `Antwort: ...`, `答案：...`.

For labels and words; a number is found at the end of a text in any language.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.extract import Found, declared

SAYS = re.compile(
    r"(?:\b(?:respuesta|réponse|risposta|resposta|antwort|ответ)(?:\s(?:correcta|final|corretta|finale|correta|correcte))?"
    r"(?:\s(?:es|est|è|é|ist|lautet)\b(?:\s(?:la|le|die|a|opción|option|opção)(?=\s[(*_]*[A-J]\b))?|\s?[:：])|(?:答案|正解|答え)\s?(?:[是为は]|[:：]))"
    r"[\s*_:：]*(?P<said>[^\n]{1,400})",
    re.IGNORECASE,
)
STOP = re.compile(r"[。．]|です.*\Z")


def declared_anywhere(text: str) -> Found | None:
    """The answer that a text declares, in whatever language."""
    found = declared(text)
    if found is not None:
        return found
    *_, last = [None, *SAYS.finditer(text)]
    payload = STOP.split(last["said"])[0].strip() if last else ""
    return Found("says", payload, text[last.end() :].strip()) if last and payload else None
