"""Credentials as references: the operator names Secrets and their keys, and never reads one.

The storage's become the variables that boto3 and the hub read anyway. A source with a Secret of its own gets its keys
under a prefix made from the Secret's name, where the worker looks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selfimprove.api.secret_names import CREDENTIALS, TOKEN, prefix_of, secrets_of
from selfimprove.api.spec import Spec

_OPTIONAL = frozenset(("AWS_SESSION_TOKEN",))


def secret_variables(spec: Spec) -> list[dict[str, Any]]:
    """The environment variables of a worker that come from Secrets of the run's namespace."""
    variables = list(_from(spec.storage.credentials_secret_name, CREDENTIALS))
    variables += _from(spec.model.token_secret_name, TOKEN)
    for name, keys in secrets_of(spec).items():
        variables += _from(name, keys, prefix_of(name))
    return list({variable["name"]: variable for variable in variables}.values())


def _from(secret: str | None, keys: tuple[str, ...], prefix: str = "") -> Iterator[dict[str, Any]]:
    if secret is None:
        return
    for key in keys:
        reference: dict[str, Any] = {"name": secret, "key": key}
        if key in _OPTIONAL:
            reference["optional"] = True
        yield {"name": prefix + key, "valueFrom": {"secretKeyRef": reference}}
