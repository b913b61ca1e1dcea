"""The definition as YAML: the same bytes for the same models, so that a file of it can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

_HEADER = "# Made from core/selfimprove/api by `selfimprove crd`. Don't edit: change the models and print it again.\n"


_ONE_LINE = 2200
"""Characters of JSON up to which a map stands on one line: a field is read at a glance, and the file stays small."""
_WORDS_OF_KUBECTL = frozenset(("y", "Y", "n", "N"))
"""Booleans to kubectl, plain text to PyYAML."""


class _Plain(yaml.SafeDumper):
    """Without anchors (kubectl reads them, people don't), and with what kubectl would misread in quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written out."""
        return True


def yaml_text(document: dict[str, Any]) -> str:
    """A document as YAML text."""
    text: str = yaml.dump(document, Dumper=_Plain, sort_keys=False, width=2 * _ONE_LINE, allow_unicode=True)
    return _HEADER + text


def _map(dumper: _Plain, value: Mapping[str, Any]) -> yaml.Node:
    short = len(json.dumps(value)) <= _ONE_LINE
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=short)


def _list(dumper: _Plain, value: list[Any]) -> yaml.Node:
    short = len(json.dumps(value)) <= _ONE_LINE
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=short)


def _text(dumper: _Plain, value: str) -> yaml.Node:
    style = "'" if value in _WORDS_OF_KUBECTL else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Plain.add_representer(dict, _map)
_Plain.add_representer(list, _list)
_Plain.add_representer(str, _text)
