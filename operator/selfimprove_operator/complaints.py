"""What the API server has against a Job, told of the run that the Job is made from: field, value, remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from selfimprove.failing import shortened
from selfimprove_operator.client import ApiError, Cause
from selfimprove_operator.origins import Origins

Manifest = Mapping[str, Any]

REMEDIES: tuple[tuple[str, str], ...] = (
    (r"must be less than or equal to (\S+) limit", "lower it, or raise the limit"),
    (r"must be an integer", "give a whole number"),
    (r"must be greater than or equal to 0", "give 0 or more"),
    (r"standard resource", "give cpu, memory or ephemeral-storage, or a device by its full name as nvidia.com/gpu"),
    (r"Limit must be set", "give the same under limits"),
    (r"must specify one of", "give one of them"),
    (r"must be unique", "give another one"),
    (r"RFC 1123", "give lower-case letters, digits, - and ."),
    (r"alphanumeric", "give letters, digits, -, _ and ., with a letter or a digit at both ends"),
)
"""What to do about the details of a complaint; the first that is found counts."""

_VALUED = re.compile(r"(Invalid value|Unsupported value|Duplicate value|Not found): (.*)", re.DOTALL)
_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
_MISTYPED = re.compile(r"cannot unmarshal (\w+) into Go struct field \w+\.(\S+) of type (\S+)")
_EXAMPLES = re.compile(r",? \((?:e\.g\.|regex used).*", re.DOTALL)
"""The server's own examples and regular expressions: they take more room than all else."""
_LONGEST = 100
"""Bytes of a value that are shown."""
_NO_QUANTITY = "quantities must match"
_NOUNS = {"array": "a list", "object": "a map", "bool": "true or false", "number": "a number", "string": "text"}


def complaint(error: ApiError, job: Manifest, origins: Origins) -> str:
    """What is wrong with a Job, in one line, the first of each field. `job`: as it was sent; `origins`: of its step."""
    faults: dict[str, str] = {}
    for field, fault in (*_of_causes(error, job, origins), *_of_parsing(error.message, job, origins)):
        faults.setdefault(field, fault)
    if faults:
        return "; ".join(f"{field}: {fault}" for field, fault in faults.items())
    return f"the API server refuses its Jobs: {error.message}; {_rights(error, origins)}"


def _of_causes(error: ApiError, job: Manifest, origins: Origins) -> Iterator[tuple[str, str]]:
    """What validation found, without what only follows from it: a mount of a volume that is wrong itself."""
    if error.status != 422:
        return
    wrong_volumes = any(cause.field.startswith("spec.template.spec.volumes") for cause in error.causes)
    for cause in error.causes:
        if not (wrong_volumes and "volumeMounts" in cause.field and cause.message.startswith("Not found")):
            yield _place(cause, job, origins), _fault(cause.message)


def _of_parsing(message: str, job: Manifest, origins: Origins) -> Iterator[tuple[str, str]]:
    """What the server could not read as a Job at all, by the names that it gives."""
    for path in _UNKNOWN.findall(message):
        yield origins.field(path, job), "no such field; mend its name, or remove it"
    for found, path, wanted in _MISTYPED.findall(message):
        kind = wanted.removeprefix("v1.")
        yield origins.field(path, job), f"{_NOUNS.get(found, found)} stands here; give {_NOUNS.get(kind, 'a ' + kind)}"
    if _NO_QUANTITY in message:  # those of the run itself were looked at before
        yield origins.setting("resources"), "has an amount that is no quantity; give numbers from 0, as 2, 500m or 16Gi"


def _place(cause: Cause, job: Manifest, origins: Origins) -> str:
    """The field, down to the resource that the server names in its message only."""
    resource = re.search(r"(\S+) limit of", cause.message)
    named = resource and cause.field.endswith("requests")
    return origins.field(f"{cause.field}[{resource[1]}]" if resource and named else cause.field, job)


def _fault(message: str) -> str:
    """A complaint of the server's in our words: `4 is refused (must be an integer); give a whole number`."""
    if found := _VALUED.fullmatch(message):
        value, detail = _value_in(found[2])
        return _WORDS[found[1]](value, detail)
    detail = _EXAMPLES.sub("", message.partition(": ")[2])
    if message.startswith("Required value"):
        return f"is missing{f' ({detail})' if detail else ''}; {_remedy(detail, 'give it')}"
    if message.startswith("Forbidden"):
        return f"is not allowed ({detail}); {_remedy(detail, 'remove it')}"
    return f"is refused ({_EXAMPLES.sub('', message)}); {_remedy(message, 'mend it')}"


def _invalid(value: str, detail: str) -> str:
    return f"{value} is refused ({_EXAMPLES.sub('', detail)}); {_remedy(detail, 'mend it')}".lstrip()


def _unsupported(value: str, detail: str) -> str:
    known = detail.removeprefix("supported values: ").replace('"', "")
    return f"{value} is none of {known}; give one of them"


def _duplicate(value: str, detail: str) -> str:
    return f"{value} is there twice, or is a name of our own; give another one"


def _not_found(value: str, detail: str) -> str:
    return f"{value} is not there; mend the name"


_WORDS = {
    "Invalid value": _invalid,
    "Unsupported value": _unsupported,
    "Duplicate value": _duplicate,
    "Not found": _not_found,
}


def _value_in(text: str) -> tuple[str, str]:
    """The value, which stands first as JSON, and what is said of it."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        value, end = text.partition(": ")[0], text.find(": ")
    shown = value if isinstance(value, str) else json.dumps(value)
    return shortened(shown, _LONGEST), text[end:].removeprefix(": ")


def _remedy(detail: str, otherwise: str) -> str:
    return next((remedy for pattern, remedy in REMEDIES if re.search(pattern, detail)), otherwise)


def _rights(error: ApiError, origins: Origins) -> str:
    """What is left where no field is to blame: somebody's rule, or a right that the operator lacks."""
    if error.status == 403 and "cannot create resource" in error.message:
        return f"name {origins.namespace} in watchNamespaces of the operator's chart, or leave that empty"
    return f"mend what it names, or ask who keeps namespace {origins.namespace}"
