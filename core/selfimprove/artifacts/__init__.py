"""How the work of a step becomes something that others may rely on (design section 4).

A writer puts immutable objects under its own `attempt-<id>` folder and then commits one `manifest.json` that names them
with their sha256; readers trust manifests only. So a writer may die at any moment, two may race, and nobody ever sees
half a step.

The ledger half (keys, manifests, loading) imports no data library, since `selfimprove plan` must answer at once;
`PartWriter`, `read_rows` and `write_table` bring pyarrow in when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfimprove.artifacts.digests import digest_of
from selfimprove.artifacts.files import fetch_files, files_in_place, write_files
from selfimprove.artifacts.keys import PROMPTS, RUN, attempt_folder, manifest_key, step_folder
from selfimprove.artifacts.loading import load_committed, load_ledger, load_summaries
from selfimprove.artifacts.manifest import File, Manifest, Part, commit, read_manifest, require_manifest, summary_of

if TYPE_CHECKING:
    from selfimprove.artifacts.parts import PartWriter
    from selfimprove.artifacts.rows import read_rows, write_table

__all__ = [
    "PROMPTS",
    "RUN",
    "File",
    "Manifest",
    "Part",
    "PartWriter",
    "attempt_folder",
    "commit",
    "digest_of",
    "fetch_files",
    "files_in_place",
    "load_committed",
    "load_ledger",
    "load_summaries",
    "manifest_key",
    "read_manifest",
    "read_rows",
    "require_manifest",
    "step_folder",
    "summary_of",
    "write_files",
    "write_table",
]

_NEEDS_PYARROW = {"PartWriter": "parts", "read_rows": "rows", "write_table": "rows"}


def __getattr__(name: str) -> Any:
    """The parts of this package that need pyarrow, imported when they are first used."""
    from importlib import import_module

    if name not in _NEEDS_PYARROW:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NEEDS_PYARROW[name]}"), name)
