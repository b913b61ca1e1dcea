"""Values of secrets in the environment: fit for a request's header, and in nothing that a person or a log is shown.

An HTTP library that can't send a header quotes it, and a server may echo it: what is shown is masked where it leaves.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from selfimprove.errors import SurroundingsError

_SECRET = ("OPENAI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""How the variables end; a Secret's own prefix stands before. An access key's id is no secret, and tells keys apart."""
_LEAST_LETTERS = 6
"""Of a value that is looked for in all that is shown: placeholders of servers without keys are words of any text."""
_MASK = "***"


def usable(value: str, where: str, key: str) -> str:
    """The value without white space round it, as files and Secrets made from files have.

    `where`: the field or variable that gives it, `key`: its name there. Raises `SurroundingsError`, which does not
    quote it, for one that no header can hold.
    """
    bare = value.strip()
    if bare and bare.isascii() and bare.isprintable():
        return bare
    what = "holds characters that no key has" if bare else "is empty"
    raise SurroundingsError(
        f"{where}: the value of {key} {what}; give {key} in printable ASCII, in the environment or in that Secret"
    )


def masked(text: str, *secrets: str | None) -> str:
    """The text without the values of secret variables, nor these `secrets`, however Python quotes them."""
    for form in sorted({form for value in _known(secrets) for form in _forms(value)}, key=len, reverse=True):
        text = text.replace(form, _MASK)
    return text


class MaskingFormatter(logging.Formatter):
    """Formats records, their tracebacks included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line or lines."""
        return masked(super().format(record))


def _known(secrets: tuple[str | None, ...]) -> Iterator[str]:
    yield from filter(None, secrets)
    for name, value in os.environ.items():
        if name.endswith(_SECRET) and len(value.strip()) >= _LEAST_LETTERS:
            yield value.strip()


def _forms(value: str) -> Iterator[str]:
    """As it is, and as the representation of a text or of bytes shows it."""
    yield value
    yield repr(value)[1:-1]
    yield ascii(value)[1:-1]
    yield repr(value.encode(errors="surrogateescape"))[2:-1]
