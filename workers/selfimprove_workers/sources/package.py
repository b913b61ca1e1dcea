"""Files that an installed Python package ships: `package://DISTRIBUTION/PATH`, as its RECORD lists them.

A package index is the one place that every Python installation reaches, so a demo can take its model from there.
"""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from selfimprove.errors import UserError
from selfimprove_workers.sources.request import Found, Request, below, choose, root_of

NOT_SHIPPED = (".dist-info/", "__pycache__/")
"""What an installation adds by itself."""


def read_package(request: Request) -> Found:
    """Files of an installed distribution; the revision is its version."""
    name, _, path = request.rest.partition("/")
    shipped = _distribution(request, name)
    files = [file for file in map(str, shipped.files or []) if not any(part in file for part in NOT_SHIPPED)]
    chosen = choose(request, path, files)
    folder = root_of(path, chosen)
    root = Path(str(shipped.locate_file(folder)))
    names = [below(folder, file) for file in chosen]
    missing = [file for file in names if not (root / file).is_file()]
    if missing:
        raise UserError(
            f"{request.field}.uri: {name} lists {missing[0]} but it is not there; install it again where workers run"
        )
    return Found(root=root, names=names, revision=shipped.version)


def _distribution(request: Request, name: str) -> Distribution:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError) as error:
        remedy = f"pip install --no-deps {name} there (in their image, in a cluster)"
        raise UserError(
            f"{request.field}.uri: {request.uri}: package {name!r} is not installed where workers run; {remedy}"
        ) from error
