"""Which setting is wrong when boto3 makes no client: the field, the variable or the file that it came from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from botocore import exceptions as boto

from selfimprove.errors import UserError

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_ATTEMPTS = "AWS_MAX_ATTEMPTS"


@dataclass(frozen=True)
class Fields:
    """How messages call the settings that a place on S3 was given: of the storage, or of a source of its own."""

    endpoint: str = "storage.endpoint"
    region: str | None = "storage.region"
    """None where the place has no such setting."""


STORAGE = Fields()
WRONG = (
    ValueError,  # an endpoint that is no URL, a number that is none, and among others InvalidRegionError
    boto.ConfigParseError,
    boto.InvalidChecksumConfigError,
    boto.InvalidConfigError,
    boto.InvalidDefaultsMode,
    boto.InvalidRetryConfigurationError,
    boto.InvalidS3AddressingStyleError,
    boto.InvalidSTSRegionalEndpointsConfigError,
    boto.UnsupportedS3ConfigurationError,
)
"""What boto3 says of settings, before it has asked any server."""


def attempts(otherwise: int) -> int:
    """How often a request is tried, by AWS_MAX_ATTEMPTS. Raises `UserError` for what is no number of at least 1."""
    value = os.environ.get(_ATTEMPTS, "").strip()
    if not value:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise UserError(f"{_ATTEMPTS}: {value!r} is no number of attempts; give 1 or more, or unset it")
    return int(value)


def endpoint_named(endpoint: str | None) -> str | None:
    """The endpoint that is given or that the environment names; an empty variable counts as unset."""
    return endpoint or next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), None)


def region_named(region: str | None) -> str | None:
    """The region that is given or that AWS_REGION names, which other AWS libraries read and boto3 does not."""
    return region or os.environ.get("AWS_REGION") or None


def endpoint_source(endpoint: str | None, fields: Fields = STORAGE) -> tuple[str, str] | None:
    """Where the endpoint came from, and what it is; None where there is none but AWS's own."""
    named = endpoint_named(endpoint)
    return (_source("endpoint", fields.endpoint, endpoint, named, _ENDPOINTS), named) if named else None


def blamed(error: Exception, endpoint: str | None, region: str | None, fields: Fields = STORAGE) -> UserError:
    """The error to raise for one of `WRONG`. `endpoint` and `region`: of the spec, or by `--endpoint`, `--region`."""
    if isinstance(error, boto.ConfigParseError):
        path = str(error.kwargs["path"])
        return UserError(
            f"{path}: can't be read as an AWS config file; mend it, or set {_file_variable(path)} to another"
        )
    if isinstance(error, boto.InvalidRegionError):
        value = str(error.kwargs["region_name"])
        where = _source("region", fields.region, region, value, _REGIONS)
        return UserError(f"{where}: {value!r} is no region; give one like us-east-1")
    named = _invalid_endpoint(error, endpoint)
    if named is not None:
        where = _source("endpoint", fields.endpoint, endpoint, named, _ENDPOINTS)
        return UserError(f"{where}: {named!r} is no URL; write http://host:port or https://host")
    said = " ".join(str(error).split())[:200]
    names = " or ".join(_variables_in(said)) or "the AWS config file or an AWS_ variable"
    return UserError(f"{names}: is refused by boto3 ({said}); correct it")


def _invalid_endpoint(error: Exception, endpoint: str | None) -> str | None:
    """The endpoint that this is about."""
    begins = "Invalid endpoint: "
    if str(error).startswith(begins):
        return str(error).removeprefix(begins)
    named = endpoint_named(endpoint)
    try:
        urlsplit(named or "")
    except ValueError:
        return named
    return None


def _source(setting: str, field: str | None, given: str | None, value: str, variables: tuple[str, ...]) -> str:
    """Where a setting's value came from."""
    if given is not None and field is not None:
        return field
    return next((name for name in variables if os.environ.get(name) == value), f"{setting} in the AWS config file")


def _variables_in(text: str) -> Iterator[str]:
    """The variables whose values boto3 quotes."""
    for name, value in sorted(os.environ.items()):
        if name.startswith("AWS_") and value.strip() and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text):
            yield name


def _file_variable(path: str) -> str:
    credentials = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    same = Path(credentials).expanduser() == Path(path).expanduser()
    return "AWS_SHARED_CREDENTIALS_FILE" if same else "AWS_CONFIG_FILE"
