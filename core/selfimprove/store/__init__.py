"""Where artifacts live: a folder or S3, behind one Protocol.

boto3 is imported only when a store is on S3: the command line must start at once.
"""

from __future__ import annotations

from selfimprove.api.uris import local_path, place_of
from selfimprove.errors import UserError
from selfimprove.store.base import Entry, Store
from selfimprove.store.local import LocalStore

__all__ = ["Entry", "LocalStore", "Store", "open_store"]

_REMEDY = "give a folder, file:///path or s3://bucket/prefix"


def open_store(
    uri: str, *, endpoint: str | None = None, region: str | None = None, has_answered: bool = False
) -> Store:
    """The store at a URI: a path, `file://` or `s3://bucket/prefix`. Touches neither disk nor network.

    On S3, what is not given comes from AWS_ENDPOINT_URL, AWS_REGION and the other usual places of boto3; a server that
    `has_answered` whoever started us is waited for as by one at work. Raises `UserError` for a URI that is none of
    these.
    """
    folder = local_path(uri)
    if folder is not None:
        return LocalStore(folder)
    place = place_of(uri)
    if place.scheme == "s3":
        return _open_s3(uri, place.rest, endpoint, region, has_answered)
    raise UserError(f"storage.uri: {uri!r} is no place this can write to; {_REMEDY}")


def _open_s3(uri: str, rest: str, endpoint: str | None, region: str | None, has_answered: bool) -> Store:
    bucket, _, prefix = rest.partition("/")
    if not bucket:
        raise UserError(f"storage.uri: {uri!r} names no bucket; {_REMEDY}")
    try:
        from selfimprove.store.s3 import S3Store
    except ModuleNotFoundError as error:
        raise UserError(f"storage.uri: {uri!r} needs {error.name}; run `pip install 'selfimprove[data]'`") from error
    return S3Store(bucket, prefix.strip("/"), endpoint=endpoint, region=region, has_answered=has_answered)
