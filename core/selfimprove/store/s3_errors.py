"""What S3 and boto3 say when something is wrong, as one line that names the place, the cause and the remedy.

Whoever asked says how it goes on: by itself in a cluster, by the same command on one machine.
"""

from __future__ import annotations

from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from s3transfer.exceptions import RetriesExceededError

from selfimprove.errors import CredentialsError, OtherPlaceError, RefusedError, SurroundingsError

_KEYS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with the AWS command line "
    "(in a cluster: name a Secret in storage.credentialsSecretName)"
)
_ENDPOINT = "check the network and storage.endpoint or AWS_ENDPOINT_URL"
_CLOCK = "check AWS_SECRET_ACCESS_KEY, the region and the clock of the machine that asks"
_LATER = "wait until the store answers again"
_ELSEWHERE = "begin a run with another storage.uri"
"""Of a run that has begun it is fixed."""
_REGION = "set AWS_REGION, or begin a run with its storage.region"

OTHER_REGION = ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
"""What a server answers of a bucket that another region has."""

_BY_CODE = {
    "AccessDenied": ("access denied", "give these credentials the right to read, write, list and delete there"),
    "403": ("access denied", "give these credentials the right to read, write, list and delete there"),
    "AllAccessDisabled": ("access denied", "ask the owner of the bucket"),
    "AccountProblem": ("access denied", "ask the owner of the account"),
    "InvalidAccessKeyId": ("the access key is unknown there", f"check the credentials and the endpoint, or {_KEYS}"),
    "SignatureDoesNotMatch": ("the secret key is refused", _CLOCK),
    "RequestTimeTooSkewed": ("the signature is refused as out of date", "set the clock of the machine that asks"),
    "ExpiredToken": ("the session token has expired", "renew it"),
    "InvalidToken": ("the session token is refused", "renew it"),
    "NoSuchBucket": ("the bucket does not exist", f"create it, or {_ELSEWHERE}"),
    "InvalidBucketName": ("this is no bucket name", _ELSEWHERE),
    **dict.fromkeys(OTHER_REGION, ("the bucket is in another region", _REGION)),
    "NotImplemented": ("the store does not implement this request", "use one that supports conditional writes"),
    "SlowDown": ("the store asks to slow down", _LATER),
    "ServiceUnavailable": ("the store is overloaded", _LATER),
    "QuotaExceeded": ("the bucket's quota is used up", "free some space or raise the quota"),
}

_NO_S3 = "what answers there is no S3 store"
_BODILESS = ("HeadObject", "HeadBucket")
"""Operations whose answer has no body, so that its status is all that is known of an error."""
_OF_ANOTHER_SERVER = {
    "AccessDenied",
    "403",
    "AllAccessDisabled",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "NoSuchBucket",
    "PermanentRedirect",
    "301",
    "AuthorizationHeaderMalformed",
}
"""What the wrong server says as well as the right one: it has no such bucket, or one of somebody else."""
_OF_NO_STORE = {"400", "401", "404", "405", "410", "501"}
"""Statuses that a store gives with a document that says more: alone they are some other server's, or a proxy's."""
_OVERLOADED = (429, 500, 502, 503, 504)
_OF_OUR_KEYS = {
    "AccessDenied",
    "403",
    "AllAccessDisabled",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
}
"""What a server says of credentials."""
_NO_KEYS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.SSOError,
    boto.ProfileNotFound,
)
_UNREACHED = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ReadTimeoutError, boto.SSLError)

_BY_TYPE: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((boto.NoCredentialsError,), "no AWS credentials were found", _KEYS),
    ((boto.PartialCredentialsError,), "the AWS credentials are incomplete", _KEYS),
    ((boto.CredentialRetrievalError, boto.TokenRetrievalError, boto.SSOError), "the login has expired", _KEYS),
    ((boto.ProfileNotFound,), "the AWS profile is not configured", "correct AWS_PROFILE"),
    ((boto.SSLError,), "the certificate is not accepted", "set AWS_CA_BUNDLE or correct storage.endpoint"),
    ((boto.ProxyConnectionError,), "the proxy can't be reached", "check HTTPS_PROXY and NO_PROXY"),
    ((boto.EndpointConnectionError, boto.ConnectTimeoutError), "can't be reached", _ENDPOINT),
    ((boto.ReadTimeoutError,), "the server takes connections and does not answer", _ENDPOINT),
    ((boto.HTTPClientError, boto.ConnectionError), "the connection broke again and again", _ENDPOINT),
    ((boto.ParamValidationError,), "this is no bucket name or key", _ELSEWHERE),
)


