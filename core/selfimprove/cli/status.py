"""`selfimprove status`: how a run stands, for a person or for a program."""

from __future__ import annotations

import sys

from selfimprove.cli.output import print_json
from selfimprove.cli.showing import show, status_document
from selfimprove.cli.where import Where


def status(run: str, where: Where, as_json: bool) -> None:
    """Print the status object, or the tables."""
    handle = where.find(run)
    if as_json:
        print_json(status_document(handle))
    else:
        show(handle, sys.stdout)
