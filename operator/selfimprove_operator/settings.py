"""What whoever installs the operator decides: defaults of runs, and what is watched. Read once, from one YAML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from selfimprove.api.base import Model
from selfimprove.api.installation import Defaults
from selfimprove.api.kubeyaml import documents
from selfimprove.errors import UserError


class Settings(Model):
    """The operator's configuration."""

    watch_namespaces: list[str] = []
    """Empty: all of them."""
    defaults: Defaults = Defaults()
    resync_seconds: Annotated[float, Field(gt=0)] = 20.0
    """How often every run is looked at, whether anything happened or not: deadlines pass without an event."""
    lease_namespace: str | None = None
    """Where the Lease is kept; by default the operator's own namespace, and none where it has none."""
    lease_name: str = "selfimprove-operator"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Of /metrics, /healthz and /readyz."""


def read_settings(path: Path) -> Settings:
    """The settings in a YAML file. Raises `UserError` naming the key that is wrong."""
    try:
        found = documents(path.read_text(), str(path))
        return Settings.model_validate(found[0] if found else {})
    except OSError as error:
        raise UserError(
            f"{path}: can't be read ({error.strerror}); mount the operator's configuration there"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            said = "there is no such setting; mend its name, or remove it"
        else:
            said = f"{json.dumps(first['input'], default=str)} stands here ({first['msg']}); mend it"
        raise UserError(f"{path}: {'.'.join(map(str, first['loc']))}: {said}") from error
