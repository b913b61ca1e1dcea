"""Objects of S3 and what speaks like it, downloaded once into the cache under the ETags they had."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from selfimprove.errors import SelfImproveError, SurroundingsError, UserError
from selfimprove.store.s3_client import AT_FIRST, first_answer, make_client
from selfimprove.store.s3_errors import OTHER_REGION
from selfimprove.store.s3_settings import STORAGE, Fields, endpoint_source
from selfimprove_workers.sources.cache import cached_folder
from selfimprove_workers.sources.request import Found, Request, below, choose, fixed_part, root_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or credentialsSecretName"
REASONS = {
    "NoSuchBucket": "there is no such bucket; make it, or begin a run with another uri",
    "AccessDenied": f"access denied; {CREDENTIALS}",
    "403": f"access denied; {CREDENTIALS}",
    "InvalidAccessKeyId": f"the access key is unknown; {CREDENTIALS}",
    "SignatureDoesNotMatch": f"the secret key is wrong; {CREDENTIALS}",
    "RequestTimeTooSkewed": "the signature is refused as out of date; set the clock of the machine that asks",
    "ExpiredToken": "the session token has expired; renew it",
    "InvalidToken": "the session token is refused; renew it",
}


def read_s3(request: Request) -> Found:
    """Objects as files of the cache. A changed object has another ETag, so it is downloaded again."""
    bucket, _, path = request.rest.partition("/")
    with _clear_errors(request):
        client = partial(
            make_client, request.uri, request.endpoint, request.region, request.credentials, _fields(request)
        )
        first = client(patience=AT_FIRST)
        tags = first_answer(partial(_listing, first, bucket, path), request.uri, first.meta.endpoint_url)
        names = choose(request, path, sorted(tags))
        root = root_of(path, names)
        relative = {name: below(root, name) for name in names}
        key = json.dumps([request.endpoint, bucket, root, {name: tags[name] for name in names}])
        folder = cached_folder(
            "s3", hashlib.sha256(key.encode()).hexdigest(), lambda target: _download(client(), bucket, relative, target)
        )
    return Found(root=folder, names=sorted(relative.values()))


def _fields(request: Request) -> Fields:
    return STORAGE if request.inherits else Fields(endpoint=f"{request.field}.endpoint", region=None)


def _listing(client: S3Client, bucket: str, path: str) -> dict[str, list[object]]:
    """Name to (ETag, size) of every object that the path may mean."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=fixed_part(path))
    objects = [item for page in pages for item in page.get("Contents", [])]
    return {item["Key"]: [item["ETag"], item["Size"]] for item in objects if not item["Key"].endswith("/")}


def _download(client: S3Client, bucket: str, names: dict[str, str], target: Path) -> None:
    for key, name in names.items():
        path = target / name
        if not path.resolve().is_relative_to(target.resolve()):
            raise UserError(f"s3://{bucket}/{key} would leave its folder; rename the object")
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, key, str(path))


@contextmanager
def _clear_errors(request: Request) -> Iterator[None]:
    """Every fault of S3 as one line that names the source and the remedy."""
    try:
        yield
    except SelfImproveError:
        raise
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "?")
        reason = (
            REASONS.get(code) or _elsewhere(request, code) or f"the server answered {code}; wait until it answers again"
        )
        raise SurroundingsError(f"{request.field}.uri: {request.uri}: {reason}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise SurroundingsError(f"{request.field}.uri: {request.uri}: no credentials; {CREDENTIALS}") from error
    except (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError) as error:
        named = endpoint_source(request.endpoint, _fields(request))
        where, place = named or (f"{request.field}.uri", "AWS")
        raise SurroundingsError(
            f"{where}: {place} {_silence(error)} for {request.uri}; check the network or the endpoint"
        ) from error
    except (BotoCoreError, Boto3Error, ValueError) as error:
        raise SurroundingsError(f"{request.field}.uri: {request.uri}: {str(error).splitlines()[0]}") from error


def _silence(error: BotoCoreError) -> str:
    return "does not answer" if isinstance(error, ReadTimeoutError) else "can't be reached"


def _elsewhere(request: Request, code: str) -> str | None:
    """What to do about a bucket of another region: the storage has a field for it, a source of its own has none."""
    if code not in OTHER_REGION:
        return None
    remedy = "set AWS_REGION, or begin a run with its storage.region" if request.inherits else "set AWS_REGION"
    return f"the bucket is in another region; {remedy}"
