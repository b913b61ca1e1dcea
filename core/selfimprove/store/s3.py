"""Artifacts on S3 or anything that speaks it, by boto3's low-level calls.

Commits are `put_object(IfNoneMatch="*")`: boto3's managed uploads reject that argument, so they carry only what needs
no condition (checkpoints, in multipart). boto3 retries 5xx, throttling and lost connections; a conflict (409) and a
body that breaks off are retried here. A multipart upload whose process was killed leaves parts behind that only the
bucket's own lifecycle rule (AbortIncompleteMultipartUpload) removes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.parsers import ResponseParserError
from s3transfer.exceptions import RetriesExceededError

from selfimprove.store.base import LOCK, Entry, Store
from selfimprove.store.disk import explained, replace
from selfimprove.store.probing import probe_conditional_create
from selfimprove.store.retry import retried
from selfimprove.store.s3_client import AT_FIRST, first_answer, make_client
from selfimprove.store.s3_errors import InterruptedBodyError, explain, is_refused_condition, is_worth_retrying
from selfimprove.store.s3_reader import RangedReader

T = TypeVar("T")

_MIB = 1 << 20
_TRANSFER = TransferConfig(multipart_threshold=64 * _MIB, multipart_chunksize=16 * _MIB, max_concurrency=8)
_DELETED_AT_ONCE = 1000
_READ_AHEAD = 256 * 1024
_FAULTS = (
    ClientError,
    BotoCoreError,
    Boto3Error,
    RetriesExceededError,
    ResponseParserError,
    RecursionError,
    InterruptedBodyError,
)


class S3Store:
    """Objects under `s3://bucket/prefix`. Implements `Store`; safe to use from several threads."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str | None = None,
        region: str | None = None,
        has_answered: bool = False,
    ) -> None:
        self.uri = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._new_client = partial(make_client, self.uri, endpoint, region)
        self._first_client = self._new_client(patience=AT_FIRST)
        self._has_answered = has_answered

    def read(self, key: str) -> bytes:
        """The whole object."""
        return self._do(key, lambda: self._get(key))

    def open(self, key: str) -> BinaryIO:
        """A seekable reader that fetches ranges as they are asked for."""
        head = self._do(key, lambda: self._client.head_object(**self._at(key)))
        ranged = RangedReader(head["ContentLength"], lambda first, last: self._read_range(key, first, last))
        return io.BufferedReader(ranged, _READ_AHEAD)

    def download(self, key: str, path: Path) -> None:
        """The object as a local file, written atomically."""
        with explained(str(path.parent)):
            replace(path, lambda target: self._do(key, lambda: self._fetch(key, target)))

    def write(self, key: str, data: bytes) -> None:
        """Put the object, whole or not at all, over what was there."""
        self._do(key, lambda: self._client.put_object(**self._at(key), Body=data))

    def upload(self, key: str, path: Path) -> None:
        """Put a local file of any size, in multipart where it is large, whole or not at all."""
        at = self._at(key)
        self._do(key, lambda: self._client.upload_file(str(path), at["Bucket"], at["Key"], Config=_TRANSFER))

    def link_from(self, source: Store, key: str) -> bool:
        """A copy that the server makes by itself, in parts where the object is large; False between two servers."""
        if not isinstance(source, S3Store) or source._client.meta.endpoint_url != self._client.meta.endpoint_url:
            return False
        at = self._at(key)
        source._do(key, lambda: self._client.copy(source._at(key), at["Bucket"], at["Key"], Config=_TRANSFER))
        return True

    def create(self, key: str, data: bytes) -> bool:
        """Put the object only if there is none: True when this call made it, False when one was there."""
        return self._do(key, lambda: self._put_new(key, data))

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """The objects whose key starts with the prefix, in the order of keys."""
        yield from sorted(self._do(prefix, lambda: list(self._pages(prefix))))

    def last_written(self) -> datetime | None:
        """When anything was written last, by the server's clock; None where there is nothing."""
        return self._do("", lambda: max((item["LastModified"] for item in self._objects("")), default=None))

    def folders(self) -> Sequence[str]:
        """The names before the first `/` of keys, in order, as the server groups them."""
        return sorted(self._do("", lambda: list(self._groups())))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; a missing one is no error."""
        names = [{"Key": self._prefix + key} for key in keys]
        for start in range(0, len(names), _DELETED_AT_ONCE):
            self._do("", partial(self._delete, names[start : start + _DELETED_AT_ONCE]))

    def local_path(self, key: str) -> None:
        """None: nothing here is a file of this machine."""

    def probe(self) -> None:
        """Check that the bucket can be reached and written, and that conditional creation is honoured."""
        probe_conditional_create(self)

    @property
    def _client(self) -> Any:
        return self._patient_client if self._has_answered else self._first_client

    @cached_property
    def _patient_client(self) -> Any:
        return self._new_client()

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    def _get(self, key: str, **more: str) -> bytes:
        body = self._client.get_object(**self._at(key), **more)["Body"]
        try:
            return bytes(body.read())
        except (HTTPClientError, IncompleteReadError) as error:
            raise InterruptedBodyError from error

    def _read_range(self, key: str, first: int, last: int) -> bytes:
        return self._do(key, lambda: self._get(key, Range=f"bytes={first}-{last}"))

    def _fetch(self, key: str, target: BinaryIO) -> None:
        target.seek(0)
        target.truncate()
        at = self._at(key)
        self._client.download_fileobj(at["Bucket"], at["Key"], target, Config=_TRANSFER)

    def _put_new(self, key: str, data: bytes) -> bool:
        try:
            self._client.put_object(**self._at(key), Body=data, IfNoneMatch="*")
        except ClientError as error:
            if is_refused_condition(error):
                return False
            raise
        return True

    def _pages(self, prefix: str) -> Iterator[Entry]:
        for item in self._objects(prefix):
            if item["Key"] == self._prefix + LOCK:
                continue
            yield Entry(item["Key"].removeprefix(self._prefix), item["Size"])

    def _objects(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        for item in (item for page in pages for item in page.get("Contents", [])):
            if not item["Key"].endswith("/"):  # a "folder", which some consoles and stores make
                yield item

    def _groups(self) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        for item in (item for page in pages for item in page.get("CommonPrefixes", [])):
            yield item["Prefix"].removeprefix(self._prefix).removesuffix("/")

    def _delete(self, names: Sequence[Mapping[str, str]]) -> None:
        answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": names, "Quiet": True})
        for error in answer.get("Errors", []):
            if error.get("Code") != "NoSuchKey":
                raise ClientError({"Error": error}, "DeleteObjects")

    def _do(self, key: str, call: Callable[[], T]) -> T:
        """The call's result, tried again where that helps, its failure as one line that names the object."""
        again, place = partial(retried, call, is_worth_retrying), f"{self.uri}/{key}" if key else self.uri
        try:
            done = again() if self._has_answered else first_answer(again, place, self._client.meta.endpoint_url)
        except _FAULTS as error:
            self._has_answered |= isinstance(error, ClientError)
            raise explain(error, place, self._client.meta.endpoint_url) from error
        self._has_answered = True
        return done
