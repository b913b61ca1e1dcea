"""Standard output belongs to the result: one JSON document, or what a person reads, and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def print_json(document: object) -> None:
    """Print the one JSON document of a command, in ASCII where the terminal's encoding lacks letters."""
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(document, indent=2, ensure_ascii=plain, allow_nan=False))


@contextmanager
def kept_for_the_result() -> Iterator[None]:
    """Within, whatever this process or one it starts writes to standard output goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
