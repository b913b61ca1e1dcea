"""JSON in, JSON out: calls on the API server by `kubernetes.aio`, past its generated models.

The models would cost most of a resync's time and memory, and would drop what they do not know. Every failure is one
`ApiError` with the status that the server gave, or 0 where none came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, ApiException, Configuration
from kubernetes.aio.config import ConfigException

from selfimprove import __version__
from selfimprove.errors import SurroundingsError

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
TIMEOUT_SECONDS = 30.0
_CONNECTIONS = 64
_UNKNOWN_YET = "cannot find RESTMapping"
"""What OwnerReferencesPermissionEnforcement says of an owner whose definition was installed a few seconds ago."""

Document = dict[str, Any]
Watcher = Callable[[str, str, int], None]
"""Told of every call that writes: verb, resource, and the status of the answer."""


class Cause(NamedTuple):
    """One thing that the server has against an object: the field's path in it, and what is wrong there."""

    field: str
    message: str


class ApiError(Exception):
    """A call that did not succeed. `status`: of HTTP, 0 where there was no answer; `causes`: of a 422."""

    def __init__(self, status: int, message: str, retry_after: float = 0.0, causes: Sequence[Cause] = ()) -> None:
        super().__init__(f"{status}: {message}" if status else message)
        self.status, self.message, self.retry_after, self.causes = status, message, retry_after, tuple(causes)

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later, with nothing changed."""
        return self.status in (0, 401, 408, 429) or self.status >= 500 or _UNKNOWN_YET in self.message

    @property
    def namespace_goes(self) -> bool:
        """Whether nothing can be made any more where this was to be made: the namespace is being deleted."""
        return self.status == 403 and "because it is being terminated" in self.message


class Client:
    """One connection pool to the API server."""

    def __init__(self, configuration: Configuration, told: Watcher = lambda verb, resource, status: None) -> None:
        configuration.connection_pool_maxsize = _CONNECTIONS
        self._told = told
        self.api = ApiClient(configuration)
        self._rest: Any = self.api.rest_client
        self.api.user_agent = f"selfimprove-operator/{__version__}"

    async def get(self, path: str, **query: str | int) -> Document:
        """One object, or a page of a list."""
        return await self._call("GET", path, query)

    async def create(self, path: str, body: Mapping[str, Any], **query: str | int) -> Document:
        """A new object, as the server has it."""
        return await self._call("POST", path, query, body)

    async def patch(self, path: str, body: Mapping[str, Any], content_type: str, **query: str | int) -> Document:
        """The object after the patch."""
        return await self._call("PATCH", path, query, body, content_type)

    async def replace(self, path: str, body: Mapping[str, Any]) -> Document:
        """The object after it was replaced; a 409 where it has changed since it was read."""
        return await self._call("PUT", path, {}, body)

    async def delete(self, path: str, body: Mapping[str, Any]) -> Document:
        """What the server says of the deletion."""
        return await self._call("DELETE", path, {}, body)

    async def close(self) -> None:
        """End all connections."""
        await self._rest.close()

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None = None,
        content_type: str = JSON,
    ) -> Document:
        headers = {"Accept": JSON, "Content-Type": content_type}
        parameters = await self.api.param_serialize(
            method, path, query_params=list(query.items()), header_params=headers, auth_settings=["BearerToken"]
        )
        url, sent, status = parameters[1], parameters[2], 0
        try:
            answer = await self._rest.request(method, url, headers=sent, body=body, _request_timeout=TIMEOUT_SECONDS)
            status, data = answer.status, await answer.read()
        except (aiohttp.ClientError, ApiException, OSError) as error:
            raise ApiError(0, f"{method} {path}: no answer ({str(error) or type(error).__name__})") from error
        finally:
            if method != "GET" and "dryRun" not in query:
                self._told(_VERBS[method], _resource_of(path), status)
        found = _parsed(data)
        if status >= 400:
            message = str(found.get("message") or answer.reason)
            raise ApiError(status, message, _retry_after(answer.headers), _causes(found))
        return found


async def configuration(path: str | None = None) -> Configuration:
    """How to reach the API server: a pod's own account, else the kubeconfig (at `path`, or the usual one).

    What the environment says of proxies is asked once: by default each call asks it anew, and for a netrc, in threads
    that it has to wait for twice. Raises `SurroundingsError` for neither.
    """
    incluster: Any = config.load_incluster_config
    kubeconfig: Any = config.load_kube_config
    found = Configuration()
    try:
        incluster(client_configuration=found)
    except ConfigException:
        try:
            await kubeconfig(path, client_configuration=found)
        except (ConfigException, OSError) as error:
            raise SurroundingsError(f"KUBECONFIG: no cluster can be reached ({error}); name its kubeconfig") from error
    found.client_session_kwargs = {"trust_env": False}
    found.proxy = found.proxy or _proxy_for(found.host)
    return found


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY); None for none."""
    found = urlsplit(url)
    return None if proxy_bypass(found.hostname or "") else getproxies().get(found.scheme)


_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete", "PUT": "update"}


def _resource_of(path: str) -> str:
    """`jobs`, `selfimprovementruns/status`, `events`: what a path below a namespace names."""
    parts = path.rpartition("/namespaces/")[2].split("/")[1:]
    return "/".join(part for place, part in enumerate(parts) if place != 1)


def _parsed(data: bytes) -> Document:
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _causes(found: Document) -> list[Cause]:
    causes = (found.get("details") or {}).get("causes") or []
    return [Cause(str(each.get("field", "")), str(each.get("message", ""))) for each in causes]


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return float(headers.get("Retry-After", 0))
    except ValueError:
        return 0.0
