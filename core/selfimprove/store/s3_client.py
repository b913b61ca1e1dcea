"""One boto3 client, set up for long runs against AWS or any other store.

Standard retries with a cap on every wait, so that a blip of the network is ridden out and a store that is gone is told
within a minute or so. AWS_MAX_ATTEMPTS, AWS_ENDPOINT_URL, AWS_REGION and the rest of boto3's environment hold as usual.
"""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from selfimprove.store.s3_errors import explain
from selfimprove.store.s3_settings import WRONG, attempts, blamed, endpoint_named

_ATTEMPTS = 6
_CONNECT_SECONDS = 5
_READ_SECONDS = 60
_CONNECTIONS = 32


def make_client(uri: str, endpoint: str | None, region: str | None) -> Any:
    """A client for the store at `uri`. Raises `UserError` for settings that boto3 can't use, naming the wrong one."""
    config = _config(endpoint)
    try:
        session = boto3.session.Session()
        where = region or os.environ.get("AWS_REGION") or session.region_name or "us-east-1"
        return session.client("s3", endpoint_url=endpoint, region_name=where, config=config)
    except WRONG as error:
        raise blamed(error, endpoint, region) from error
    except BotoCoreError as error:
        raise explain(error, uri, str(endpoint)) from error


def _config(endpoint: str | None) -> Config:
    settings: dict[str, Any] = {}
    if endpoint_named(endpoint):
        # Few stores but AWS serve a bucket as a host name, and some refuse the checksums that boto3 adds by default.
        settings["s3"] = {"addressing_style": "path"}
        settings["request_checksum_calculation"] = settings["response_checksum_validation"] = "when_required"
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": attempts(_ATTEMPTS)},
        **settings,
    )
