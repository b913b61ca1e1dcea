"""One boto3 client, set up for long runs against AWS or any other store.

Standard retries with a cap on every wait, so that a blip of the network is ridden out. Until a server has answered for
the first time no wait is long, so that one that can't be reached, or takes connections and is silent, is told well
within a minute; from then on transfers may take their time. AWS_MAX_ATTEMPTS, AWS_ENDPOINT_URL, AWS_REGION and the rest
of boto3's environment hold as usual.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from selfimprove.store.retry import retried_for
from selfimprove.store.s3_errors import explain, may_pass
from selfimprove.store.s3_settings import STORAGE, WRONG, Fields, attempts, blamed, endpoint_named, region_named

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Patience(NamedTuple):
    """How often a request is tried, and how long an answer to one may be waited for, in seconds."""

    attempts: int
    read_seconds: int


AT_WORK = Patience(attempts=6, read_seconds=60)
AT_FIRST = Patience(attempts=1, read_seconds=8)
"""Of a server that has not answered yet: it is tried again here and not by boto3, so that this is said soon."""
_FIRST_SECONDS = 20
"""One that is away is waited for so long; one that is silent ends it when these and one attempt are over: 28 s."""
_CONNECT_SECONDS = 5
_CONNECTIONS = 32
_KEYS = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}


def make_client(
    uri: str,
    endpoint: str | None,
    region: str | None,
    keys: Mapping[str, str] | None = None,
    fields: Fields = STORAGE,
    patience: Patience = AT_WORK,
) -> Any:
    """A client for the place at `uri`. Raises `UserError` for settings that boto3 can't use, naming the wrong one.

    `keys`: AWS_ACCESS_KEY_ID and so on, of this place alone; what is not among them comes from the usual chain.
    """
    config = _config(endpoint, patience)
    given: dict[str, Any] = {argument: (keys or {}).get(name) for argument, name in _KEYS.items()}
    try:
        session = boto3.session.Session(**given)
        where = region_named(region) or session.region_name or "us-east-1"
        return session.client("s3", endpoint_url=endpoint, region_name=where, config=config)
    except WRONG as error:
        raise blamed(error, endpoint, region, fields) from error
    except BotoCoreError as error:
        raise explain(error, uri, str(endpoint)) from error


def first_answer(call: Callable[[], T], place: str, endpoint: str) -> T:
    """The result of a server's first call, by a client of patience `AT_FIRST`: tried again while that may help.

    That it is tried again is said once, since a person who waits without a word takes it for a program that hangs.
    Where AWS_MAX_ATTEMPTS says how often a request is tried, that is all.
    """

    def tell(error: Exception) -> None:
        _log.warning("%s; trying again for up to %d s", explain(error, place, endpoint), _FIRST_SECONDS)

    return retried_for(0 if attempts(0) else _FIRST_SECONDS, call, may_pass, tell)


def _config(endpoint: str | None, patience: Patience) -> Config:
    settings: dict[str, Any] = {}
    if endpoint_named(endpoint):
        # Few stores but AWS serve a bucket as a host name, and some refuse the checksums that boto3 adds by default.
        settings["s3"] = {"addressing_style": "path"}
        settings["request_checksum_calculation"] = settings["response_checksum_validation"] = "when_required"
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=patience.read_seconds,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": attempts(patience.attempts)},
        **settings,
    )
