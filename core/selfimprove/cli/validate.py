"""`selfimprove validate`: every problem of every file, one line each, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.api import Problem, check_file
from selfimprove.api.uris import file_of
from selfimprove.cli import warn
from selfimprove.cli.output import print_json
from selfimprove.errors import DONE, WRONG_INPUT, UserError


def validate(files: Sequence[str], as_json: bool) -> int:
    """Print the problems; the exit code."""
    checked = {file: _checked(file) for file in files}
    found = {file: problems for file, (problems, _) in checked.items()}
    if as_json:
        documents = [_document(file, *lines) for file, lines in checked.items()]
        print_json({"valid": not any(found.values()), "files": documents})
    else:
        several = len(found) > 1
        for file, problems in found.items():
            for problem in problems:
                print(f"{file}: {problem}" if several and not problem.startswith(f"{file}:") else problem)
            if not problems:
                print(f"{file}: valid")
        for file, (_, cautions) in checked.items():
            for caution in cautions:
                warn(f"{file}: {caution}" if several else caution)
    return WRONG_INPUT if any(found.values()) else DONE


def _checked(file: str) -> tuple[list[str], list[str]]:
    """Every problem of a file and every warning, one line each; of a file with several runs, with the run's name."""
    try:
        runs = check_file(file_of(file))
    except UserError as error:
        return str(error).splitlines(), []
    several = len(runs) > 1

    def lines(name: str | None, found: Sequence[Problem]) -> list[str]:
        return [f"{name or '?'}: {each}" if several else str(each) for each in found]

    problems = [line for run in runs for line in lines(run.name, run.problems)]
    return problems, [line for run in runs for line in lines(run.name, run.cautions)]


def _document(file: str, problems: Sequence[str], cautions: Sequence[str]) -> dict[str, object]:
    return {"file": file, "problems": list(problems), "warnings": list(cautions)}
