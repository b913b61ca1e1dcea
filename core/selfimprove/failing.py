"""The line that says why a step failed: short enough for wherever it is shown, and naming the log that says more."""

from __future__ import annotations

from selfimprove.summaries import MAX_BYTES

_AROUND = 100
"""Bytes for what others put before the line: `error: i001-generate: `."""


def naming_log(message: str, place: str) -> str:
    """The message and where its log lies; a message that is too long is cut, the place never is."""
    pointer = f" (log: {place})"
    return shortened(message, MAX_BYTES - _AROUND - len(pointer.encode())) + pointer


def shortened(text: str, most: int) -> str:
    """The text in at most so many bytes of UTF-8, with dots where something is missing."""
    data = text.encode(errors="backslashreplace")
    if len(data) <= most:
        return text
    return data[: max(most - 3, 0)].decode(errors="ignore") + "..."
