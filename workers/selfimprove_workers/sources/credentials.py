"""Credentials of a source that has a Secret of its own: in the environment, under a prefix made from the Secret's name.

So a dataset of another lab is read with that lab's keys while artifacts are written with the run's. Where nothing
stands under the prefix (the Secret is the run's own, or this is no cluster), the usual chains of boto3 and the hub
library serve.
"""

from __future__ import annotations

import os

from selfimprove.api.secret_names import CREDENTIALS, TOKEN, prefix_of
from selfimprove.api.source import Source
from selfimprove.secret_values import usable


def credentials_of(source: Source) -> dict[str, str]:
    """Key -> value, as `AWS_ACCESS_KEY_ID` or `HF_TOKEN`, of what the environment holds for this source alone.

    Raises `SurroundingsError` for a value that is none.
    """
    named = ((source.credentials_secret_name, CREDENTIALS), (source.token_secret_name, TOKEN))
    return {
        key: usable(value, f"{prefix_of(secret)}{key}", key)
        for secret, keys in named
        if secret
        for key in keys
        if (value := os.environ.get(prefix_of(secret) + key))
    }
