"""Manifests to try on a real API server, and what is expected of each rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from selfimprove.api import apply_sets
from selfimprove.crd import Rule, rules
from tests.fixtures.cluster import Answer, Cluster
from tests.unit.api_support import good

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Case:
    """What a rule lets through and what it refuses, as `--set` on the good manifest or on what it was `before`."""

    accept: list[str]
    reject: list[str]
    before: list[str] = field(default_factory=list)
    status: dict[str, Any] | None = None


def manifest(sets: Sequence[str], *, name: str | None = None) -> dict[str, Any]:
    """The good manifest with `--set` in it, and a name of its own where one is given."""
    document = apply_sets(good(), list(sets))
    if name is not None:
        document["metadata"]["name"] = name
    return document


def report(cluster: Cluster, namespace: str, status: dict[str, Any], manager: str = "operator") -> Answer:
    """Write a status as the operator does: by server-side apply on the subresource."""
    document = {name: value for name, value in good().items() if name != "spec"} | {"status": status}
    options = ("--server-side", "--subresource=status", f"--field-manager={manager}")
    return cluster.apply(document, namespace=namespace, options=options)


def key_of(rule: Rule) -> str:
    """A rule as the table of cases names it: with its place where it hangs at several."""
    places = Counter(each.name for each in rules())
    return rule.name if places[rule.name] == 1 else f"{rule.name} @ {rule.at}"


@cache
def cases() -> dict[str, Case]:
    """The table `data/rules.yaml`, by rule."""
    table: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "rules.yaml").read_text(encoding="utf-8"))
    return {key: Case(**each) for key, each in table.items()}
