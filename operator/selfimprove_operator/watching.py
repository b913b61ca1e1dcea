"""How kopf watches the namespaces that are named: one that is gone, or its Role, must not end the operator.

kopf takes a 403 for the end of the process once its patience is used up, and tells of every one before. Here each watch
waits for its namespace to come back, and of each right that is missing it tells once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import chain, repeat

import kopf

FIRST_SECONDS = (1, 1, 2, 3, 5, 8, 13, 21)
LATER_SECONDS = 30
_TELLS = "kopf._cogs.clients.watching"
_FORBIDDEN = "APIForbiddenError"


class Patience(Iterable[float]):
    """Seconds between tries, without an end; each that goes through them begins anew."""

    def __iter__(self) -> Iterator[float]:
        return chain(FIRST_SECONDS, repeat(LATER_SECONDS))


def wait_for_namespaces(settings: kopf.OperatorSettings) -> None:
    """Have kopf try for ever what it may not watch, and tell of it once."""
    settings.networking.error_backoffs = Patience()
    logging.getLogger(_TELLS).addFilter(News())


class News(logging.Filter):
    """Of what kopf is refused again and again, each once."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is to be seen."""
        _, forbidden, what = record.getMessage().partition(_FORBIDDEN)
        if not forbidden:
            return True
        is_news = what not in self._told
        self._told.add(what)
        return is_news