class InterruptedBodyError(Exception):
    """The answer's body broke off; its cause says how. Worth another try, which boto3 leaves to its user."""


def is_refused_condition(error: Exception) -> bool:
    """Whether the object was there already when it was to be created (412)."""
    return isinstance(error, ClientError) and status(error) == 412


def is_worth_retrying(error: Exception) -> bool:
    """Whether to try again what boto3 doesn't: a conflict with another writer (409), a body that broke off."""
    return isinstance(error, InterruptedBodyError) or (isinstance(error, ClientError) and status(error) == 409)


def may_pass(error: Exception) -> bool:
    """Whether the server is away, hangs up, says nothing or is overloaded: as it is for a while when it begins."""
    if isinstance(error, ClientError):
        return status(error) in _OVERLOADED
    silence = (boto.ConnectionError, boto.HTTPClientError)
    return isinstance(_root(error), silence) and not isinstance(error, InterruptedBodyError)


def status(error: ClientError) -> int:
    """The HTTP status of an error response."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def explain(error: Exception, place: str, endpoint: str) -> Exception:
    """The error to raise instead: `FileNotFoundError` for a missing object, else `SurroundingsError`.

    It is an `OtherPlaceError` where the server that was asked may be the wrong one, a `CredentialsError` where the
    credentials may be.
    """
    error = _root(error)
    if isinstance(error, ClientError):
        return _explain_response(error, place, endpoint)
    if isinstance(error, ResponseParserError):
        return OtherPlaceError(f"{place}: {_NO_S3} (endpoint {endpoint}: it sends something else); {_ENDPOINT}")
    if isinstance(error, RecursionError):  # boto3 asks, of every redirect without a region, the same server for one
        return OtherPlaceError(f"{place}: is redirected (endpoint {endpoint}); {_ENDPOINT}: https:// may be meant")
    kind = _kind(isinstance(error, _NO_KEYS), isinstance(error, _UNREACHED))
    for types, cause, remedy in _BY_TYPE:
        if isinstance(error, types):
            return kind(f"{place}: {cause} (endpoint {endpoint}); {remedy}")
    return SurroundingsError(f"{place}: {_line(error)} (endpoint {endpoint}); {_ENDPOINT}")


def _explain_response(error: ClientError, place: str, endpoint: str) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code == "NoSuchKey" or (code == "404" and error.operation_name in _BODILESS):
        return FileNotFoundError(place)
    if code in _OF_NO_STORE and error.operation_name not in _BODILESS:
        return OtherPlaceError(
            f"{place}: {_NO_S3} (endpoint {endpoint}: HTTP {code} without a word of S3); {_ENDPOINT}"
        )
    cause, remedy = _BY_CODE.get(code, (f"the store answered {code or status(error)}", _LATER))
    message = str(error.response.get("Error", {}).get("Message", ""))
    kind = _kind(code in _OF_OUR_KEYS, code in _OF_ANOTHER_SERVER)
    return kind(f"{place}: {cause} (endpoint {endpoint}: {_short(message) or code}); {remedy}")


def _kind(our_keys: bool, another_server: bool) -> type[SurroundingsError]:
    """What may be wrong, as the type of the error."""
    if another_server:
        return RefusedError if our_keys else OtherPlaceError
    return CredentialsError if our_keys else SurroundingsError


def _root(error: Exception) -> Exception:
    """What really happened, under what boto3's layers and `InterruptedBodyError` make of it."""
    inner: object = None
    if isinstance(error, RetriesExceededError):
        inner = error.last_exception
    elif isinstance(error, (InterruptedBodyError, S3UploadFailedError)):
        inner = error.__cause__ or error.__context__
    elif isinstance(error, boto.HTTPClientError) and isinstance(error.kwargs.get("error"), RecursionError):
        inner = error.kwargs["error"]  # of a redirect (`explain`), where it was met in the midst of a request
    return _root(inner) if isinstance(inner, Exception) else error


def _line(error: Exception) -> str:
    return _short(str(error)) or type(error).__name__


def _short(text: str) -> str:
    return " ".join(text.split())[:200]
