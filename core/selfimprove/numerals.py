"""Numbers of things as a person says them."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`1 row`, `2 rows`, `1,000 rows`; what takes an s when it is many."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
