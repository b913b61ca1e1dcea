"""`selfimprove validate`: every problem of every file, one line each, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.api import check_file
from selfimprove.api.uris import file_of
from selfimprove.cli.output import print_json
from selfimprove.errors import DONE, WRONG_INPUT, UserError


def validate(files: Sequence[str], as_json: bool) -> int:
    """Print the problems; the exit code."""
    found = {file: problems_of(file) for file in files}
    if as_json:
        print_json({"valid": not any(found.values()), "files": [_document(*each) for each in found.items()]})
    else:
        several = len(found) > 1
        for file, problems in found.items():
            for problem in problems:
                print(f"{file}: {problem}" if several and not problem.startswith(f"{file}:") else problem)
            if not problems:
                print(f"{file}: valid")
    return WRONG_INPUT if any(found.values()) else DONE


def problems_of(file: str) -> list[str]:
    """Every problem of a file, one line each; of a file with several runs, with the run's name."""
    try:
        runs = check_file(file_of(file))
    except UserError as error:
        return str(error).splitlines()
    several = len(runs) > 1
    return [f"{name or '?'}: {problem}" if several else str(problem) for name, found in runs for problem in found]


def _document(file: str, problems: Sequence[str]) -> dict[str, object]:
    return {"file": file, "problems": list(problems)}
