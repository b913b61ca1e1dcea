"""The CustomResourceDefinition, made from the models of `selfimprove.api`: what a cluster checks is what they say.

Pure: JSON values in, JSON values out; nothing of Kubernetes is imported. `schema` turns the models into a structural
schema, `words` gives it its descriptions, `rules` the CEL, `definition` the rest, and `text` prints it.
"""

from __future__ import annotations

from selfimprove.crd.definition import definition
from selfimprove.crd.rules import Rule, rules
from selfimprove.crd.text import yaml_text

__all__ = ["Rule", "definition", "rules", "yaml_text"]
