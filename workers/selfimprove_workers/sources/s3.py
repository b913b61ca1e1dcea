"""Objects of S3 and what speaks like it, downloaded once into the cache under the ETags they had."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)

from selfimprove.errors import SelfImproveError, SurroundingsError, UserError
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
    "ExpiredToken": "the session token has expired; renew it",
}


def read_s3(request: Request) -> Found:
    """Objects as files of the cache. A changed object has another ETag, so it is downloaded again."""
    bucket, _, path = request.rest.partition("/")
    with _clear_errors(request):
        client = _client(request)
        tags = _listing(client, bucket, path)
        names = choose(request, path, sorted(tags))
        root = root_of(path, names)
        relative = {name: below(root, name) for name in names}
        key = json.dumps([request.endpoint, bucket, root, {name: tags[name] for name in names}])
        folder = cached_folder(
            "s3", hashlib.sha256(key.encode()).hexdigest(), lambda target: _download(client, bucket, relative, target)
        )
    return Found(root=folder, names=sorted(relative.values()))


def _client(request: Request) -> S3Client:
    style = {"addressing_style": "path"} if request.endpoint else {}
    config = Config(
        s3=style,  # type: ignore[arg-type]
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=10,
        request_checksum_calculation="when_required",
    )
    keys = request.credentials
    session = boto3.session.Session(
        aws_access_key_id=keys.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=keys.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=keys.get("AWS_SESSION_TOKEN"),
    )
    return session.client("s3", endpoint_url=request.endpoint, region_name=request.region, config=config)


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
        reason = REASONS.get(code) or f"the server answered {code}; wait until it answers again"
        raise SurroundingsError(f"{request.field}.uri: {request.uri}: {reason}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise SurroundingsError(f"{request.field}.uri: {request.uri}: no credentials; {CREDENTIALS}") from error
    except EndpointConnectionError as error:
        place = request.endpoint or "AWS"
        raise SurroundingsError(
            f"{request.field}.endpoint: {place} can't be reached for {request.uri}; check the network or the endpoint"
        ) from error
    except (BotoCoreError, Boto3Error, ValueError) as error:
        raise SurroundingsError(f"{request.field}.uri: {request.uri}: {str(error).splitlines()[0]}") from error
