"""Why a document in storage can't be read: it is damaged, or a newer version of this code wrote it."""

from __future__ import annotations

import json
import re

from pydantic import ValidationError

from selfimprove import __version__
from selfimprove.errors import UnreadableError


def unreadable(place: str, data: bytes, error: ValidationError, otherwise: str, remedy: str) -> UnreadableError:
    """The error to raise for a document whose `version` says who wrote it. `otherwise`: what it is if it is not newer.

    What a newer version wrote is never to be deleted for it: it is whole.
    """
    first = error.errors()[0]
    why = f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg']}"
    version = _version_in(data)
    if version is not None and _numbers(version) > _numbers(__version__):
        return UnreadableError(
            f"{place}: was written by selfimprove {version}, and this is {__version__}, which can't read it ({why}); "
            f"use {version} or newer"
        )
    return UnreadableError(f"{place}: is {otherwise} ({why}); {remedy}")


def _version_in(data: bytes) -> str | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    version = document.get("version") if isinstance(document, dict) else None
    return version if isinstance(version, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})*[\w.+-]{,32}", version) else None


def _numbers(version: str) -> list[int]:
    """The numbers that a version begins with: [0, 10, 1] of 0.10.1rc2."""
    begins = re.match(r"\d+(\.\d+)*", version)
    return [int(number) for number in begins[0].split(".")] if begins else []
