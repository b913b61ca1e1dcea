"""Which Secrets a run's sources name, and under which variables a worker finds their keys.

Storage and model have the usual variables (AWS_ACCESS_KEY_ID, HF_TOKEN); a source with another Secret must not take
theirs, so its keys come under a prefix. On one machine the same variables work, should anybody set them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

from selfimprove.api.sources import sources_of
from selfimprove.api.spec import Spec

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
TOKEN = ("HF_TOKEN",)


def prefix_of(secret: str) -> str:
    """What stands before the names of a Secret's keys: `SECRET_LAB_S3_` for `lab-s3`.

    A name with dots gets a digest too: `lab.s3` would else be given the keys of `lab-s3`.
    """
    name = re.sub(r"[^A-Z0-9]", "_", secret.upper())
    mark = f"{sha256(secret.encode()).hexdigest()[:8].upper()}_" if "." in secret else ""
    return f"SECRET_{name}_{mark}"


def secrets_of(spec: Spec) -> dict[str, tuple[str, ...]]:
    """Secret -> the keys that are read of it, for every source that names one other than the storage's and model's."""
    usual = {(spec.storage.credentials_secret_name, CREDENTIALS), (spec.model.token_secret_name, TOKEN)}
    found: dict[str, tuple[str, ...]] = {}
    for name, keys in _named(spec):
        if name is not None and (name, keys) not in usual:
            found[name] = (*found.get(name, ()), *(key for key in keys if key not in found.get(name, ())))
    return found


def _named(spec: Spec) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    for _, source in sources_of(spec):
        yield source.credentials_secret_name, CREDENTIALS
        yield source.token_secret_name, TOKEN
    if spec.resampling.teacher:
        yield spec.resampling.teacher.credentials_secret_name, ("OPENAI_API_KEY",)
