"""The CustomResourceDefinition around the schema: names, columns, the status subresource."""

from __future__ import annotations

from typing import Any

from selfimprove.api.spec import GROUP, KIND, PLURAL, VERSION, Spec
from selfimprove.api.status import Status
from selfimprove.crd.rules import hang, rules
from selfimprove.crd.schema import structural

SINGULAR = "selfimprovementrun"
_COLUMNS = (
    ("State", "string", ".status.state", 0),
    ("Iter", "string", ".status.progress", 0),
    ("Gap", "string", ".status.latest.gap", 0),
    ("Tail", "string", ".status.latest.tailCoverage", 0),
    ("Best", "string", ".status.best.accuracy.value", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Model", "string", ".spec.model.uri", 1),
    ("Step", "string", ".status.step.name", 1),
    ("GPU-Seconds", "integer", ".status.usage.gpuSeconds", 1),
    ("Message", "string", ".status.message", 1),
)
"""What `kubectl get sir` shows; priority 1 with -o wide only."""


def definition() -> dict[str, Any]:
    """The whole resource definition as JSON values, the same for the same models."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": ["sir"],
                "categories": ["ml"],
            },
            "versions": [_version()],
        },
    }


def _version() -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
        "schema": {"openAPIV3Schema": _schema()},
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "type": kind, "jsonPath": path}
    return column | {"priority": priority} if priority else column


def _schema() -> dict[str, Any]:
    """The root: the two models, and the rules hung into them."""
    schema: dict[str, Any] = {
        "description": "A language model that generates, verifies, and learns from what it kept, iteration after "
        "iteration.",
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": structural(Spec, written=True),
            "status": structural(Status, written=False),
        },
    }
    for rule in rules():
        hang(schema, rule)
    return schema
