"""Text as people keep it: perhaps compressed, perhaps with a byte order mark."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO

LINES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz")
"""How files of JSON lines are named."""


def open_text(path: Path) -> IO[str]:
    """A text file for reading, unpacked where its name ends in .gz."""
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")
