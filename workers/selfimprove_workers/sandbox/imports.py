"""What programs may import: a module that is not for them is one that is not there, as an import tells it.

Libraries try what may be installed and go on without it, as numpy does with charset_normalizer. They reckon with an
`ImportError`, never with a file that is found and then refused. Nothing is held by this: the guards do that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from selfimprove_workers.sandbox.guards import INSTALLED, PACKAGES


class Finder:
    """Finds modules as Python does, but for installed packages other than `PACKAGES` and what can't be opened."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that name; None where there is none for programs."""
        spec = PathFinder.find_spec(name, path, target)
        places = [] if spec is None else [spec.origin] if spec.has_location else spec.submodule_search_locations or []
        return spec if all(_is_for_programs(place) for place in places if place) else None

    @staticmethod
    def invalidate_caches() -> None:
        """For a program that writes a module and imports it."""
        PathFinder.invalidate_caches()


def hide_the_rest() -> None:
    """From here on, and in every program."""
    sys.meta_path[sys.meta_path.index(PathFinder)] = Finder


def _is_for_programs(place: str) -> bool:
    parts = Path(place).parts
    at = next((number for number, part in enumerate(parts) if part in INSTALLED), None)
    if at is not None and parts[at + 1 : at + 2] and parts[at + 1].partition(".")[0] not in PACKAGES:
        return False
    try:
        os.close(os.open(place, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
