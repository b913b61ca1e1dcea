"""M_0 as a plain folder, to export what nothing beat: converting it may need torch, so a worker does it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from selfimprove.api.execution import Storage
from selfimprove.api.source import ModelSource
from selfimprove.errors import DONE, SelfImproveError
from selfimprove_workers.misfits import misfits_named
from selfimprove_workers.models import model_folder


def fetch_model(document: str) -> int:
    """Copy the model that the JSON document names to its `output`; the exit code."""
    wanted = json.loads(document)
    try:
        with misfits_named():
            folder = model_folder(
                ModelSource.model_validate(wanted["model"]), Storage.model_validate(wanted.get("storage", {}))
            )
        # Contents alone: what was converted here is for its owner's eyes only.
        shutil.copytree(folder, Path(wanted["output"]), dirs_exist_ok=True, copy_function=shutil.copyfile)
    except SelfImproveError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return DONE
