"""`selfimprove crd`: the CustomResourceDefinition, for whoever installs it by hand or compares it."""

from __future__ import annotations

from selfimprove.crd import definition, yaml_text


def crd() -> None:
    """Print the CustomResourceDefinition as YAML."""
    print(yaml_text(definition()), end="")
