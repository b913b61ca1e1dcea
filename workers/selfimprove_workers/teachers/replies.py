"""What a server that speaks OpenAI's chat completions said, read without trust: it may be busy, strict or confused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

BUSY = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
"""What heals, or may: asked again later the server may answer."""
BAD_KEY = frozenset((401, 403))
MOST_BYTES = 1 << 22
_OVERFLOW = ("context length", "context_length", "maximum context", "context window", "too long", "too many tokens")
_OUT_OF_QUOTA = "insufficient_quota"
_MOST_TOKENS = 1 << 24
"""Of one answer: more than any model writes; what a server says beyond is nonsense."""


def parsed(body: bytes) -> Any:
    """A server's JSON, whatever it is; None for what is none, or is nested without end."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def within(document: Any, *path: str | int) -> Any:
    """What stands at a path in a document; None where the document is of another shape."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def text_of(content: Any) -> str | None:
    """The content if it is a text that can be stored: JSON can write halves of characters."""
    return content if isinstance(content, str) and not re.search("[\ud800-\udfff]", content) else None


def is_chat(document: Any) -> bool:
    """Whether it has the shape of a chat completion, however little it says."""
    return isinstance(within(document, "choices", 0), dict)


def is_count(used: Any) -> bool:
    """Whether it is a number of tokens that a model can have written."""
    return type(used) is int and 0 <= used <= _MOST_TOKENS  # True is an int too


def is_silent(document: Any) -> bool:
    """Whether a server does not say what an answer cost, which is no mistake."""
    usage = within(document, "usage")
    return usage is None or (isinstance(usage, dict) and usage.get("completion_tokens") is None)


def models_of(document: Any) -> list[str]:
    """The models that a server lists; none where it has no list."""
    listed = within(document, "data")
    names = [text_of(within(model, "id")) for model in listed] if isinstance(listed, list) else []
    return [name for name in names if name]


def overflows(status: int, body: bytes) -> bool:
    """Whether a question was too long."""
    text = body.decode(errors="replace").casefold()
    return status == 413 or (400 <= status < 500 and any(words in text for words in _OVERFLOW))


def out_of_quota(status: int, body: bytes) -> bool:
    """Whether a 429 is for good: what the key may spend is spent, which no pause heals."""
    error = within(parsed(body), "error")
    return status == 429 and _OUT_OF_QUOTA in (within(error, "code"), within(error, "type"))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait, given as such or as a date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def answered(status: int) -> str:
    """That it answered, in a few words."""
    return f"answered {status}{' (rate limit)' if status == 429 else ''}"
